"""A query's rows: its tables read as far as the caller may, then DuckDB."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from twin.aws.services.athena.queries import dialect, tables, translate, type_checks, types
from twin.aws.services.athena.queries.engine import Engine
from twin.aws.services.athena.queries.errors import untranslated
from twin.aws.services.athena.queries.tables import Catalog

COPY = "athena_copy"
"""The table that a statement changes, in the engine."""


class Query:
    """One query and its engine. To be closed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.engine = Engine()
        catalog.context.meter.interrupt = self.engine.stop
        self._count = 0
        self._fine = False
        self._schema: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Query:
        return self

    def __exit__(self, *_: object) -> None:
        self._catalog.context.meter.interrupt = None
        self.engine.close()

    def rows(self, tree: exp.Expr, limit: int | None = None) -> pa.Table:
        """What a SELECT gives. limit: no more rows than that."""
        query = tree.unnest() if isinstance(tree, exp.Subquery) else tree
        translate.check(query)
        fine = dialect.casts_finely(query)
        translate.resolve(query, self._find)
        type_checks.aliases(query, self._schema)
        type_checks.compared(query, self._schema)
        type_checks.dates(query, self._schema)
        sql = dialect.duckdb(translate.labelled(query))
        self._catalog.context.meter.alive()
        relation = self.engine.query(sql if limit is None else f"SELECT * FROM ({sql}) LIMIT {limit}")  # noqa: S608 - our own
        return relation if fine or self._fine else _coarse(relation)

    def sql(self, tree: exp.Expr) -> str:
        """DuckDB's text of a statement that changes a copied table, its other tables read."""
        translate.check(tree)
        translate.resolve(tree, self._find)
        return dialect.duckdb(tree)

    def _add(self, data: pa.Table) -> str:
        named = f"athena_{self._count}"
        self._count += 1
        self._schema[named] = self.engine.add(named, data)
        return named

    def _find(self, node: exp.Table) -> exp.Expr:
        if node.name == COPY:
            return node.copy()
        name = tables.name_of(node, self._catalog.context.database)
        if name.database == "information_schema":
            raise untranslated("information_schema")
        table = self._catalog.table(name)
        view = tables.view_of(table)
        if view is not None:
            translate.resolve(view, self._find)
            return exp.Subquery(this=view)
        read = tables.read(self._catalog, node, name, table)
        self._fine = self._fine or (read.fine and any(map(pa.types.is_timestamp, read.data.schema.types)))
        named = exp.table_(self._add(read.data))
        if not read.rows and len(read.columns) == len(read.data.column_names):
            return named
        columns = [exp.column(column, quoted=True) for column in read.columns]
        selection = exp.select(*columns).from_(named)
        return exp.Subquery(
            this=selection.where(translate.parse(f"SELECT {read.rows}").expressions[0])
            if read.rows
            else selection
        )


def rows(catalog: Catalog, tree: exp.Expr, limit: int | None = None) -> pa.Table:
    """What a SELECT gives."""
    with Query(catalog) as query:
        return query.rows(tree, limit)


def _coarse(data: pa.Table) -> pa.Table:
    """Timestamps in milliseconds: what a query has that neither reads nor asks for finer ones."""
    for index, field in enumerate(data.schema):
        if pa.types.is_timestamp(field.type) and not field.type.tz and field.type.unit == "us":
            column = types.milliseconds(data.column(index))
            data = data.set_column(index, pa.field(field.name, column.type), column)
    return data
