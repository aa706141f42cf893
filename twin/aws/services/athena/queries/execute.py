"""One execution from text to outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from twin.aws.services.athena.queries import ddl, queries, results, statements, translate, writes
from twin.aws.services.athena.queries.errors import QueryFailed
from twin.aws.services.athena.queries.request import QueryContext
from twin.aws.services.athena.queries.results import Outcome
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.tables import Catalog

Prepared = Callable[[str], str | None]


def read(sql: str, parameters: Sequence[str], prepared: Prepared) -> Statement:
    """Take a statement apart, a prepared one too. prepared: the text of a prepared statement by its name."""
    statement = statements.read(sql)
    if statement.kind == "EXECUTE":
        name = statement.parts["name"]
        text = prepared(name)
        if text is None:
            raise QueryFailed(f"NOT_FOUND: Prepared statement not found: {name}")
        using = statement.parts.get("using", "")
        expressions = (
            [
                expression.sql(dialect=translate.DIALECT)
                for expression in translate.parse(f"SELECT {using}").expressions
            ]
            if using
            else list(parameters)
        )
        statement, parameters = statements.read(text), expressions
    if statement.tree is not None:
        translate.fill(statement.tree, parameters)
    return statement


def run(context: QueryContext, statement: Statement) -> Outcome:
    """Do what a statement says. Raises QueryFailed."""
    catalog = Catalog(context)
    try:
        if statement.kind == "SELECT":
            tree: Any = statement.tree
            return results.of_arrow(queries.rows(catalog, tree.copy()))
        return _WRITES.get(statement.kind, ddl.run)(catalog, statement)
    except NotImplementedError as error:
        raise QueryFailed(f"NOT_SUPPORTED: the twin's Athena: {error}") from None


_WRITES: Final[dict[str, Callable[[Catalog, Statement], Outcome]]] = {
    "CREATE_TABLE_AS_SELECT": writes.create_as,
    "INSERT": writes.insert,
    "UNLOAD": writes.unload,
    "UPDATE": writes.change,
    "DELETE": writes.change,
    "MERGE": writes.change,
}
