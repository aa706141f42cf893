"""SHOW and DESCRIBE, of Glue's catalog in the caller's name."""

from __future__ import annotations

import fnmatch

from twin.aws.services.athena.queries import hive, statements, types
from twin.aws.services.athena.queries.errors import DDL, QueryFailed
from twin.aws.services.athena.queries.results import Outcome, Row, listed
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.tables import Catalog, is_iceberg, name_of


def show(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW TABLES, VIEWS, DATABASES."""
    parts = statement.parts
    if statement.kind == "SHOW_DATABASES":
        names = [each["Name"] for each in catalog.call("get_databases")["DatabaseList"]]
        return listed("database_name", _like(names, parts.get("like")))
    database = statements.unquoted(parts.get("database", catalog.asked.database))
    catalog.database(database)
    held = catalog.call("get_tables", DatabaseName=database)["TableList"]
    views = [each["Name"] for each in held if each.get("TableType") == "VIRTUAL_VIEW"]
    names = views if statement.kind == "SHOW_VIEWS" else [each["Name"] for each in held]
    return listed("views" if statement.kind == "SHOW_VIEWS" else "tab_name", _like(names, parts.get("like")))


def _like(names: list[str], pattern: str | None) -> list[str]:
    wanted = (pattern or "*").split("|")
    return sorted(name for name in names if any(fnmatch.fnmatchcase(name, each) for each in wanted))


def report(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW PARTITIONS, SHOW COLUMNS, SHOW TBLPROPERTIES, DESCRIBE."""
    asked = catalog.asked.database
    if statement.parts.get("database"):
        asked = statements.unquoted(statement.parts["database"])
    name = name_of(statements.table(statement.parts["table"]), asked)
    table = catalog.table(name)
    own = [*table["StorageDescriptor"].get("Columns", []), *(table.get("PartitionKeys") or [])]
    if statement.kind == "SHOW_COLUMNS":
        return listed("field", [each["Name"] for each in own])
    if statement.kind == "SHOW_TBLPROPERTIES":
        wanted = statement.parts.get("property")
        held = {key: value for key, value in (table.get("Parameters") or {}).items() if wanted in (None, key)}
        return listed("prpt_name", [f"{key}\t{value}" for key, value in sorted(held.items())])
    if statement.kind == "SHOW_PARTITIONS":
        names = [key for key, _ in hive.keys(table)]
        if not names:
            raise QueryFailed(
                f"FAILED: SemanticException [Error 10241]: Table {name.table} is not a partitioned table", DDL
            )
        shown = [
            "/".join(f"{k}={v}" for k, v in zip(names, part.values, strict=True))
            for part in catalog.parts(table)
        ]
        return listed("partition", sorted(shown))
    rows: list[Row] = [
        [f"{each['Name']:<20}\t{each.get('Type', ''):<20}\t{each.get('Comment', ''):<20}"] for each in own
    ]
    return Outcome([types.info(each, "string") for each in ("col_name", "data_type", "comment")], rows)


def show_create(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW CREATE TABLE."""
    name = name_of(statements.table(statement.parts["table"]), catalog.asked.database)
    table = catalog.table(name)
    descriptor = table["StorageDescriptor"]
    own = ", \n".join(f"  `{each['Name']}` {each['Type']}" for each in descriptor.get("Columns", []))
    lines = [
        f"CREATE {'' if is_iceberg(table) else 'EXTERNAL '}TABLE `{name.database}.{name.table}`(",
        f"{own})",
    ]
    keys = table.get("PartitionKeys") or []
    if keys:
        lines += [
            "PARTITIONED BY ( ",
            ", \n".join(f"  `{each['Name']}` {each['Type']}" for each in keys) + ")",
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
    return listed("createtab_stmt", "\n".join(lines).split("\n"))
