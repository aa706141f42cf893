"""The types of properties, as an SDK's annotations say them.

pulumi.Input[Optional[Sequence[pulumi.Input['ClusterVpcConfigArgs']]]]
        ->  ListOf(ObjectOf(...)), optional
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True)
class Scalar:
    """`string`, `integer`, `number`, `boolean`, `asset`, `enum` (any scalar) or `any`."""

    name: str


@dataclass(frozen=True)
class ListOf:
    """A list of one type."""

    item: Type


@dataclass(frozen=True)
class MapOf:
    """An object with keys of the user's choice."""

    item: Type


@dataclass(frozen=True)
class ObjectOf:
    """A nested input or output class; `module` is the SDK's folder that defines it (empty: the root)."""

    module: str
    file: str
    name: str


@dataclass(frozen=True)
class OneOf:
    """Any of these."""

    options: tuple[Type, ...]


Type = Scalar | ListOf | MapOf | ObjectOf | OneOf

ANY: Final = Scalar("any")
STRING: Final = Scalar("string")


@dataclass(frozen=True)
class Property:
    """One property of an SDK class, by its name on the wire."""

    name: str
    type: Type
    required: bool


_BUILTINS: Final = {
    "str": STRING,
    "int": Scalar("integer"),
    "float": Scalar("number"),
    "bool": Scalar("boolean"),
    "Any": ANY,
    "Asset": Scalar("asset"),
    "Archive": Scalar("asset"),
}
_TRANSPARENT: Final = frozenset({"Input", "InputType", "Output", "NotRequired", "Awaitable"})


@dataclass(frozen=True)
class Annotation:
    """Reads annotations of one SDK folder."""

    module: str
    outputs: bool = False
    """Whether nested classes are outputs (`outputs.py`) or inputs (`_inputs.py`)."""

    def read(self, text: str) -> tuple[Type, bool]:
        """The type, and whether it may be left out."""
        return _read(self, text)

    def _optional(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Subscript):
            name = _name(node.value)
            if name == "Optional":
                return True
            if name not in _TRANSPARENT:
                return False
            node = node.slice
        return False

    def _type(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Subscript):
            return self._subscript(_name(node.value), node.slice)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._named(node.value) or Scalar("enum")
        if isinstance(node, ast.Constant) and node.value is None:
            return ANY
        name = _name(node)
        return _BUILTINS.get(name) or self._named(name) or ANY

    def _subscript(self, name: str, inner: ast.expr) -> Type:
        if name in _TRANSPARENT or name == "Optional":
            return self._type(inner)
        if name in ("Sequence", "List", "list"):
            return ListOf(self._type(inner))
        if name in ("Mapping", "Dict", "dict") and isinstance(inner, ast.Tuple):
            return MapOf(self._type(inner.elts[1]))
        if name == "Union" and isinstance(inner, ast.Tuple):
            return self._union(inner.elts)
        return ANY

    def _union(self, members: list[ast.expr]) -> Type:
        options: list[Type] = []
        for member in members:
            if isinstance(member, ast.Constant) and isinstance(member.value, str):
                # Next to a scalar, a name that is no nested class is an enum or a resource, whose value or
                # id the wire carries; the ...Dict and outputs.... forms repeat the ...Args class.
                option = self._named(member.value)
            else:
                option = self._type(member)
            if option and option not in options:
                options.append(option)
        if not options:
            return Scalar("enum")
        return options[0] if len(options) == 1 else OneOf(tuple(options))

    def _named(self, name: str) -> Type | None:
        prefix, _, last = name.rpartition(".")
        if self.outputs:
            if prefix == "outputs":
                return ObjectOf(self.module, "outputs.py", last)
            if prefix.endswith(".outputs"):
                return ObjectOf(_folder(prefix.removesuffix(".outputs")), "outputs.py", last)
            return None
        if last.endswith("Args"):
            return ObjectOf(_folder(prefix) if prefix else self.module, "_inputs.py", last)
        return None


# Classes of an SDK have few different annotations.
@cache
def _read(annotation: Annotation, text: str) -> tuple[Type, bool]:
    node = ast.parse(text.strip(), mode="eval").body
    return annotation._type(node), not annotation._optional(node)


def _folder(prefix: str) -> str:
    # `from .. import iam as _iam`; the root itself is imported as _root_inputs and the like.
    name = prefix.lstrip("_").split(".")[0]
    return "" if name.startswith(("root", "inputs")) else name


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
