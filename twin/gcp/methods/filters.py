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

_TERMS: Final = r"""
    STRING: /"(?:[^"\\]|\\.)*"/
    %import common.WS
    %ignore WS
"""
_LOGGING: Final = (
    r"""
    start: [_all]
    _all: _any ("AND"? _any)*
    _any: _term ("OR" _term)*
    _term: ("NOT" | "-") _term | "(" _all ")" | comparison | call | search
    comparison: FIELD OPERATOR _value
    _value: _one | "(" _values ")"
    _values: _one (("AND" | "OR")? _one)*
    _one: TEXT | STRING | call | "NOT" _one
    call: NAME "(" [_one ("," _one)*] ")"
    search: TEXT | STRING
    FIELD.3: /(?:[\w.\-\/\[\]@$*%]+|"(?:[^"\\]|\\.)*")+(?=\s*(?:=~|!~|!=|<=|>=|=|<|>|:))/
    NAME.2: /[A-Za-z_]+(?=\()/
    OPERATOR: "=~" | "!~" | "!=" | "<=" | ">=" | "=" | "<" | ">" | ":"
    TEXT: /(?!(?:AND|OR|NOT)\b)[^\s()"=<>!:~,]+/
    COMMENT: /--[^\n]*/
    %ignore COMMENT
"""
    + _TERMS
)
_PUBSUB: Final = (
    r"""
    start: _term | _term ("AND" _term)+ | _term ("OR" _term)+
    _term: ("NOT" | "-") _term | "(" start ")" | has | comparison | prefix
    has: "attributes" ":" _key
    comparison: "attributes" "." _key ("=" | "!=") STRING
    prefix: "hasPrefix" "(" "attributes" "." _key "," STRING ")"
    _key: KEY | STRING
    KEY: /[A-Za-z_][\w\-]*/
"""
    + _TERMS
)
_MONITORING: Final = (
    r"""
    start: _term (("AND" | "OR")? _term)*
    _term: ("NOT" | "-") _term | "(" start ")" | comparison | call
    comparison: FIELD OPERATOR _value
    _value: STRING | NUMBER | WORD | call | "(" _value ("OR" _value)* ")"
    call: WORD "(" _value ("," _value)* ")"
    FIELD: /[A-Za-z_][\w]*(?:\.(?:\w+|"(?:[^"\\]|\\.)*"))*(?=\s*(?:!=|<=|>=|=|<|>|:))/
    OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | ":"
    WORD: /(?!(?:AND|OR|NOT)\b)[A-Za-z_][\w.]*/
    NUMBER: /-?\d+(?:\.\d+)?/
"""
    + _TERMS
)
_GRAMMARS: Final = {"logging": _LOGGING, "pubsub": _PUBSUB, "monitoring": _MONITORING}
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

    return Lark(_GRAMMARS[language], parser="lalr")
