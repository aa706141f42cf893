"""CREATE TABLE: an external table of Hive's kind, or one of Iceberg's."""

from __future__ import annotations

import re
from typing import Any, Final

import pyarrow as pa
from sqlglot import exp

from twin.aws.services.athena.queries import hive, types
from twin.aws.services.athena.queries import permissions as queries
from twin.aws.services.athena.queries.errors import DDL, QueryFailed, untranslated
from twin.aws.services.athena.queries.results import Outcome
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.storage import place
from twin.aws.services.athena.queries.tables import Catalog, Name, name_of

TASK: Final = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def create_table(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE EXTERNAL TABLE, and CREATE TABLE of Iceberg."""
    tree: Any = statement.tree
    name = name_of(tree.find(exp.Table), catalog.asked.database)
    catalog.database(name.database)
    if catalog.find(name) is not None:
        if tree.args.get("exists"):
            return Outcome()
        raise QueryFailed(f"{TASK}AlreadyExistsException(message:Table {name.table} already exists.)", DDL)
    given = _Given(tree)
    if not given.location:
        raise QueryFailed("No location was specified for table. An S3 location must be specified", DDL)
    place(given.location)
    if given.properties.get("table_type", "").upper() == "ICEBERG":
        _create_iceberg(catalog, name, given)
    elif not given.external:
        raise QueryFailed(
            "Unsupported: CREATE TABLE needs EXTERNAL, or the table property table_type = 'ICEBERG'", DDL
        )
    else:
        _create_hive(catalog, name, given)
    return Outcome()


class _Given:
    """What a CREATE TABLE says."""

    def __init__(self, tree: Any) -> None:
        self.columns: list[dict[str, str]] = [
            column(each) for each in tree.this.expressions if isinstance(each, exp.ColumnDef)
        ]
        self.external, self.location, self.format, self.comment = False, "", "", ""
        self.properties: dict[str, str] = {}
        self.serde, self.parameters = "", dict[str, str]()
        self.partitions: list[Any] = []
        for each in (tree.args.get("properties") or exp.Properties()).expressions:
            self._take(each)

    def _take(self, each: Any) -> None:
        if isinstance(each, exp.ExternalProperty):
            self.external = True
        elif isinstance(each, exp.LocationProperty):
            self.location = each.this.name
        elif isinstance(each, exp.FileFormatProperty):
            self.format = (
                each.this.name.upper()
                if isinstance(each.this, exp.Var | exp.Literal | exp.Identifier)
                else str(each.this.name).upper()
            )
        elif isinstance(each, exp.PartitionedByProperty):
            self.partitions = list(each.this.expressions)
        elif isinstance(each, exp.SchemaCommentProperty):
            self.comment = each.this.name
        elif isinstance(each, exp.RowFormatDelimitedProperty):
            self._delimited(each)
        elif isinstance(each, exp.RowFormatSerdeProperty):
            self.serde = each.this.name
            inner = each.args.get("serde_properties")
            self.parameters = {p.this.name: p.args["value"].name for p in inner.expressions} if inner else {}
        elif isinstance(each, exp.SerdeProperties):
            self.parameters = {p.this.name: p.args["value"].name for p in each.expressions}
        elif type(each) is exp.Property:
            self.properties[each.this.name] = each.args["value"].name
        else:
            raise untranslated(f"CREATE TABLE with {each.sql('hive')}")

    def _delimited(self, each: Any) -> None:
        fields = each.args.get("fields")
        if fields is not None:
            self.parameters["field.delim"] = fields.name.replace("\\t", "\t")
            self.parameters["serialization.format"] = self.parameters["field.delim"]
        null = each.args.get("null")
        if null is not None:
            self.parameters["serialization.null.format"] = null.name

    @property
    def kind(self) -> hive.Format:
        named = self.format or "TEXTFILE"
        for each in hive.FORMATS.values():
            if self.serde and each.serde == self.serde:
                return each
        if named not in hive.FORMATS:
            raise untranslated(f"STORED AS {named}")
        return hive.FORMATS[named]


def column(each: Any) -> dict[str, str]:
    """Glue's column of a column's definition."""
    found = {"Name": each.this.name.lower(), "Type": _hive_type(each.args.get("kind"))}
    types.of_hive(found["Type"])
    for constraint in each.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.CommentColumnConstraint):
            found["Comment"] = constraint.kind.this.name
    return found


def _hive_type(kind: Any) -> str:
    text = kind.sql(dialect="hive").lower().replace("`", "") if kind is not None else "string"
    return re.sub(r"\s*([<>:,])\s*", r"\1", text.replace(": ", ":"))


def _create_hive(catalog: Catalog, name: Name, given: _Given) -> None:
    kind = given.kind
    keys = [column(each) for each in given.partitions if isinstance(each, exp.ColumnDef)]
    if len(keys) != len(given.partitions):
        raise QueryFailed(
            "FAILED: ParseException: a partition key of a Hive table has a name and a type", DDL
        )
    twice = {each["Name"] for each in given.columns} & {each["Name"] for each in keys}
    if twice:
        raise QueryFailed(
            f"FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns: {min(twice)}",
            DDL,
        )
    table: dict[str, Any] = {
        "Name": name.table,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": keys,
        "Parameters": {"EXTERNAL": "TRUE", **given.properties},
        "StorageDescriptor": {
            **hive.descriptor(
                pa.schema([]), given.location, kind.name, given.parameters or {"serialization.format": "1"}
            ),
            "Columns": given.columns,
        },
    }
    if given.serde:
        table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = given.serde
    if given.comment:
        table["Description"] = given.comment
    made(catalog, name, table)


def made(catalog: Catalog, name: Name, table: dict[str, Any]) -> None:
    """Make a table in Glue."""
    try:
        catalog.call("create_table", DatabaseName=name.database, TableInput=table)
    except QueryFailed as error:
        raise failed(error) from None


def _create_iceberg(catalog: Catalog, name: Name, given: _Given) -> None:
    from twin.aws.services.athena.queries import iceberg

    if given.external:
        raise QueryFailed("CREATE EXTERNAL TABLE is not supported for Iceberg tables: CREATE TABLE is", DDL)
    fields = [pa.field(each["Name"], iceberg.micro(types.of_hive(each["Type"]))) for each in given.columns]
    partitioning = [each.sql(dialect="hive") for each in given.partitions]
    properties = {key: value for key, value in given.properties.items() if key.lower() not in ("table_type",)}
    store = queries.new_place(catalog.asked, given.location)
    iceberg.create(
        catalog.asked.caller,
        store,
        (name.database, name.table),
        pa.schema(fields),
        given.location,
        partitioning,
        properties,
    )


def failed(error: QueryFailed) -> QueryFailed:
    """A refusal of Glue's as Hive's DDL reports it."""
    return QueryFailed(TASK + error.reason, DDL)
