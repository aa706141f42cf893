"""Example programs in Python and TypeScript, written from those in YAML (examples/*/Pulumi.yaml).

Each example is stated once, in YAML. A component's page shows its resource in all three languages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pulumi.provider.experimental.analyzer import PropertyDefinition
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FOLDERS = ("platform-aws", "capacity-order-gcp", "shared-logs-gcp")
PROVIDER = "pulumi:providers:"
COMPONENT = "aiplatform:"
_SHORT = 70
"""Characters of a dict of the Python program that is written in one line."""
_LONGEST = 110
"""Characters of a line of Python."""
REFERENCE = re.compile(r"\$\{([\w.\[\]]+)\}")


@dataclass(frozen=True)
class Program:
    """A program in YAML. resources: name -> type, properties and options."""

    name: str
    text: str
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """A component in the three languages."""

    yaml: str
    python: str
    typescript: str


@cache
def programs() -> tuple[Program, ...]:
    """The programs in YAML, in the order of FOLDERS."""
    read: list[Program] = []
    for folder in FOLDERS:
        text = (ROOT / "examples" / folder / "Pulumi.yaml").read_text()
        document = YAML(typ="safe").load(text)
        read.append(Program(folder, text, document["resources"], document["outputs"]))
    return tuple(read)


def paths() -> list[Path]:
    """Return the paths of the generated programs in the repository."""
    return [Path("examples") / folder / name for folder in FOLDERS for name in ("__main__.py", "index.ts")]


def files(inputs: Inputs) -> Mapping[Path, str]:
    """Path in the repository -> the program in Python or TypeScript. inputs: see `Inputs`."""
    written: dict[Path, str] = {}
    for program in programs():
        folder = Path("examples") / program.name
        written[folder / "__main__.py"] = _python(program, inputs)
        written[folder / "index.ts"] = _typescript(program)
    return written


def example(component: str, inputs: Inputs) -> Example:
    """The first resource of a component in the programs."""
    for program in programs():
        for name, resource in program.resources.items():
            if resource["type"] == COMPONENT + component:
                return Example(
                    _yaml_of(program, name),
                    _python_resource(name, resource, inputs),
                    _typescript_resource(name, resource),
                )
    raise LookupError(f"no program of examples/ has a {component}")


Properties = Mapping[str, PropertyDefinition]
Inputs = Callable[[str], tuple[Properties, Mapping[str, str], Callable[[PropertyDefinition], Any]]]
"""A component's name -> its inputs, their names in Python, and what looks up the type of one."""


def _yaml_of(program: Program, name: str) -> str:
    """The lines of one resource."""
    start = program.text.index(f"\n  {name}:\n") + 1
    end = re.compile(r"\n(?! {3,})").search(program.text, start + len(name) + 4)
    return program.text[start : end.start() if end else None]


def _typescript(program: Program) -> str:
    resources = [_typescript_resource(name, resource) for name, resource in program.resources.items()]
    outputs = [f"export const {name} = {_expression(value)};" for name, value in program.outputs.items()]
    head = [f"// {line}".rstrip() for line in _head(program)]
    imports = [f'import * as {package} from "@pulumi/{package}";' for package in _packages(program)]
    return "\n".join([*head, *imports, "", *resources, *outputs]) + "\n"


def _typescript_resource(name: str, resource: Mapping[str, Any]) -> str:
    kind: str = resource["type"]
    if kind.startswith(PROVIDER):
        class_ = f"{kind.removeprefix(PROVIDER)}.Provider"
    else:
        class_ = kind.replace(":", ".")
    options = "".join(
        f", {{ providers: [{', '.join(map(_provider_name, providers))}]{_after('dependsOn: ', resource)} }}"
        for providers in _providers(resource)
    )
    variable = _provider_name("${" + name + "}") if kind.startswith(PROVIDER) else name
    properties = _typescript_value(resource["properties"], 0)
    return f"const {variable} = new {class_}({json.dumps(name)}, {properties}{options});"


def _typescript_value(value: Any, depth: int) -> str:
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, Mapping):
        lines = [
            f"{inner}{_typescript_key(key)}: {_typescript_value(entry, depth + 1)},\n"
            for key, entry in value.items()
        ]
        return "{\n" + "".join(lines) + outer + "}"
    if isinstance(value, list):
        if any(isinstance(entry, Mapping) for entry in value):
            lines = [f"{inner}{_typescript_value(entry, depth + 1)},\n" for entry in value]
            return "[\n" + "".join(lines) + outer + "]"
        return f"[{', '.join(_typescript_value(entry, depth) for entry in value)}]"
    return _expression(value)


def _typescript_key(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key)


def _expression(value: Any) -> str:
    reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return reference[1] if reference else _literal(value)


def _literal(value: Any) -> str:
    """A scalar, which both languages write as JSON. `$${` is how YAML states the characters `${`."""
    return json.dumps(value.replace("$${", "${") if isinstance(value, str) else value)


def _python(program: Program, inputs: Inputs) -> str:
    packages = [package for package in _packages(program) if package != "aiplatform"]
    imports = [f"import pulumi_{package} as {package}" for package in packages]
    kinds = {
        resource["type"].removeprefix(COMPONENT): None
        for resource in program.resources.values()
        if resource["type"].startswith(COMPONENT)
    }
    components = sorted(f"from aiplatform.{_snake_case(kind)} import {kind}" for kind in kinds)
    resources = [_python_resource(name, resource, inputs) for name, resource in program.resources.items()]
    outputs = [
        f"pulumi.export({json.dumps(_snake_case(name))}, {_python_expression(value)})"
        for name, value in program.outputs.items()
    ]
    head = '"""' + "\n".join(_head(program)) + '\n"""'
    return "\n".join([head, "", "import pulumi", *imports, "", *components, "", *resources, *outputs]) + "\n"


def _python_resource(name: str, resource: Mapping[str, Any], inputs: Inputs) -> str:
    kind: str = resource["type"]
    logical = json.dumps(name)
    if kind.startswith(PROVIDER):
        arguments = ", ".join(
            f"{_snake_case(key)}={_python_expression(value)}" for key, value in resource["properties"].items()
        )
        package = kind.removeprefix(PROVIDER)
        return f"{name}_provider = {package}.Provider({logical}, {arguments})"
    component = kind.removeprefix(COMPONENT)
    properties, names, type_of = inputs(component)
    arguments = _python_object(resource["properties"], properties, names, type_of, 1)
    options = "".join(_python_options(providers, resource) for providers in _providers(resource))
    return f"{_snake_case(name)} = {component}(\n    {logical},\n    {arguments},\n{options})"


def _python_options(providers: Sequence[str], resource: Mapping[str, Any]) -> str:
    arguments = f"providers=[{', '.join(map(_python_provider, providers))}]{_after('depends_on=', resource)}"
    line = f"    pulumi.ResourceOptions({arguments}),\n"
    if len(line) <= _LONGEST:
        return line
    return f"    pulumi.ResourceOptions(\n        {arguments}\n    ),\n"


def _python_object(
    value: Any, properties: Properties, names: Mapping[str, str], type_of: Any, depth: int
) -> str:
    entries = [
        f'"{names[key]}": {_python_value(entry, properties[key], type_of, depth + 1)}'
        for key, entry in value.items()
    ]
    return _python_dict(entries, depth)


def _python_dict(entries: list[str], depth: int) -> str:
    """A dict in one line where it fits, but for the arguments of a component."""
    line = "{" + ", ".join(entries) + "}"
    if depth > 1 and "\n" not in line and len(line) <= _SHORT:
        return line
    inner, outer = "    " * (depth + 1), "    " * depth
    return "{\n" + "".join(f"{inner}{entry},\n" for entry in entries) + outer + "}"


def _python_value(value: Any, prop: PropertyDefinition, type_of: Any, depth: int) -> str:
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, list):
        entries = [_python_value(entry, prop.items or prop, type_of, depth + 1) for entry in value]
        if any(isinstance(entry, Mapping) for entry in value):
            return "[\n" + "".join(f"{inner}{entry},\n" for entry in entries) + outer + "]"
        return f"[{', '.join(entries)}]"
    if isinstance(value, Mapping):
        if prop.additional_properties is not None:
            # Keys that the program chooses.
            of_key = prop.additional_properties
            named = [
                f"{json.dumps(key)}: {_python_value(entry, of_key, type_of, depth + 1)}"
                for key, entry in value.items()
            ]
            return _python_dict(named, depth)
        definition = type_of(prop)
        if definition is None:
            # Any JSON.
            entries = [
                f"{json.dumps(key)}: {_python_value(entry, prop, type_of, depth + 1)}"
                for key, entry in value.items()
            ]
            return _python_dict(entries, depth)
        if definition.name.endswith("ReferenceArgs") and (source := _source(value)):
            return f"{_snake_case(source)}.outputs"
        return _python_object(value, definition.properties, definition.properties_mapping, type_of, depth)
    return _python_expression(value)


def _source(value: Mapping[str, Any]) -> str | None:
    """The resource that all values of a reference are outputs of, which Python passes as a whole."""
    references = [REFERENCE.fullmatch(entry) if isinstance(entry, str) else None for entry in value.values()]
    sources = {reference[1].split(".")[0] if reference else None for reference in references}
    return sources.pop() if len(sources) == 1 else None


def _python_expression(value: Any) -> str:
    reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if reference:
        resource, output, *keys = map(str, reference[1].split("."))
        # What is in a map has no attribute.
        return ".".join(map(_snake_case, (resource, output))) + "".join(f'["{key}"]' for key in keys)
    return str(value) if isinstance(value, bool) else _literal(value)


def _providers(resource: Mapping[str, Any]) -> Iterator[list[str]]:
    options = resource.get("options")
    if options:
        yield options["providers"]


def _after(option: str, resource: Mapping[str, Any]) -> str:
    """The option that lists what a resource depends on; empty where it lists nothing."""
    names = [reference[2:-1] for reference in resource["options"].get("dependsOn", [])]
    return f", {option}[{', '.join(names)}]" if names else ""


def _provider_name(reference: str) -> str:
    """The variable of a provider in TypeScript: its package's name is taken by the import."""
    return f"{reference[2:-1]}Provider"


def _python_provider(reference: str) -> str:
    return f"{reference[2:-1]}_provider"


def _packages(program: Program) -> list[str]:
    kinds = [resource["type"] for resource in program.resources.values()]
    return [*dict.fromkeys(kind.removeprefix(PROVIDER).split(":")[0] for kind in kinds)]


def _head(program: Program) -> list[str]:
    """The comment on top of the program in YAML, without what it says of the other files."""
    first = program.text.splitlines()[0].removeprefix("# ").split(", in YAML")[0]
    return [f"{first}.", "", "Generated from Pulumi.yaml by `make generate`."]


def _snake_case(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).lower()
