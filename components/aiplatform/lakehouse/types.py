"""Iceberg's types, in the notation of declared columns: `decimal(10,2)`, `list<string>`,
`struct<city: required string, zip: string>`, `map<string, list<long>>`.

Names and limits are those of the Iceberg table spec ("Schemas and Data Types"), format version 2. Nested
fields are optional unless `required` precedes their type. Ids are not declared: `numbered` assigns them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeVar

from aiplatform._shared.args import nearest

T = TypeVar("T")

SIMPLE: Final = (
    "boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string", "uuid",
    "binary",
)  # fmt: skip
"""Primitive types without parameters."""
PARAMETRISED: Final = ("decimal(P,S)", "fixed[L]", "struct<name: type, ...>", "list<type>", "map<key, value>")
OF_VERSION_3: Final = frozenset(
    {"timestamp_ns", "timestamptz_ns", "unknown", "variant", "geometry", "geography"}
)
SYNONYMS: Final = {
    "bigint": "long", "bool": "boolean", "bytes": "binary", "char": "string", "datetime": "timestamp",
    "float32": "float", "float64": "double", "int32": "int", "int64": "long", "integer": "int",
    "numeric": "decimal(P,S)", "real": "float", "smallint": "int", "str": "string", "text": "string",
    "tinyint": "int", "varchar": "string", "array": "list<type>", "row": "struct<name: type, ...>",
}  # fmt: skip
"""Names of SQL and Python -> Iceberg's type."""

MOST_DIGITS: Final = 38
DEEPEST: Final = 32
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ColumnTypeError(ValueError):
    """A text that is no Iceberg type; states the expected ones."""


@dataclass(frozen=True)
class Primitive:
    """A type without parts. name: `long`, `decimal(10,2)`, `fixed[16]`."""

    name: str

    @property
    def family(self) -> str:
        """Its name without parameters."""
        return re.split(r"[(\[]", self.name)[0]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Field:
    """A column of a table, or a field of a struct."""

    name: str
    type: "Type"
    required: bool = False
    doc: str | None = None

    def __str__(self) -> str:
        return f"{self.name}: {'required ' if self.required else ''}{self.type}"


@dataclass(frozen=True)
class Struct:
    """Named fields."""

    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return f"struct<{', '.join(map(str, self.fields))}>"


@dataclass(frozen=True)
class List:
    """Elements of one type."""

    element: "Type"
    required: bool = False

    def __str__(self) -> str:
        return f"list<{'required ' if self.required else ''}{self.element}>"


@dataclass(frozen=True)
class Map:
    """Keys, which are never null, and values."""

    key: "Type"
    value: "Type"
    required: bool = False

    def __str__(self) -> str:
        return f"map<{self.key}, {'required ' if self.required else ''}{self.value}>"


Type = Primitive | Struct | List | Map


def leaves(path: str, kind: Type) -> Iterator[str]:
    """Return the paths of the primitive parts of a column in Iceberg's form: `tags.element`, `labels.key`."""
    if isinstance(kind, Primitive):
        yield path
        return
    if isinstance(kind, Struct):
        parts = [(field.name, field.type) for field in kind.fields]
    elif isinstance(kind, List):
        parts = [("element", kind.element)]
    else:
        parts = [("key", kind.key), ("value", kind.value)]
    for name, part in parts:
        yield from leaves(f"{path}.{name}", part)


def parse(text: str) -> Type:
    """Return the type that a text names. Raises ColumnTypeError."""
    reader = _Reader(text)
    parsed = reader.type(0)
    reader.end()
    return parsed


def type_rule(value: str) -> str | None:
    """A rule for a column's type."""
    try:
        parse(value)
    except ColumnTypeError as error:
        return str(error)
    return None


def column_name(value: str) -> str | None:
    """A rule for the names of columns, fields, tables: those that every engine reads unquoted and that Glue
    does not change (it converts to lower case)."""
    if _NAME.fullmatch(value) and len(value) <= 255:
        return None
    return "expected lower-case letters, digits and _, at most 255, no digit first"


def find(fields: Sequence[Field], path: str) -> Type | None:
    """Return the type at a dotted path through structs (`customer.id`): what a partition or an order may
    refer to. Not inside of lists and maps."""
    name, _, rest = path.partition(".")
    for field in fields:
        if field.name == name:
            if not rest:
                return field.type
            return find(field.type.fields, rest) if isinstance(field.type, Struct) else None
    return None


@dataclass(frozen=True)
class Numbered:
    """A schema with its ids."""

    fields: tuple[dict[str, Any], ...]
    """The columns in the JSON form of the spec ("Appendix C: JSON serialization")."""

    def id_of(self, path: str) -> int:
        """Return the id of the column or field at a dotted path."""
        name, _, rest = path.partition(".")
        field = next(field for field in self.fields if field["name"] == name)
        return Numbered(tuple(field["type"]["fields"])).id_of(rest) if rest else int(field["id"])


def numbered(fields: Sequence[Field]) -> Numbered:
    """Assign ids from 1 as Iceberg's libraries do in a new table: the fields of a struct first, then their
    parts."""
    ids = count(1)
    return Numbered(tuple(_fields(fields, ids)))


def _fields(fields: Sequence[Field], ids: Iterator[int]) -> list[dict[str, Any]]:
    numbers = [next(ids) for _ in fields]
    return [
        {
            "id": number,
            "name": field.name,
            "required": field.required,
            "type": _json(field.type, ids),
            **({"doc": field.doc} if field.doc else {}),
        }
        for number, field in zip(numbers, fields, strict=True)
    ]


def _json(kind: Type, ids: Iterator[int]) -> Any:
    if isinstance(kind, Primitive):
        # The spec's JSON has the same notation of decimal(10,2), without a space.
        return kind.name
    if isinstance(kind, Struct):
        return {"type": "struct", "fields": _fields(kind.fields, ids)}
    if isinstance(kind, List):
        element = next(ids)
        return {
            "type": "list",
            "element-id": element,
            "element": _json(kind.element, ids),
            "element-required": kind.required,
        }
    key, value = next(ids), next(ids)
    return {
        "type": "map",
        "key-id": key,
        "key": _json(kind.key, ids),
        "value-id": value,
        "value": _json(kind.value, ids),
        "value-required": kind.required,
    }


class _Reader:
    """A parser: the text, and the position in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def type(self, depth: int) -> Type:
        if depth > DEEPEST:
            raise ColumnTypeError(f"expected at most {DEEPEST} types in each other")
        name = self._word("a type")
        if name == "struct":
            return self._between("<", ">", lambda: self._members(depth))
        if name == "list":
            return self._between("<", ">", lambda: self._elements(depth))
        if name == "map":
            return self._between("<", ">", lambda: self._entries(depth))
        if name == "decimal":
            return self._between("(", ")", self._decimal)
        if name == "fixed":
            return self._between("[", "]", self._fixed)
        return _simple(name)

    def end(self) -> None:
        self._space()
        if self.at < len(self.text):
            raise ColumnTypeError(f"expected nothing after the type, found {self.text[self.at :]!r}")

    def _elements(self, depth: int) -> List:
        required, element = self._may_be_required(depth)
        return List(element, required)

    def _members(self, depth: int) -> Struct:
        fields: list[Field] = []
        while True:
            name = self._word("the name of a field")
            reason = column_name(name)
            if reason:
                raise ColumnTypeError(f"field {name!r}: {reason}")
            if any(field.name == name for field in fields):
                raise ColumnTypeError(f"field {name!r} occurs twice; expected each only once")
            self._expect(":")
            required, kind = self._may_be_required(depth)
            fields.append(Field(name, kind, required))
            if not self._take(","):
                return Struct(tuple(fields))

    def _entries(self, depth: int) -> Map:
        key = self.type(depth + 1)
        self._expect(",")
        required, value = self._may_be_required(depth)
        return Map(key, value, required)

    def _may_be_required(self, depth: int) -> tuple[bool, Type]:
        before = self.at
        required = self._word("a type") == "required"
        if not required:
            self.at = before
        return required, self.type(depth + 1)

    def _decimal(self) -> Primitive:
        precision = self._number("digits")
        self._expect(",")
        scale = self._number("digits after the point")
        if not 1 <= precision <= MOST_DIGITS or scale > precision:
            raise ColumnTypeError(
                f"decimal({precision},{scale}): expected 1 to {MOST_DIGITS} digits, no more after the point"
            )
        return Primitive(f"decimal({precision},{scale})")

    def _fixed(self) -> Primitive:
        size = self._number("bytes")
        if size < 1:
            raise ColumnTypeError("fixed[0]: expected at least 1 byte")
        return Primitive(f"fixed[{size}]")

    def _between(self, left: str, right: str, inner: Callable[[], T]) -> T:
        self._expect(left)
        content = inner()
        self._expect(right)
        return content

    def _word(self, what: str) -> str:
        self._space()
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise ColumnTypeError(f"expected {what}{self._here()}")
        self.at = word.end()
        return word[0]

    def _number(self, what: str) -> int:
        self._space()
        number = re.compile(r"\d{1,9}").match(self.text, self.at)
        if number is None:
            raise ColumnTypeError(f"expected a number of {what}{self._here()}")
        self.at = number.end()
        return int(number[0])

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ColumnTypeError(f"expected {sign!r}{self._here()}")

    def _take(self, sign: str) -> bool:
        self._space()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def _here(self) -> str:
        read, rest = self.text[: self.at].strip(), self.text[self.at :].strip()
        return (f" after {read!r}" if read else "") + (f", found {rest!r}" if rest else "")


def _simple(name: str) -> Primitive:
    if name in SIMPLE:
        return Primitive(name)
    if name in OF_VERSION_3:
        raise ColumnTypeError(
            f"{name!r} is a type of Iceberg's format version 3, and tables here are of version 2"
        )
    if name.lower() in SYNONYMS:
        raise ColumnTypeError(f"expected Iceberg's own name for {name!r}: {SYNONYMS[name.lower()]}")
    known = ", ".join((*SIMPLE, *PARAMETRISED))
    raise ColumnTypeError(
        f"expected one of {known}{nearest(name, (*SIMPLE, 'decimal', 'fixed', 'list', 'map'))}"
    )
