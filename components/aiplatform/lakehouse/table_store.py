"""Where tables are, and what S3 Tables does not take."""

from collections.abc import Iterator, Sequence
from typing import Literal

from aiplatform._shared.args import Problem, got
from aiplatform.lakehouse import types
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import TableSettings

Store = Literal["buckets", "s3_tables"]


def unfit_for_s3_tables(
    tables: Sequence[TableSettings], grants: Sequence[GrantSettings]
) -> Iterator[Problem]:
    """What needs tables in buckets of one's own."""
    for index, table in enumerate(tables):
        for place, column in enumerate(table.columns):
            if not isinstance(column.field.type, types.Primitive):
                reason = "with store s3_tables, whose tables are made with columns without parts; flatten it"
                yield Problem(f"tables[{index}].columns[{place}].type", f"{got(column.type)} {reason}")
        if table.quality is not None:
            reason = (
                "with store s3_tables, expected none: a ruleset of Glue Data Quality belongs to a table of "
            )
            yield Problem(f"tables[{index}].quality", f"got rules {reason}the account's own catalog")
    for index, grant in enumerate(grants):
        if grant.zones:
            reason = "with store s3_tables, expected `tables`: LF-tags are on the account's own catalog alone"
            yield Problem(f"grants[{index}].zones", f"got {', '.join(grant.zones)} {reason}")
        if grant.rows is not None:
            reason = "with store s3_tables, expected all rows: filters are on the account's own catalog alone"
            yield Problem(f"grants[{index}].rows", f"{got(grant.rows)} {reason}")
