"""A statement of Athena's as one of DuckDB's; what the one has and the other has not is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from twin.aws.services.athena.queries.dialect import KNOWN, WRITTEN
from twin.aws.services.athena.queries.errors import SYNTAX, QueryFailed

logging.getLogger("sqlglot").setLevel(logging.ERROR)
DIALECT: Final = "athena"


def parse(sql: str) -> exp.Expr:
    """The one statement of a text. Raises QueryFailed where there is none, or more, or it cannot be
    read."""
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect=DIALECT) if statement is not None]
    except (ParseError, TokenError) as error:
        details: Any = getattr(error, "errors", None) or [{}]
        first = details[0]
        where = f"line {first['line']}:{first['col']}: " if first.get("line") else ""
        what = first.get("description") or str(error).splitlines()[0]
        raise QueryFailed(f"SYNTAX_ERROR: {where}{what}", SYNTAX) from None
    if len(statements) != 1:
        raise QueryFailed(f"Only one sql statement is allowed. Got: {sql}", SYNTAX)
    return statements[0]


def fill(tree: exp.Expr, parameters: Sequence[str]) -> exp.Expr:
    """The statement with its `?` filled in, in order, each by an SQL literal as Athena takes it."""
    holes = [node for node in tree.find_all(exp.Placeholder, bfs=False) if not node.this]
    if len(holes) != len(parameters):
        raise QueryFailed(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(holes)} but found "
            f"{len(parameters)}",
            SYNTAX,
        )
    for hole, text in zip(holes, parameters, strict=True):
        hole.replace(parse(f"SELECT {text}").expressions[0])
    return tree


def check(tree: exp.Expr) -> None:
    """Refuse what sqlglot reads and Trino does not."""
    for node in tree.walk():
        why = _FOREIGN.get(type(node), lambda _: "")(node)
        if why:
            raise QueryFailed(f"SYNTAX_ERROR: {why}", SYNTAX)


def name_functions(tree: exp.Expr, sql: str) -> None:
    """Note the name that each function has in the text, and refuse those that Trino has not."""
    for node in tree.find_all(exp.Func):
        begin, end = node.meta.get("start"), node.meta.get("end")
        name = sql[begin : end + 1] if begin is not None and end is not None else ""
        if not name.replace("_", "a").isalnum():
            continue
        node.meta[WRITTEN] = name.lower()
        if name.lower() not in KNOWN:
            at = f"line {node.meta.get('line', 1)}:{node.meta.get('col', 1)}"
            raise QueryFailed(f"FUNCTION_NOT_FOUND: {at}: Function '{name.lower()}' not registered", SYNTAX)


def _star(node: Any) -> str:
    return "mismatched input 'EXCEPT'" if node.args.get("except_") or node.args.get("replace") else ""


_FOREIGN: Final[dict[type[Any], Callable[[Any], str]]] = {
    exp.Qualify: lambda _: "mismatched input 'QUALIFY'",
    exp.Pivot: lambda _: "mismatched input 'PIVOT'",
    exp.ILike: lambda _: "mismatched input 'ILIKE'",
    exp.Star: _star,
    exp.Distinct: lambda node: "mismatched input 'ON'" if node.args.get("on") else "",
    exp.Group: lambda node: "Column 'all' cannot be resolved" if node.args.get("all") else "",
}


def written(sql: str) -> None:
    """Refuse what a query's text shows and its tree does not: `::`, files as tables and so on."""
    tokens = sqlglot.tokenize(sql, dialect=DIALECT)
    before, inside = "", list[str]()
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        at = f"line {token.line}:{token.col}"
        if token.token_type == TokenType.DCOLON:
            raise QueryFailed(f"SYNTAX_ERROR: {at}: mismatched input '::'", SYNTAX)
        if after is None:
            return
        if token.token_type == TokenType.L_PAREN:
            inside.append(before)
        elif token.token_type == TokenType.R_PAREN and inside:
            inside.pop()
        before = token.text.upper()
        file = after.token_type == TokenType.STRING and before in ("FROM", "JOIN")
        if file and (not inside or inside[-1] not in _FROM_INSIDE):
            raise QueryFailed(
                f"SYNTAX_ERROR: {at}: mismatched input ''{after.text}''. Expecting: '('", SYNTAX
            )
        why = _foreign_words(token, after)
        if why:
            raise QueryFailed(f"SYNTAX_ERROR: {at}: {why}", SYNTAX)


_PARSED_APART: Final = frozenset(Dialect.get_or_raise("trino").parser_class.FUNCTION_PARSERS) - {
    name.upper() for name in KNOWN
}
"""Functions that sqlglot reads by grammars of those functions, and Trino has not."""

_FROM_INSIDE: Final = ("TRIM", "EXTRACT", "SUBSTRING", "POSITION", "OVERLAY")


def _foreign_words(token: Any, after: Any) -> str:
    """What two words next to each other have that Trino's grammar has not."""
    word, following = token.text.upper(), after.text.upper()
    if following == "(" and token.token_type == TokenType.VAR and word in _PARSED_APART:
        return f"Function '{token.text.lower()}' not registered"
    if word == "INTERVAL" and after.token_type == TokenType.NUMBER:
        return f"mismatched input '{after.text}'. Expecting: '+', '-', <string>"
    if word == "," and following == "FROM":
        return "mismatched input 'FROM'. Expecting: <expression>"
    if word == "==":
        return "mismatched input '='. Expecting: <expression>"
    if token.token_type == TokenType.NUMBER and following == "OFFSET":
        return "mismatched input 'OFFSET'. Expecting: <EOF>"  # it is before LIMIT
    return ""


def labelled(select: exp.Expr) -> exp.Expr:
    """The query with `_col0`, `_col1`... where its columns have no name, as Trino names them."""
    inner: Any = select
    while isinstance(inner, exp.SetOperation | exp.Subquery):
        inner = inner.this
    if isinstance(inner, exp.Select):
        for at, column in enumerate(inner.expressions):
            named = isinstance(column, exp.Alias | exp.Column | exp.Star | exp.Dot) or column.is_star
            if not named:
                column.replace(exp.alias_(column.copy(), f"_col{at}", quoted=True))
    return select


Resolve = Callable[[exp.Table], exp.Expr]


def resolve(tree: exp.Expr, find: Resolve) -> None:
    """Put what `find` gives in the place of each table that is no common table expression's name."""
    for node in list(tree.find_all(exp.Table)):
        if isinstance(node.this, exp.Func) or node.parent is None:
            continue
        if not node.db and node.name.lower() in _common(node):
            continue
        replacement = find(node)
        alias = node.args.get("alias")
        table_alias = (
            alias.copy()
            if alias
            else exp.TableAlias(this=exp.to_identifier(node.name.partition("$")[0], quoted=True))
        )
        replacement.set("alias", table_alias)
        for part in ("joins", "laterals", "sample"):
            if node.args.get(part):
                replacement.set(part, node.args[part])
        node.replace(replacement)
    for column in tree.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)


def _common(node: exp.Expr) -> set[str]:
    """Names of the common table expressions that a node sees: within one of them, those before it alone."""
    names: set[str] = set()
    within: list[Any] = [node]
    above: Any = node.parent
    while above is not None:
        clause = above.args.get("with_")
        for expression in clause.expressions if clause else ():
            inside = any(expression is one for one in within)
            if not inside or clause.recursive:
                names.add(expression.alias.lower())
            if inside:
                break
        within.append(above)
        above = above.parent
    return names
