"""Reads the composite literals of Go source: as much of Go's grammar as schemas of providers are written in.

Nothing is executed. What is no literal (arithmetic, function bodies, conversions) becomes `Opaque`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)"
    r'|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)'
    r"|(?P<rune>'(?:[^'\\\n]|\\.)+')"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>\.\.\.|<-|:=|==|!=|<=|>=|&&|\|\||<<|>>|[-+*/%&|^<>!=(){}\[\],;:.])",
    re.DOTALL,
)
_DECLARED: Final = re.compile(r"^(?:func (?P<function>\w+)\(|var (?P<variable>\w+)[^=\n]*=)", re.MULTILINE)
_BINARY: Final = frozenset({"+", "-", "*", "/", "%", "|", "^", "<<", ">>", "==", "!=", "&&", "||", "<", ">"})


@dataclass(frozen=True)
class Name:
    """An identifier, with its package (`schema.TypeString`)."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call that is not made."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Opaque:
    """An expression that is no literal."""


@dataclass(frozen=True)
class Function:
    """`func() T {...}`, by the text of its body."""

    body: str


@dataclass
class Literal:
    """`T{...}`: keyed elements by their key, others in order."""

    type: str
    keyed: dict[Any, Any] = field(default_factory=dict[Any, Any])
    items: list[Any] = field(default_factory=list[Any])

    def get(self, name: str) -> Any:
        """The element of a field."""
        return self.keyed.get(name)


class Package:
    """One Go package: its top-level functions and variables, found by their names."""

    def __init__(self, folder: Path) -> None:
        self.source = "\n".join(
            file.read_text(encoding="utf-8")
            for file in sorted(folder.glob("*.go"))
            if not file.name.endswith("_test.go")
        )
        self._places = {
            match["function"] or match["variable"]: match for match in _DECLARED.finditer(self.source)
        }

    def body(self, function: str) -> str:
        """The text of a function, "" where there is none."""
        match = self._places.get(function)
        if match is None:
            return ""
        end = self.source.find("\n}\n", match.end())
        return self.source[match.end() : end if end > 0 else None]

    def value(self, name: str) -> Any:
        """The value of a variable, or what a function returns first; None where there is neither."""
        match = self._places.get(name)
        if match is None:
            return None
        if match["variable"]:
            return Parser(self.source, match.end()).expression()
        value = returned(self.body(name))
        return self.value(value.text) if isinstance(value, Name) and "." not in value.text else value


def returned(body: str) -> Any:
    """What a function returns first, nil apart; None where that is no expression."""
    for place in re.finditer(r"\breturn\s+(?=[&\w\[*])", body):
        value = Parser(body, place.end()).expression()
        if isinstance(value, Name):
            # `resource := &schema.Resource{...}` and later `return resource`.
            assignment = re.search(rf"\b{re.escape(value.text)}\s*:?=\s*(?=[&\w\[*])", body)
            return Parser(body, assignment.end()).expression() if assignment else value
        if value is not None:
            return value
    return None


class Parser:
    """Parses one expression at a place of a text."""

    def __init__(self, text: str, place: int = 0) -> None:
        self._text = text
        self._tokens = _tokens(text, place)
        self._kind, self._token, self._place = "", "", place
        self._next()

    def expression(self) -> Any:
        """The expression."""
        value = self._operand()
        while self._token in _BINARY:
            self._next()
            other = self._operand()
            value = value + other if isinstance(value, str) and isinstance(other, str) else Opaque()
        return value

    def _operand(self) -> Any:
        if self._token in ("&", "!", "-", "*", "<-"):
            sign = self._taken(self._token)
            value = self._operand()
            return -value if sign == "-" and isinstance(value, int | float) else value
        if self._kind == "text":
            return self._taken(_text(self._token))
        if self._kind == "rune":
            return self._taken(self._token)
        if self._kind == "number":
            return self._taken(_number(self._token))
        if self._token == "(":
            self._next()
            value = self.expression()
            self._expect(")")
            return self._after(value)
        if self._token == "[":
            return self._literal_or_conversion(self._type())
        if self._token == "func":
            return self._function()
        if self._kind != "name":
            raise SyntaxError(f"no expression: {self._token!r}")
        if self._token in ("map", "struct", "interface", "chan"):
            return self._literal_or_conversion(self._type())
        return self._after(self._named())

    def _named(self) -> Any:
        text = self._taken(self._token)
        while self._token == ".":
            self._next()
            if self._token == "(":
                self._skip("(", ")")
                return Opaque()
            text += f".{self._taken(self._token)}"
        return {"true": True, "false": False, "nil": None}.get(text, Name(text))

    def _after(self, value: Any) -> Any:
        while True:
            if self._token == "(":
                arguments = self._arguments()
                value = Call(value.text, arguments) if isinstance(value, Name) else Opaque()
            elif self._token == "{" and isinstance(value, Name):
                value = self._literal(value.text)
            elif self._token == "[":
                self._skip("[", "]")
                value = value if isinstance(value, Name) else Opaque()
            elif self._token == ".":
                self._next()
                self._next()
                value = Opaque()
            else:
                return value

    def _arguments(self) -> tuple[Any, ...]:
        arguments: list[Any] = []
        self._expect("(")
        while self._token != ")":
            arguments.append(self.expression())
            if self._token == "...":
                self._next()
            if self._token == ",":
                self._next()
        self._next()
        return tuple(arguments)

    def _literal_or_conversion(self, type: str) -> Any:
        if self._token == "{":
            return self._literal(type)
        if self._token == "(":
            self._skip("(", ")")
        return Opaque()

    def _literal(self, type: str) -> Literal:
        literal = Literal(type)
        self._expect("{")
        while self._token != "}":
            value = self._literal("") if self._token == "{" else self.expression()
            if self._token == ":":
                self._next()
                key = value.text if isinstance(value, Name) else value
                literal.keyed[key] = self._literal("") if self._token == "{" else self.expression()
            else:
                literal.items.append(value)
            if self._token == ",":
                self._next()
        self._next()
        return literal

    def _type(self) -> str:
        text = ""
        while self._token == "[":
            self._next()
            while self._token != "]":
                text += self._taken(self._token)
            self._next()
            text += "[]"
        if self._token == "map":
            self._next()
            self._skip("[", "]")
            return f"{text}map {self._type()}"
        if self._token == "*":
            self._next()
            return text + self._type()
        if self._token in ("interface", "struct"):
            self._next()
            self._skip("{", "}")
            return f"{text}any"
        if self._token == "func":
            self._function()
            return f"{text}func"
        text += self._taken(self._token)
        while self._token == ".":
            self._next()
            text += f".{self._taken(self._token)}"
        return text

    def _function(self) -> Any:
        """`func(...) T {...}`, or a type of it."""
        self._next()
        self._skip("(", ")")
        while self._token not in ("{", ",", ")", "}", ""):
            if self._token in ("interface", "struct"):
                self._next()
                self._skip("{", "}")
            elif self._token == "(":
                self._skip("(", ")")
            else:
                self._next()
        function: Any = Opaque()
        if self._token == "{":
            start = self._place
            self._skip("{", "}")
            function = Function(self._text[start : self._place])
        if self._token == "(":
            self._skip("(", ")")
        return function

    def _skip(self, opening: str, closing: str) -> None:
        depth = 0
        while True:
            if self._token == opening:
                depth += 1
            elif self._token == closing:
                depth -= 1
            elif not self._token:
                raise SyntaxError(f"no {closing}")
            self._next()
            if not depth:
                return

    def _expect(self, token: str) -> None:
        if self._token != token:
            raise SyntaxError(f"{token!r} expected, not {self._token!r}")
        self._next()

    def _taken(self, value: Any) -> Any:
        self._next()
        return value

    def _next(self) -> None:
        self._kind, self._token, self._place = next(self._tokens, ("", "", len(self._text)))


def _tokens(text: str, place: int) -> Iterator[tuple[str, str, int]]:
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise SyntaxError(f"no token of Go: {text[place : place + 20]!r}")
        place = match.end()
        if match.lastgroup and match.lastgroup != "skip":
            yield match.lastgroup, match[0], place


def _text(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1]
    return str(ast.literal_eval(token))


def _number(token: str) -> Any:
    try:
        return ast.literal_eval(token)
    except (SyntaxError, ValueError):
        return Opaque()
