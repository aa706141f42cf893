"""Filters and conditions as Google's services parse them. None of them is evaluated here but a few of IAM's.

Sources: "Logging query language" (Cloud Logging), "Filter messages from a subscription" (Pub/Sub),
"Monitoring filters" (Cloud Monitoring), "Attribute reference for IAM Conditions" (IAM).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from twin.gcp.api_server.errors import invalid

if TYPE_CHECKING:
    from lark import Lark

_LONGEST: Final = {"logging": 20_000, "pubsub": 256, "monitoring": 2_048}
"""Characters of a filter."""
_ATTRIBUTES: Final = frozenset({"api", "destination", "request", "resource"})


def check(language: str, text: str, field: str) -> None:
    """Refuse what is no filter of a service: `logging`, `pubsub` or `monitoring`. Raises 400."""
    from lark.exceptions import UnexpectedInput

    if len(text.encode()) > _LONGEST[language]:
        raise invalid(f"Invalid {field}: it has more than {_LONGEST[language]} characters.")
    try:
        _parser(language).parse(text)
    except UnexpectedInput as error:
        raise invalid(
            f"Unparseable {field}: syntax error at line {error.line}, column {error.column}: {text!r}."
        ) from error


def check_condition(expression: str) -> None:
    """Refuse a condition of a binding that does not parse, or names what IAM does not know. Raises 400."""
    import celpy
    from celpy.celparser import CELParseError

    try:
        tree = celpy.Environment().compile(expression)
    except CELParseError as error:
        raise invalid(f"Error compiling the condition expression {expression!r}: syntax error.") from error
    for name in (str(node.children[0]) for node in tree.find_data("ident")):
        if name not in _ATTRIBUTES:
            raise invalid(
                f"Error compiling the condition expression {expression!r}: undeclared reference to '{name}'."
            )


@cache
def _parser(language: str) -> Lark:
    from lark import Lark

    return Lark.open(f"{language}.lark", rel_to=__file__, parser="lalr")
