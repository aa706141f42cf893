"""SHOW and DESCRIBE, of Glue's catalog in the caller's name."""

from __future__ import annotations

import fnmatch

from twin.aws.services.athena.queries import hive, statements, types
from twin.aws.services.athena.queries.errors import DDL, QueryFailed
from twin.aws.services.athena.queries.results import Outcome, Row, text_column
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.tables import Catalog, is_iceberg, name_of


def show(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW TABLES, VIEWS, DATABASES."""
    parts = statement.parts
    if statement.kind == "SHOW_DATABASES":
        names = [entry["Name"] for entry in catalog.call("get_databases")["DatabaseList"]]
        return text_column("database_name", _like(names, parts.get("like")))
    database = statements.unquoted(parts.get("database", catalog.context.database))
    catalog.database(database)
    tables = catalog.call("get_tables", DatabaseName=database)["TableList"]
    views = [table["Name"] for table in tables if table.get("TableType") == "VIRTUAL_VIEW"]
    names = views if statement.kind == "SHOW_VIEWS" else [table["Name"] for table in tables]
    return text_column(
        "views" if statement.kind == "SHOW_VIEWS" else "tab_name", _like(names, parts.get("like"))
    )


def _like(names: list[str], pattern: str | None) -> list[str]:
    wanted = (pattern or "*").split("|")
    return sorted(name for name in names if any(fnmatch.fnmatchcase(name, glob) for glob in wanted))


def report(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW PARTITIONS, SHOW COLUMNS, SHOW TBLPROPERTIES, DESCRIBE."""
    database = catalog.context.database
    if statement.parts.get("database"):
        database = statements.unquoted(statement.parts["database"])
    name = name_of(statements.table(statement.parts["table"]), database)
    table = catalog.table(name)
    columns = [*table["StorageDescriptor"].get("Columns", []), *(table.get("PartitionKeys") or [])]
    if statement.kind == "SHOW_COLUMNS":
        return text_column("field", [column["Name"] for column in columns])
    if statement.kind == "SHOW_TBLPROPERTIES":
        wanted = statement.parts.get("property")
        properties = {
            key: value for key, value in (table.get("Parameters") or {}).items() if wanted in (None, key)
        }
        return text_column("prpt_name", [f"{key}\t{value}" for key, value in sorted(properties.items())])
    if statement.kind == "SHOW_PARTITIONS":
        names = [key for key, _ in hive.keys(table)]
        if not names:
            raise QueryFailed(
                f"FAILED: SemanticException [Error 10241]: Table {name.table} is not a partitioned table", DDL
            )
        partitions = [
            "/".join(f"{k}={v}" for k, v in zip(names, part.values, strict=True))
            for part in catalog.parts(table)
        ]
        return text_column("partition", sorted(partitions))
    rows: list[Row] = [
        [f"{column['Name']:<20}\t{column.get('Type', ''):<20}\t{column.get('Comment', ''):<20}"]
        for column in columns
    ]
    return Outcome([types.info(key, "string") for key in ("col_name", "data_type", "comment")], rows)


def show_create(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW CREATE TABLE."""
    name = name_of(statements.table(statement.parts["table"]), catalog.context.database)
    table = catalog.table(name)
    descriptor = table["StorageDescriptor"]
    columns = ", \n".join(
        f"  `{column['Name']}` {column['Type']}" for column in descriptor.get("Columns", [])
    )
    lines = [
        f"CREATE {'' if is_iceberg(table) else 'EXTERNAL '}TABLE `{name.database}.{name.table}`(",
        f"{columns})",
    ]
    keys = table.get("PartitionKeys") or []
    if keys:
        lines += [
            "PARTITIONED BY ( ",
            ", \n".join(f"  `{key['Name']}` {key['Type']}" for key in keys) + ")",
        ]
    if not is_iceberg(table):
        lines += [
            "ROW FORMAT SERDE ",
            f"  '{(descriptor.get('SerdeInfo') or {}).get('SerializationLibrary')}' ",
        ]
        lines += ["STORED AS INPUTFORMAT ", f"  '{descriptor.get('InputFormat')}' "]
        lines += ["OUTPUTFORMAT ", f"  '{descriptor.get('OutputFormat')}'"]
    lines += ["LOCATION", f"  '{descriptor.get('Location')}'", "TBLPROPERTIES ("]
    reported = {
        k: v for k, v in (table.get("Parameters") or {}).items() if k not in ("metadata_location", "EXTERNAL")
    }
    lines.append(", \n".join(f"  '{key}'='{value}'" for key, value in sorted(reported.items())) + ")")
    return text_column("createtab_stmt", "\n".join(lines).split("\n"))
