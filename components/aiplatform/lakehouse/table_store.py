"""The store of tables, and what S3 Tables does not support."""

from collections.abc import Iterator, Sequence
from typing import Literal

from aiplatform._shared.args import Problem, got
from aiplatform.lakehouse import types
from aiplatform.lakehouse.grants import LakehouseGrantSettings
from aiplatform.lakehouse.tables import LakehouseTableSettings

Store = Literal["buckets", "s3_tables"]


def unfit_for_s3_tables(
    tables: Sequence[LakehouseTableSettings], grants: Sequence[LakehouseGrantSettings]
) -> Iterator[Problem]:
    """Return declarations that are possible only with tables in the zones' buckets."""
    for index, table in enumerate(tables):
        for place, column in enumerate(table.columns):
            if not isinstance(column.field.type, types.Primitive):
                reason = (
                    "with store s3_tables, whose tables are created with columns without parts; flatten it"
                )
                yield Problem(f"tables[{index}].columns[{place}].type", f"{got(column.type)} {reason}")
        if table.quality is not None:
            reason = (
                "with store s3_tables; expected none: a ruleset of Glue Data Quality belongs to a table of "
            )
            yield Problem(f"tables[{index}].quality", f"got rules {reason}the account's default catalog")
    for index, grant in enumerate(grants):
        if grant.zones:
            reason = "with store s3_tables; expected `tables`: only the account's default catalog has LF-tags"
            yield Problem(f"grants[{index}].zones", f"got {', '.join(grant.zones)} {reason}")
        if grant.rows is not None:
            reason = "with store s3_tables; expected all rows: only the account's default catalog has filters"
            yield Problem(f"grants[{index}].rows", f"{got(grant.rows)} {reason}")
