"""Write to the online store what has changed since the last run: `feast materialize-incremental`, which also
succeeds where no row is new.

Athena writes no file for a result without rows, and Feast then reads a table without columns: it would end
with a KeyError of the timestamp's column (feast-dev/feast-aws-credit-scoring-tutorial, issue 11).
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow
from feast import FeatureStore


def with_columns(table: Any, columns: Any) -> Any:
    """Return a table of a feature view's source, with its columns also where it has no rows. columns: what
    Feast knows of them."""
    if table.num_columns:
        return table
    names = [*columns.join_keys, *columns.feature_cols, columns.ts_col, columns.created_ts_col]
    renamed = [(columns.field_mapping or {}).get(name, name) for name in names if name]
    return pyarrow.table({name: pyarrow.nulls(0) for name in renamed})


def accept_no_rows() -> None:
    """Change how Feast reads the source of a feature view, in this process."""
    # An image that the arguments name may have another version of Feast, which reads elsewhere.
    with contextlib.suppress(ImportError):
        from feast.infra.compute_engines.local.arrow_table_value import ArrowTableValue
        from feast.infra.compute_engines.local.nodes import LocalSourceReadNode

        read = LocalSourceReadNode.execute

        def execute(node: Any, context: Any) -> Any:
            return ArrowTableValue(data=with_columns(read(node, context).data, node.column_info))

        LocalSourceReadNode.execute = execute


def main(folder: str) -> None:
    """Materialize all feature views up to now."""
    accept_no_rows()
    FeatureStore(repo_path=folder).materialize_incremental(end_date=datetime.now(UTC).replace(microsecond=0))


if __name__ == "__main__":
    main(sys.argv[1])
