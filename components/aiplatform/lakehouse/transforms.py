"""Iceberg's partition transforms: their names, the types that they apply to, and the names of partitions.

Source of the rules: the Iceberg table spec, "Partition Transforms" and "Partitioning".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from aiplatform._shared.args import nearest
from aiplatform.lakehouse.types import Primitive, Type

_TIMES: Final = frozenset({"timestamp", "timestamptz"})
_DATES: Final = _TIMES | {"date"}

SOURCES: Final[dict[str, frozenset[str] | None]] = {
    "identity": None,
    "year": _DATES,
    "month": _DATES,
    "day": _DATES,
    "hour": _TIMES,
    "bucket": frozenset({"int", "long", "decimal", "time", "string", "uuid", "fixed", "binary"}) | _DATES,
    "truncate": frozenset({"int", "long", "decimal", "string", "binary"}),
    "void": None,
}
"""Transform -> the primitive types that it applies to; None for all of them."""
_WITH_NUMBER: Final = frozenset({"bucket", "truncate"})
_OF_TIME: Final = frozenset({"year", "month", "day", "hour"})
_SUFFIX: Final = {"identity": "", "truncate": "_trunc", "void": "_null"}
_WRITTEN: Final = ("identity", "year", "month", "day", "hour", "bucket[N]", "truncate[W]", "void")
_LARGEST: Final = 2**31 - 1


class TransformError(ValueError):
    """A text that is no transform; states the expected ones."""


@dataclass(frozen=True)
class Transform:
    """A transform. number: the buckets of `bucket[N]` or the width of `truncate[W]`."""

    name: str
    number: int | None = None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}[{self.number}]"

    @property
    def repeats(self) -> str:
        """What a column may have once: two transforms of its time are redundant, and so are two equal
        ones."""
        return "time" if self.name in _OF_TIME else str(self)

    def wrong_for(self, source: Type) -> str | None:
        """Return why it cannot be applied to a type, or None."""
        if not isinstance(source, Primitive):
            return f"expected a column without parts, or a field of a struct, got {source}"
        accepted = SOURCES[self.name]
        if accepted is None or source.family in accepted:
            return None
        fitting = [name for name, types in SOURCES.items() if types is None or source.family in types]
        return (
            f"{self} takes {', '.join(sorted(accepted))}, and the column is {source}; "
            f"expected one of {', '.join(fitting)}"
        )

    def partition_of(self, column: str) -> str:
        """Return the name that Iceberg's libraries give a partition: `at_day`, `id_bucket`."""
        return column.replace(".", "_") + _SUFFIX.get(self.name, f"_{self.name}")


def parse(text: str) -> Transform:
    """Return the transform that a text names. Raises TransformError."""
    match = re.fullmatch(r"([A-Za-z_]+)(?:\[(-?\d{1,12})\])?", text)
    name, number = (match[1], match[2]) if match else (text, None)
    if name not in SOURCES or not match:
        hint = nearest(name, SOURCES)
        raise TransformError(f"expected one of {', '.join(_WRITTEN)}{hint}")
    if (number is not None) != (name in _WITH_NUMBER):
        expected = f"{name}[N], with a number" if name in _WITH_NUMBER else f"{name} without a number"
        raise TransformError(f"expected {expected}")
    if number is not None and not 1 <= int(number) <= _LARGEST:
        raise TransformError(f"expected {name}[N] with a number of 1 to {_LARGEST}")
    return Transform(name, int(number) if number is not None else None)


def transform_rule(value: str) -> str | None:
    """A rule for a transform."""
    try:
        parse(value)
    except TransformError as error:
        return str(error)
    return None


def repeated(transforms: Iterable[tuple[str, Transform]]) -> Iterator[tuple[int, str]]:
    """Return the index of each (column, transform) that is redundant with an earlier one, and the problem."""
    seen: dict[tuple[str, str], Transform] = {}
    for index, (column, transform) in enumerate(transforms):
        before = seen.setdefault((column, transform.repeats), transform)
        if before is not transform:
            yield index, f"got {transform} of {column!r} in addition to {before}; expected one of the two"
