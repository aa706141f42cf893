"""One execution from text to outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twin.aws.services.athena.queries import ddl, queries, results, statements, translate, writes
from twin.aws.services.athena.queries.errors import QueryFailed
from twin.aws.services.athena.queries.request import QueryContext
from twin.aws.services.athena.queries.results import Outcome
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.tables import Catalog


def read(sql: str, parameters: Sequence[str]) -> Statement:
    """Take a statement apart, with its parameters filled in."""
    statement = statements.read(sql)
    if statement.tree is not None:
        translate.fill(statement.tree, parameters)
    return statement


def run(context: QueryContext, statement: Statement) -> Outcome:
    """Do what a statement says. Raises QueryFailed."""
    catalog = Catalog(context)
    try:
        if statement.type != statements.DML and statement.kind not in _WRITES:
            return ddl.run(catalog, statement)
        return _WRITES.get(statement.kind, _select)(catalog, statement)
    except NotImplementedError as error:
        raise QueryFailed(f"NOT_SUPPORTED: the twin's Athena: {error}") from None


def _select(catalog: Catalog, statement: Statement) -> Outcome:
    return results.of_arrow(queries.rows(catalog, statement.tree.copy()))


_WRITES: Final[dict[str, Callable[[Catalog, Statement], Outcome]]] = {
    "CREATE_TABLE_AS_SELECT": writes.create_as,
    "INSERT": writes.insert,
    "UNLOAD": writes.unload,
    **dict.fromkeys(("UPDATE", "DELETE", "MERGE"), writes.change),
}
