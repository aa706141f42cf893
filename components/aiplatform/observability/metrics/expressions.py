"""PromQL expressions: the metrics that they name, and what is wrong with them.

They are parsed by promql-parser, which follows Prometheus 2.45 and refuses what later versions added, such
as arithmetic in durations.
"""

from collections.abc import Iterable

import promql_parser

from aiplatform._shared.problems import nearest

_NAME_LABEL = "__name__"
_NO_VECTOR = (promql_parser.MatrixSelector, promql_parser.SubqueryExpr, promql_parser.StringLiteral)


def metric_names(expression: str) -> frozenset[str]:
    """Return the names of the metrics in an expression. Raises ValueError where it does not parse, or where a
    selector has no name of a metric, but a pattern for it or other labels only."""
    names: set[str] = set()
    anonymous: list[str] = []

    def visit(node: promql_parser.Expr) -> None:
        if not isinstance(node, promql_parser.VectorSelector):
            return
        name = node.name or _matched_name(node)
        if name is None:
            anonymous.append(node.prettify())
        else:
            names.add(name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    if anonymous:
        raise ValueError(f"the selector {anonymous[0]} names no metric")
    return frozenset(names)


def problem(expression: str, known: Iterable[str]) -> str | None:
    """Return what is wrong with an expression, or None. known: the names of the series that exist."""
    try:
        names = metric_names(expression)
        root = promql_parser.parse(expression)
    except ValueError as error:
        return f"does not parse: {error}; expected a PromQL expression"
    while isinstance(root, promql_parser.ParenExpr):
        root = root.expr
    # A rule with it parses, and fails at each evaluation ("rule result is not a vector or scalar").
    if isinstance(root, _NO_VECTOR):
        return f"{root.prettify()} is a range or a text; expected a value for each series, as by rate()"
    return unknown_metric(names, frozenset(known))


def unknown_metric(names: Iterable[str], known: frozenset[str]) -> str | None:
    """Return the problem with the first name that is not known, or None."""
    for name in sorted(names):
        if name not in known:
            return f"unknown metric {name!r}{nearest(name, known)}"
    return None


def _matched_name(selector: promql_parser.VectorSelector) -> str | None:
    for matcher in selector.matchers.matchers:
        if matcher.name == _NAME_LABEL and matcher.op == promql_parser.MatchOp.Equal:
            return matcher.value
    return None
