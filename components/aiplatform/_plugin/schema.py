"""The Pulumi schema of the components, derived from their types and docstrings.

Pulumi's analyzer reads the types. Added to it here: `Literal` as an enum, default values, names of types
without `Args` (code generators append that themselves), and the metadata of the package.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin

from pulumi import ComponentResource
from pulumi.provider.experimental.analyzer import (
    Analyzer,
    ComponentDefinition,
    EnumValueDefinition,
    PropertyDefinition,
    PropertyType,
    TypeDefinition,
)
from pulumi.provider.experimental.schema import generate_schema
from pulumi.provider.experimental.util import camel_case

from aiplatform._shared.cloud_support import Cloud, Refused, SupportTable
from aiplatform.lakehouse.tables import Classification, Zone

ENUMS: Final[Mapping[Any, str]] = {
    Cloud: "Cloud",
    Zone: "LakehouseZoneName",
    Classification: "LakehouseClassification",
}
"""Enums that several types share. Any other is called by its type and key: `NetworkNat`."""

TYPES: Final[Mapping[str, str]] = {
    "NetworkZoneArgs": "NetworkZoneReference",
    "LakehouseZoneArgs": "LakehouseZoneSettings",
    "LakehouseTableArgs": "LakehouseTableSpec",
    "ContainerRegistryCacheArgs": "ContainerRegistryCacheSpec",
}
"""Types whose name without `Args` is the name of an output's type."""

METADATA: Final[Mapping[str, Any]] = {
    "displayName": "AI Platform",
    "publisher": "ai-platform",
    "description": "Components for a cloud-native AI platform on AWS and Google Cloud: network, managed "
    "Kubernetes, GPU node pools, lakehouse, feature store, model registry.",
    "license": "Apache-2.0",
    "keywords": [
        "category/cloud",
        "kind/component",
        "aws",
        "gcp",
        "kubernetes",
        "eks",
        "gke",
        "gpu",
        "mlops",
    ],
}

PACKAGES: Final[Mapping[str, str]] = {"nodejs": "@pulumi/aiplatform", "python": "pulumi_aiplatform"}
"""Language -> the name of the SDK that `pulumi package add` generates, which programs import."""


@dataclass(frozen=True)
class Definitions:
    """What is known of the components. components, types: by the names of their classes."""

    components: Mapping[str, ComponentDefinition]
    types: Mapping[str, TypeDefinition]

    def type_of(self, prop: PropertyDefinition) -> TypeDefinition | None:
        """Return the type that a property refers to; None for one without a type of this package."""
        return self.types.get(prop.ref.rsplit(":", maxsplit=1)[-1]) if prop.ref else None


def analyze(package: str, components: Sequence[type[ComponentResource]]) -> Definitions:
    """Return the definitions of components and of the types that their inputs and outputs name."""
    result = _Analyzer(package).analyze(list(components))
    return Definitions(result["component_definitions"], result["type_definitions"])


class _Analyzer(Analyzer):
    """Pulumi's analyzer, which also knows `Literal`. A type that is an input and an output is analyzed as an
    input."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._inputs: dict[type, tuple[dict[str, PropertyDefinition], dict[str, str]]] = {}

    def analyze_type(
        self, typ: type, *, is_component_output: bool
    ) -> tuple[dict[str, PropertyDefinition], dict[str, str]]:
        if typ in self._inputs:
            return self._inputs[typ]
        analyzed = super().analyze_type(typ, is_component_output=is_component_output)
        if not is_component_output:
            self._inputs[typ] = analyzed
        return analyzed

    def analyze_property(
        self,
        arg: type,
        typ: type,
        name: str,
        *,
        can_be_plain: bool,
        is_component_output: bool,
        optional: bool | None = None,
    ) -> PropertyDefinition:
        if get_origin(arg) is Annotated:
            # An output that is marked as known while the program runs.
            arg = get_args(arg)[0]
        if get_origin(arg) is Literal:
            return PropertyDefinition(
                ref=f"#/types/{self.name}:index:{self._enum(arg, typ, name)}",
                optional=bool(optional),
                plain=True if can_be_plain else None,
                description=self.get_docstring(typ, name),
            )
        prop = super().analyze_property(
            arg,
            typ,
            name,
            can_be_plain=can_be_plain,
            is_component_output=is_component_output,
            optional=optional,
        )
        if not prop.plain:
            # What may be an output as a whole may be one in its entries, too.
            for entries in (prop.items, prop.additional_properties):
                if entries is not None:
                    entries.plain = None
        return prop

    def _enum(self, literal: Any, typ: type, key: str) -> str:
        """Add the enum of a Literal, and return its name. Raises TypeError for values of which Pulumi has no
        enum."""
        values = get_args(literal)
        kinds: set[type[Any]] = {type(value) for value in values}
        if kinds not in ({str}, {int}):
            listed = ", ".join(map(repr, values))
            raise TypeError(
                f"{typ.__name__}.{key}: Literal[{listed}]; expected only strings or only integers"
            )
        name = ENUMS.get(literal) or typ.__name__.removesuffix("Args") + _pascal_case(key)
        self.type_definitions[name] = TypeDefinition(
            name=name,
            type=PropertyType.STRING if kinds == {str} else PropertyType.INTEGER,
            properties={},
            properties_mapping={},
            module=typ.__module__,
            python_type=kinds.pop(),
            description=f"The values of `{camel_case(key)}`.",
            enum=[EnumValueDefinition(_member_name(value), value) for value in values],
        )
        return name


def _member_name(value: str | int) -> str:
    """Return the name of an enum's member: `PerZone` of `per_zone`, `Value60` of 60."""
    return _pascal_case(value) if isinstance(value, str) else f"Value{value}"


def _pascal_case(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_.-]", word))


def schema(
    package: str,
    version: str,
    components: Sequence[type[ComponentResource]],
    definitions: Definitions,
) -> dict[str, Any]:
    """Return the Pulumi schema as JSON."""
    known = dict(definitions.components), dict(definitions.types)
    raw = generate_schema(package, version, None, *known, dependencies=[]).to_json()
    for component in components:
        definition = definitions.components[component.__name__]
        resource = raw["resources"][f"{package}:index:{component.__name__}"]
        _add_defaults(resource["inputProperties"], definition.inputs_mapping, settings_of(component))
    for name, definition in definitions.types.items():
        # To add a default to a reference, an SDK would make one output of all of it, unknown in a preview.
        if definition.enum is None and not name.endswith("ReferenceArgs"):
            properties = raw["types"][f"{package}:index:{name}"].get("properties", {})
            _add_defaults(properties, definition.properties_mapping, model_of(definition))
    raw["types"] = {_public_name(name): entry for name, entry in raw["types"].items()}
    for language, name in PACKAGES.items():
        raw["language"][language]["packageName"] = name
    return {**_tidied(raw), **METADATA}


def settings_of(component: type[ComponentResource]) -> type | None:
    """Return the checked arguments of a component: NetworkSettings for Network."""
    return _model(f"{component.__module__}.args", component.__name__)


def model_of(definition: TypeDefinition) -> type | None:
    """Return the checked form of a type of arguments: ApiAccess for ApiAccessArgs, None for outputs."""
    if not definition.name.endswith("Args"):
        return None
    name = definition.name.removesuffix("Args")
    package, _, module = definition.module.rpartition(".")
    if module != "inputs":
        return _model(definition.module, name)
    # Generated from the dataclasses of several modules of the component.
    modules = sorted(loaded for loaded in sys.modules if loaded.startswith(f"{package}."))
    return next((model for loaded in modules if (model := _model(loaded, name))), None)


def _model(module: str, name: str) -> type | None:
    for candidate in (f"{name}Settings", name):
        model = getattr(sys.modules[module], candidate, None)
        if isinstance(model, type) and is_dataclass(model):
            return model
    return None


def _add_defaults(properties: Mapping[str, Any], mapping: Mapping[str, str], model: type | None) -> None:
    defaults = dict(_defaults(model)) if model is not None else {}
    for key, prop in properties.items():
        if mapping[key] in defaults:
            prop["default"] = defaults[mapping[key]]


def _defaults(model: type) -> Iterator[tuple[str, Any]]:
    """Yield the default values of arguments. An SDK adds them to what a program states, so an argument that
    one cloud refuses has none in the schema: it would be refused there although the program never stated it.
    """
    support: SupportTable = getattr(model, "cloud_support", {})
    for field in fields(model):
        cell = support.get(field.name)
        refused = cell is not None and isinstance(cell.aws, Refused) | isinstance(cell.gcp, Refused)
        if isinstance(field.default, (str, int, float, bool)) and not refused:
            yield field.name, field.default


def _public_name(token: str) -> str:
    """Return a type's token without `Args`."""
    prefix, _, name = token.rpartition(":")
    return f"{prefix}:{TYPES.get(name, name.removesuffix('Args'))}"


def _tidied(node: Any) -> Any:
    """Return a schema with one line per paragraph in its texts, with a list's text on the list only, and with
    the public names of types."""
    if isinstance(node, list):
        return [_tidied(entry) for entry in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", node).items():
        if value is None:
            continue
        if key == "description" and isinstance(value, str):
            result[key] = unwrapped(value)
        elif key == "$ref" and ":" in value:
            result[key] = _public_name(value)
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            entries = cast("dict[str, Any]", value)
            result[key] = _tidied({name: entry for name, entry in entries.items() if name != "description"})
        else:
            result[key] = _tidied(value)
    return result


def unwrapped(docstring: str) -> str:
    """Return a docstring with one line per paragraph."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(docstring))
