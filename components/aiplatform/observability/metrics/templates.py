"""Templates in the texts of alerts: what Prometheus would refuse, before anything is registered.

They are Go's (text/template of Go 1.26) with the functions and variables of Prometheus 3.14
(template/template.go, rules/alerting.go). What they evaluate to is not known here. Go accepts a pipe without
a function after it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiplatform._shared.problems import nearest

FUNCTIONS: Final = (
    # Go's.
    *("and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print"),
    *("printf", "println", "slice", "urlquery"),
    # Prometheus'.
    *("args", "externalURL", "first", "graphLink", "humanize", "humanize1024", "humanizeDuration"),
    *("humanizePercentage", "humanizeTimestamp", "label", "match", "now", "parseDuration", "pathPrefix"),
    *("query", "reReplaceAll", "safeHtml", "sortByLabel", "stripDomain", "stripPort", "strvalue"),
    *("tableLink", "title", "tmpl", "toDuration", "toLower", "toTime", "toUpper", "urlQueryEscape", "value"),
)
VARIABLES: Final = ("$", "$labels", "$externalLabels", "$externalURL", "$value")
_FIELDS: Final = (".Labels", ".ExternalLabels", ".ExternalURL", ".Value")
_OPEN: Final = re.compile(r"\{\{(?:-\s)?")
_COMMENT: Final = re.compile(r"/\*(?:[^*]|\*(?!/))*\*/(?:\s-)?\}\}")
_CLOSE: Final = re.compile(r"(?:\s+-)?\}\}")
_ENDS: Final = r"(?=[\s.,|:()]|-?\}\}|$)"
"""What is after a word."""
_ESCAPE: Final = r"\\(?:[abfnrtv\\%s]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
_TOKEN: Final = re.compile(
    r"(?P<space>\s+)"
    rf'|(?P<text>"(?:[^"\\\n]|{_ESCAPE % chr(34)})*"|`[^`]*`)'
    rf"|(?P<number>'(?:[^'\\\n]|{_ESCAPE % chr(39)})'"
    r"|[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)i?(?!\w))"
    rf"|(?P<field>\.[^\W\d]\w*{_ENDS})"
    rf"|(?P<variable>\$\w*{_ENDS})"
    rf"|(?P<name>[^\W\d]\w*{_ENDS})"
    r"|(?P<mark>:=|[=|(),.])"
)
_LITERALS: Final = ("text", "number", "constant", "dot")


class _TemplateError(ValueError):
    """A template that does not parse."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


@dataclass
class _Block:
    keyword: str
    variables: list[str]
    """Those that are known after it."""
    has_else: bool = False


@dataclass
class _Template:
    """The state between two actions (`{{ ... }}`)."""

    variables: list[str] = field(default_factory=lambda: list(VARIABLES))
    blocks: list[_Block] = field(default_factory=list[_Block])


def problem(text: str) -> str | None:
    """Return what is wrong with the text of an alert, or None."""
    try:
        _check(text)
    except _TemplateError as error:
        return f"does not parse: {error}; expected a template of Prometheus as in {{{{ $labels.namespace }}}}"
    return None


def _check(text: str) -> None:
    template = _Template()
    for tokens in _actions(text):
        _action(template, _Reader(tokens, template))
    if template.blocks:
        raise _TemplateError(f"{{{{{template.blocks[-1].keyword}}}}} has no {{{{end}}}}")


def _actions(text: str) -> Iterator[list[_Token]]:
    position = 0
    while opened := _OPEN.search(text, position):
        position = opened.end()
        if text.startswith("/*", position):
            comment = _COMMENT.match(text, position)
            if comment is None:
                raise _TemplateError("a comment that does not end with `*/}}`")
            position = comment.end()
            continue
        tokens: list[_Token] = []
        while (closed := _CLOSE.match(text, position)) is None:
            token = _TOKEN.match(text, position)
            if token is None:
                raise _TemplateError(_unreadable(text, opened.start(), position))
            tokens.append(_Token(str(token.lastgroup), token.group()))
            position = token.end()
        position = closed.end()
        yield tokens


def _unreadable(text: str, start: int, position: int) -> str:
    rest = text[position:]
    if not rest or "}}" not in rest:
        return f"unclosed action {text[start : start + 40]!r}"
    if rest[0] in "\"`'":
        return f"text without an end, or with an unknown escape: {rest[:40]!r}"
    return f"unexpected {rest[:20]!r}"


def _action(template: _Template, reader: "_Reader") -> None:
    reader.skip()
    keyword = reader.word()
    match keyword:
        case "if" | "with" | "range":
            _opened(template, keyword, reader)
        case "block":
            reader.name(keyword)
            _opened(template, keyword, reader)
        case "define":
            if template.blocks:
                raise _TemplateError("{{define}} inside of a block")
            reader.name(keyword)
            template.blocks.append(_Block(keyword, template.variables))
            template.variables = ["$"]
        case "else":
            _alternative(template, reader)
        case "end":
            if not template.blocks:
                raise _TemplateError("{{end}} without a beginning")
            template.variables = template.blocks.pop().variables
        case "template":
            reader.name(keyword)
            if not reader.done():
                reader.pipeline()
        case "break" | "continue":
            if not any(block.keyword == "range" for block in template.blocks):
                raise _TemplateError(f"{{{{{keyword}}}}} outside of {{{{range}}}}")
        case _:
            reader.back()
            reader.pipeline()
    reader.finish()


def _opened(template: _Template, keyword: str, reader: "_Reader") -> None:
    block = _Block(keyword, list(template.variables))
    reader.pipeline(pair=keyword == "range")
    template.blocks.append(block)


def _alternative(template: _Template, reader: "_Reader") -> None:
    block = template.blocks[-1] if template.blocks else None
    if block is None or block.keyword not in ("if", "with", "range"):
        raise _TemplateError("{{else}} without a beginning")
    if block.has_else:
        raise _TemplateError("a second {{else}}")
    reader.skip()
    if reader.done():
        block.has_else = True
    elif reader.word() == block.keyword and block.keyword != "range":
        reader.pipeline()
    else:
        raise _TemplateError(f"{{{{else}}}} of {{{{{block.keyword}}}}} with further words")


class _Reader:
    """The tokens of one action."""

    def __init__(self, tokens: list[_Token], template: _Template) -> None:
        self._tokens, self._template = tokens, template
        self._position = 0

    def skip(self) -> None:
        """Skip spaces."""
        while self._is("space"):
            self._position += 1

    def word(self) -> str | None:
        """Read a word; None where there is none."""
        token = self._peek()
        self._position += 1
        return token.text if token is not None and token.kind == "name" else None

    def back(self) -> None:
        """Read the last token again."""
        self._position -= 1

    def done(self) -> bool:
        """Return whether nothing but spaces is left."""
        self.skip()
        return self._peek() is None

    def finish(self) -> None:
        """Refuse what is left."""
        if not self.done():
            raise _TemplateError(f"unexpected {self._text()!r}")

    def name(self, keyword: str) -> None:
        """Read the name of a template."""
        self.skip()
        if not self._is("text"):
            raise _TemplateError(f"{{{{{keyword}}}}} without a name in quotes")
        self._position += 1

    def pipeline(self, *, pair: bool = False) -> None:
        """Read declarations and commands. pair: whether two variables may be declared."""
        self._declarations(pair=pair)
        first = True
        while True:
            kinds = self._command()
            if not first and kinds[0] in (*_LITERALS, "pipeline"):
                raise _TemplateError("a value after `|`, where a function is expected")
            first = False
            if not self._take("|"):
                return

    def _declarations(self, *, pair: bool) -> None:
        start, names = self._position, list[str]()
        while True:
            self.skip()
            if not self._is("variable"):
                break
            names.append(self._text())
            self._position += 1
            if self._take(":=") or self._take("="):
                self._template.variables.extend(names)
                return
            if not (pair and len(names) == 1 and self._take(",")):
                break
        self._position = start

    def _command(self) -> list[str]:
        kinds: list[str] = []
        while True:
            self.skip()
            if self._peek() is None or self._is_mark("|") or self._is_mark(")"):
                break
            kinds.append(self._operand())
            if not (self._peek() is None or self._is("space") or self._is_mark("|") or self._is_mark(")")):
                raise _TemplateError(f"unexpected {self._text()!r}")
        if not kinds:
            raise _TemplateError("a command without a value")
        return kinds

    def _operand(self) -> str:
        kind = self._term()
        if self._is("field") and kind in _LITERALS:
            raise _TemplateError(f"unexpected {self._text()!r} after a value")
        while self._is("field"):
            self._position += 1
        return kind

    def _term(self) -> str:
        token = self._tokens[self._position]
        self._position += 1
        if token.kind == "name":
            return _constant_or_function(token.text)
        if token.kind == "variable":
            _known(token.text, self._template.variables, "variable")
            if token.text == "$":
                self._root(self._peek())
        elif token.kind == "field":
            self._root(token)
        elif token.text == "(":
            self.pipeline()
            if not self._take(")"):
                raise _TemplateError("a parenthesis that is not closed")
            return "pipeline"
        elif token.text == ".":
            return "dot"
        elif token.kind == "mark":
            raise _TemplateError(f"unexpected {token.text!r}")
        return token.kind

    def _root(self, token: _Token | None) -> None:
        """Refuse an unknown field of the data, where the dot is still that."""
        if token is None or token.kind != "field":
            return
        if not any(block.keyword != "if" for block in self._template.blocks):
            _known(token.text, _FIELDS, "field")

    def _peek(self) -> _Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _text(self) -> str:
        token = self._peek()
        return token.text if token is not None else ""

    def _is(self, kind: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == kind

    def _is_mark(self, text: str) -> bool:
        return self._is("mark") and self._text() == text

    def _take(self, text: str) -> bool:
        start = self._position
        self.skip()
        if self._is_mark(text):
            self._position += 1
            return True
        self._position = start
        return False


def _constant_or_function(name: str) -> str:
    if name in ("true", "false", "nil"):
        return "constant"
    _known(name, FUNCTIONS, "function")
    return "name"


def _known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise _TemplateError(f"unknown {what} {name}{nearest(name, known)}")
