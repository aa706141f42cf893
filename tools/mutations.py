"""Small mistakes in Python code: where a file has room for one, and the file with it.

The kinds are typical slips: a flipped flag, a number plus one, a letter more in a text, a negated comparison
or condition, `and` for `or`, a keyword argument or an entry of a dictionary that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

LETTER: Final = "X"
_NEGATED: Final[dict[type[cst.BaseCompOp], Callable[[], cst.BaseCompOp]]] = {
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.LessThan: cst.GreaterThanEqual,
    cst.GreaterThanEqual: cst.LessThan,
    cst.GreaterThan: cst.LessThanEqual,
    cst.LessThanEqual: cst.GreaterThan,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
}


@dataclass(frozen=True)
class Mutation:
    """One mistake in one file."""

    kind: str
    line: int
    before: str
    after: str
    code: str
    """The whole file with it."""


@dataclass(frozen=True)
class _Site:
    kind: str
    line: int
    old: cst.CSTNode
    new: cst.CSTNode
    printed: cst.CSTNode
    """What is printed: for an argument that is removed, the argument."""


class Mutations:
    """All mutations that a file has room for, by kind.

    Docstrings, imports and decorators (`@dataclass(frozen=True)`) are left alone: they do not change what a
    program registers.
    """

    def __init__(self, source: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module(source))
        self._module = wrapper.module
        finder = _Finder()
        wrapper.visit(finder)
        self._sites: dict[str, list[_Site]] = {}
        for site in finder.sites:
            self._sites.setdefault(site.kind, []).append(site)

    def kinds(self) -> list[str]:
        """The kinds that there is room for."""
        return sorted(self._sites)

    def count(self, kind: str) -> int:
        """How many places there are for a kind."""
        return len(self._sites.get(kind, []))

    def make(self, kind: str, index: int) -> Mutation:
        """The file with the mutation at one of the places."""
        site = self._sites[kind][index]
        mutated = self._module.visit(_Replacement(site.old, site.new))
        code = cst.ensure_type(mutated, cst.Module).code
        after = "" if site.printed is not site.old else self._module.code_for_node(site.new)
        return Mutation(site.kind, site.line, self._module.code_for_node(site.printed), after, code)


class _Replacement(cst.CSTTransformer):
    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self._old = old
        self._new = new

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self._new if original_node is self._old else updated_node


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.sites: list[_Site] = []

    def _add(self, kind: str, old: cst.CSTNode, new: cst.CSTNode, printed: cst.CSTNode | None = None) -> None:
        place = self.get_metadata(PositionProvider, printed or old)
        line = place.start.line if isinstance(place, CodeRange) else 0
        self.sites.append(_Site(kind, line, old, new, printed or old))

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Decorator(self, node: cst.Decorator) -> bool:
        return False

    def visit_Expr(self, node: cst.Expr) -> bool:
        # A text as a statement is a docstring.
        return not isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString))

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in ("True", "False"):
            self._add("flag", node, node.with_changes(value=str(node.value == "False")))

    def visit_Integer(self, node: cst.Integer) -> None:
        self._add("number", node, cst.Integer(str(node.evaluated_value + 1)))

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        if node.raw_value:
            end = len(node.value) - len(node.quote)
            self._add("text", node, node.with_changes(value=node.value[:end] + LETTER + node.value[end:]))

    def visit_FormattedStringText(self, node: cst.FormattedStringText) -> None:
        self._add("text", node, node.with_changes(value=node.value + LETTER))

    def visit_Comparison(self, node: cst.Comparison) -> None:
        target = node.comparisons[0]
        negated = _NEGATED.get(type(target.operator))
        if negated:
            operator = negated()
            changed = target.with_changes(operator=operator)
            self._add("comparison", node, node.with_changes(comparisons=[changed, *node.comparisons[1:]]))

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        other = cst.Or() if isinstance(node.operator, cst.And) else cst.And()
        self._add("logic", node, node.with_changes(operator=other))

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        if isinstance(node.operator, cst.Not):
            self._add("logic", node, cst.ensure_type(node.expression, cst.BaseExpression))

    def visit_If(self, node: cst.If) -> None:
        self._negate(node.test)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._negate(node.test)

    def _negate(self, test: cst.BaseExpression) -> None:
        # Comparisons and `not` are negated where they are.
        if isinstance(test, (cst.Name, cst.Attribute, cst.Call)):
            self._add("condition", test, cst.UnaryOperation(cst.Not(), test))

    def visit_Call(self, node: cst.Call) -> None:
        for argument in node.args:
            if argument.keyword is not None:
                left = [other for other in node.args if other is not argument]
                self._add("argument", node, node.with_changes(args=left), argument)

    def visit_Dict(self, node: cst.Dict) -> None:
        for element in node.elements:
            left = [other for other in node.elements if other is not element]
            self._add("entry", node, node.with_changes(elements=left), element)


def all_mutations(source: str) -> Iterator[Mutation]:
    """Every mutation of a file."""
    mutations = Mutations(source)
    for kind in mutations.kinds():
        for index in range(mutations.count(kind)):
            yield mutations.make(kind, index)
