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
    name = name_of(tree.find(exp.Table), catalog.context.database)
    catalog.database(name.database)
    if catalog.find(name) is not None:
        if tree.args.get("exists"):
            return Outcome()
        raise QueryFailed(f"{TASK}AlreadyExistsException(message:Table {name.table} already exists.)", DDL)
    definition = _TableDefinition(tree)
    if not definition.location:
        raise QueryFailed("No location was specified for table. An S3 location must be specified", DDL)
    place(definition.location)
    if definition.properties.get("table_type", "").upper() == "ICEBERG":
        _create_iceberg(catalog, name, definition)
    elif not definition.external:
        raise QueryFailed(
            "Unsupported: CREATE TABLE needs EXTERNAL, or the table property table_type = 'ICEBERG'", DDL
        )
    else:
        _create_hive(catalog, name, definition)
    return Outcome()


class _TableDefinition:
    """What a CREATE TABLE says."""

    def __init__(self, tree: Any) -> None:
        self.columns: list[dict[str, str]] = [
            column(expression)
            for expression in tree.this.expressions
            if isinstance(expression, exp.ColumnDef)
        ]
        self.external, self.location, self.format, self.comment = False, "", "", ""
        self.properties: dict[str, str] = {}
        self.serde, self.parameters = "", dict[str, str]()
        self.partitions: list[Any] = []
        for property_ in (tree.args.get("properties") or exp.Properties()).expressions:
            self._take(property_)

    def _take(self, property_: Any) -> None:
        if isinstance(property_, exp.ExternalProperty):
            self.external = True
        elif isinstance(property_, exp.LocationProperty):
            self.location = property_.this.name
        elif isinstance(property_, exp.FileFormatProperty):
            self.format = (
                property_.this.name.upper()
                if isinstance(property_.this, exp.Var | exp.Literal | exp.Identifier)
                else str(property_.this.name).upper()
            )
        elif isinstance(property_, exp.PartitionedByProperty):
            self.partitions = list(property_.this.expressions)
        elif isinstance(property_, exp.SchemaCommentProperty):
            self.comment = property_.this.name
        elif isinstance(property_, exp.RowFormatDelimitedProperty):
            self._delimited(property_)
        elif isinstance(property_, exp.RowFormatSerdeProperty):
            self.serde = property_.this.name
            inner = property_.args.get("serde_properties")
            self.parameters = {p.this.name: p.args["value"].name for p in inner.expressions} if inner else {}
        elif isinstance(property_, exp.SerdeProperties):
            self.parameters = {p.this.name: p.args["value"].name for p in property_.expressions}
        elif type(property_) is exp.Property:
            self.properties[property_.this.name] = property_.args["value"].name
        else:
            raise untranslated(f"CREATE TABLE with {property_.sql('hive')}")

    def _delimited(self, property_: Any) -> None:
        fields = property_.args.get("fields")
        if fields is not None:
            self.parameters["field.delim"] = fields.name.replace("\\t", "\t")
            self.parameters["serialization.format"] = self.parameters["field.delim"]
        null = property_.args.get("null")
        if null is not None:
            self.parameters["serialization.null.format"] = null.name

    @property
    def kind(self) -> hive.Format:
        named = self.format or "TEXTFILE"
        for format_ in hive.FORMATS.values():
            if self.serde and format_.serde == self.serde:
                return format_
        if named not in hive.FORMATS:
            raise untranslated(f"STORED AS {named}")
        return hive.FORMATS[named]


def column(definition: Any) -> dict[str, str]:
    """Glue's column of a column's definition."""
    column = {"Name": definition.this.name.lower(), "Type": _hive_type(definition.args.get("kind"))}
    types.of_hive(column["Type"])
    for constraint in definition.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.CommentColumnConstraint):
            column["Comment"] = constraint.kind.this.name
    return column


def _hive_type(kind: Any) -> str:
    text = kind.sql(dialect="hive").lower().replace("`", "") if kind is not None else "string"
    return re.sub(r"\s*([<>:,])\s*", r"\1", text.replace(": ", ":"))


def _create_hive(catalog: Catalog, name: Name, definition: _TableDefinition) -> None:
    kind = definition.kind
    keys = [column(partition) for partition in definition.partitions if isinstance(partition, exp.ColumnDef)]
    if len(keys) != len(definition.partitions):
        raise QueryFailed(
            "FAILED: ParseException: a partition key of a Hive table has a name and a type", DDL
        )
    twice = {column["Name"] for column in definition.columns} & {key["Name"] for key in keys}
    if twice:
        raise QueryFailed(
            f"FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns: {min(twice)}",
            DDL,
        )
    table: dict[str, Any] = {
        "Name": name.table,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": keys,
        "Parameters": {"EXTERNAL": "TRUE", **definition.properties},
        "StorageDescriptor": {
            **hive.descriptor(
                pa.schema([]),
                definition.location,
                kind.name,
                definition.parameters or {"serialization.format": "1"},
            ),
            "Columns": definition.columns,
        },
    }
    if definition.serde:
        table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = definition.serde
    if definition.comment:
        table["Description"] = definition.comment
    create_in_catalog(catalog, name, table)


def create_in_catalog(catalog: Catalog, name: Name, table: dict[str, Any]) -> None:
    """Make a table in Glue."""
    try:
        catalog.call("create_table", DatabaseName=name.database, TableInput=table)
    except QueryFailed as error:
        raise failed(error) from None


def _create_iceberg(catalog: Catalog, name: Name, definition: _TableDefinition) -> None:
    from twin.aws.services.athena.queries import iceberg

    if definition.external:
        raise QueryFailed("CREATE EXTERNAL TABLE is not supported for Iceberg tables: CREATE TABLE is", DDL)
    fields = [
        pa.field(column["Name"], iceberg.micro(types.of_hive(column["Type"])))
        for column in definition.columns
    ]
    partitioning = [partition.sql(dialect="hive") for partition in definition.partitions]
    properties = {
        key: value for key, value in definition.properties.items() if key.lower() not in ("table_type",)
    }
    store = queries.new_place(catalog.context, definition.location)
    iceberg.create(
        catalog.context.caller,
        store,
        (name.database, name.table),
        pa.schema(fields),
        definition.location,
        partitioning,
        properties,
    )


def failed(error: QueryFailed) -> QueryFailed:
    """A refusal of Glue's as Hive's DDL reports it."""
    return QueryFailed(TASK + error.reason, DDL)
