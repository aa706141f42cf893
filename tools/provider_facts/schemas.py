"""Turns the schema of a Terraform resource type into facts about the properties of Pulumi's type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.provider_facts.framework import made_by
from tools.provider_facts.golang import Call, Literal, Name, Package
from twin.checks.sdk import Sdk, objects
from twin.checks.types import Property

_LISTS: Final = ("schema.TypeList", "schema.TypeSet")
_ENUMS: Final = ("verify.ValidateEnum", "validation.StringInSlice")
_PATTERNS: Final = ("verify.ValidateRegexp", "validation.StringMatch")
_GROUPS: Final = {
    "ExactlyOneOf": "exactly_one_of",
    "AtLeastOneOf": "at_least_one_of",
}
_UNNAMED: Final = frozenset({"terraform_labels", "id"})
"""Fields that steer the provider alone, or that every resource has."""
_RENAMED: Final = {
    "partition_index": ("partitionIndices",),
    "dataset": ("authorizedDataset",),
    "filename": ("code",),
    "function_name": ("function", "name"),
}
"""Fields that Pulumi's bridge names in its own way."""
_RELATIONS: Final = {"ConflictsWith": "conflicts", "RequiredWith": "required_with"}


@dataclass(frozen=True)
class Field:
    """One field of a schema. inside: the fields of its objects. one: whether Pulumi has no list of it."""

    name: str
    spec: Literal
    inside: tuple[Field, ...]
    one: bool

    @property
    def output(self) -> bool:
        """Whether only the cloud writes it."""
        return bool(self.spec.get("Computed")) and not self.spec.get("Optional")

    @property
    def immutable(self) -> bool:
        """Whether any change of it or in it is a replacement; a block's flag means its presence alone."""
        return bool(self.spec.get("ForceNew")) and all(
            field.immutable or field.output for field in self.inside
        )

    @property
    def plural(self) -> bool:
        """Whether Pulumi's name is a plural."""
        type = self.spec.get("Type")
        return isinstance(type, Name) and type.text in _LISTS and not self.one


class Resolver:
    """Follows the names in a package's schemas."""

    def __init__(self, package: Package, others: Callable[[str], Package | None]) -> None:
        self._package = package
        self._others = others

    def value(self, value: Any) -> Any:
        """The literal that a name or a call stands for, where it can be found."""
        for _ in range(9):
            if not isinstance(value, Name | Call):
                return value
            name = value.text if isinstance(value, Name) else value.name
            if name.endswith("MergeSchemas") and isinstance(value, Call):
                return self._merged(value)
            if name == "maps.Clone" and isinstance(value, Call):
                value = value.arguments[0]
                continue
            package, _, last = name.rpartition(".")
            home = self._others(package) if package else self._package
            resolved = home.value(last) if home else None
            if resolved is None:
                return value
            value = resolved
        return value

    def _merged(self, call: Call) -> Literal:
        whole = Literal("map")
        for argument in call.arguments:
            literal = self.value(argument)
            whole.keyed |= literal.keyed if isinstance(literal, Literal) else {}
        return whole

    def fields(self, schema: Any, singles: Mapping[str, Any]) -> tuple[Field, ...]:
        """The fields of a `map[string]*schema.Schema`. singles: what the bridge keeps of each field."""
        return tuple(self._fields(schema, singles))

    def _fields(self, schema: Any, singles: Mapping[str, Any]) -> Iterator[Field]:
        schema = self.value(schema)
        if not isinstance(schema, Literal):
            return
        for name, source in schema.keyed.items():
            if isinstance(name, str) and re.search(r"[A-Z.]", name):
                name = self.value(Name(name))  # a constant
            spec = self.value(source)
            if isinstance(source, Call) and not isinstance(spec, Literal):
                spec = made_by(source.name)
            if not isinstance(spec, Literal) or not isinstance(name, str):
                continue
            single = singles.get(name, {})
            inner = self.value(spec.get("Elem"))
            below: tuple[Field, ...] = ()
            if isinstance(inner, Literal) and inner.get("Schema") is not None:
                below = self.fields(inner.get("Schema"), (single.get("elem") or {}).get("fields") or {})
            one = bool(single.get("maxItemsOne", spec.get("MaxItems") == 1))
            yield Field(name, spec, below, one)


class Facts:
    """What a schema states, by the paths of Pulumi's properties without indices."""

    def __init__(self, resolver: Resolver, sdk: Sdk, properties: Mapping[str, Property]) -> None:
        self._resolver = resolver
        self._sdk = sdk
        self._names: dict[str, str] = {}
        self.unmatched: list[str] = []
        self.found: dict[str, Any] = {}
        self._relations: list[tuple[str, str, list[str]]] = []
        self._properties = properties

    def read(self, fields: tuple[Field, ...]) -> dict[str, Any]:
        """All facts."""
        self._walk(fields, self._properties, "", "", immutable=False, output=False)
        for kind, path, others in self._relations:
            self._relate(kind, path, others)
        return {kind: _ordered(value) for kind, value in sorted(self.found.items()) if value}

    def _walk(
        self,
        fields: tuple[Field, ...],
        properties: Mapping[str, Property],
        before: str,
        before_tf: str,
        *,
        immutable: bool,
        output: bool,
    ) -> None:
        for field in fields:
            name = pulumi_name(field, properties)
            if name is None:
                if field.spec.get("Deprecated") is None and field.name not in _UNNAMED:
                    self.unmatched.append(f"{before_tf}{field.name}")
                continue
            path = f"{before}{name}"
            self._names[f"{before_tf}{field.name}"] = path
            only_output = output or field.output
            fixed = field.immutable and not only_output
            self._state(field, path, output=only_output, fixed=fixed and not immutable, known=output)
            if bool(field.spec.get("ForceNew")) and not field.immutable and not only_output:
                self._add("immutable_blocks", path)
            inner = next(iter(objects(properties[name].type)), None)
            if field.inside and inner is not None:
                self._walk(
                    field.inside,
                    self._sdk.properties(inner),
                    f"{path}.",
                    f"{before_tf}{field.name}.",
                    immutable=immutable or fixed,
                    output=only_output,
                )

    def _state(self, field: Field, path: str, *, output: bool, fixed: bool, known: bool) -> None:
        spec = field.spec
        if output:
            if not known:
                self._add("output", path)
            return
        if fixed:
            self._add("immutable", path)
        if spec.get("Required"):
            self._add("required", path)
        if spec.get("Optional") and spec.get("Computed"):
            self._add("server", path)
        if isinstance(spec.get("Type"), Name) and spec.get("Type").text == "schema.TypeSet" and not field.one:
            self._add("sets", path)
        if spec.get("WriteOnly"):
            self._add("write_only", path)
        self._default(spec, path)
        self._values(spec.get("ValidateFunc"), path)
        inner = spec.get("Elem")
        if isinstance(inner, Literal):
            self._values(inner.get("ValidateFunc"), path)
        self._group(spec, path)

    def _default(self, spec: Literal, path: str) -> None:
        default = spec.get("Default")
        if isinstance(default, str):
            default = default.replace("Managed by Terraform", "Managed by Pulumi")
        if isinstance(default, str | bool | int | float):
            self.found.setdefault("defaults", {})[path] = default
        suppressed = _function(spec.get("DiffSuppressFunc"))
        if suppressed:
            self.found.setdefault("suppressed", {})[path] = suppressed

    def _group(self, spec: Literal, path: str) -> None:
        for kind in (*_GROUPS, *_RELATIONS):
            others = spec.get(kind)
            others = self._resolver.value(others) if others is not None else None
            if isinstance(others, Literal):
                named = [self._resolver.value(name) for name in others.items]
                if not all(isinstance(name, str) for name in named):
                    continue
                self._relations.append((kind, path, [re.sub(r"\.\d+\.", ".", name) for name in named]))

    def _values(self, check: Any, path: str) -> None:
        if not isinstance(check, Call) or not check.arguments:
            return
        first = self._resolver.value(check.arguments[0])
        if check.name in _ENUMS and isinstance(first, Literal):
            values = [item for item in first.items if isinstance(item, str)]
            if values and len(values) == len(first.items):
                self.found.setdefault("enums", {})[path] = values
        elif check.name in _PATTERNS and isinstance(first, str):
            self.found.setdefault("patterns", {})[path] = first

    def _relate(self, kind: str, path: str, others: list[str]) -> None:
        paths = [self._names[other] for other in others if other in self._names]
        if kind in _RELATIONS:
            rest = sorted(set(paths) - {path})
            if rest:
                self.found.setdefault(_RELATIONS[kind], {})[path] = rest
        elif len(paths) == len(others):
            group = sorted({path, *paths})
            groups = self.found.setdefault(_GROUPS[kind], [])
            if group not in groups:
                groups.append(group)

    def _add(self, kind: str, path: str) -> None:
        self.found.setdefault(kind, []).append(path)

    def path(self, field: str) -> str | None:
        """Pulumi's path of a field of the schema."""
        return self._names.get(field)


def pulumi_name(field: Field, properties: Mapping[str, Property]) -> str | None:
    """The property that a field became: camel case, a plural where there may be several."""
    head, *rest = field.name.split("_")
    camel = head + "".join(part[:1].upper() + part[1:] for part in rest)
    plurals = (f"{camel}s", f"{camel}es", f"{camel.removesuffix('y')}ies", camel)
    singular = (camel, camel.removesuffix("s"), f"{camel.removesuffix('ies')}y", camel.removesuffix("es"))
    names = plurals if field.plural else (*singular, *plurals)
    for name in (*names, *_RENAMED.get(field.name, ())):
        if name in properties:
            return name
    flat = {name.lower(): name for name in properties}
    return flat.get(camel.lower())


def _function(value: Any) -> str:
    """A function's name, with the texts that a call gives it: `EmptyOrDefaultStringSuppress(NONE)`."""
    if isinstance(value, Name):
        return value.text.rpartition(".")[2]
    if isinstance(value, Call):
        texts = ",".join(argument for argument in value.arguments if isinstance(argument, str))
        return f"{value.name.rpartition('.')[2]}({texts})"
    return ""


def merged(first: Mapping[str, Property], second: Mapping[str, Property]) -> dict[str, Property]:
    """Inputs and outputs of a type; of both, the inputs' types count."""
    return {**second, **first}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return sorted(value)
