"""A page a component, from its types, its docstrings and the defaults of its checked arguments."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, get_args, get_origin

from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType, TypeDefinition

from aiplatform._plugin import COMPONENTS, Plugin, unwrapped
from tests.generating import examples
from tests.generating.tables import code, page, table

ROOT = Path(__file__).parents[2]
WORDS = {
    PropertyType.STRING: "string",
    PropertyType.INTEGER: "integer",
    PropertyType.NUMBER: "number",
    PropertyType.BOOLEAN: "boolean",
}


@cache
def plugin() -> Plugin:
    """The plugin with the version of the project."""
    import tomllib

    return Plugin(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def schema() -> str:
    """The plugin's Pulumi schema, as `pulumi package get-schema components` gives it."""
    return json.dumps(json.loads(plugin().schema or ""), indent=2) + "\n"


def entity(component: type) -> str:
    """The folder of a component: `gpu_pool`."""
    return component.__module__.rsplit(".", maxsplit=1)[-1]


def pages() -> Mapping[str, str]:
    """File name -> text, of all components and their list."""
    made = {f"{entity(component)}.md": _page(component) for component in COMPONENTS}
    rows = [
        (
            f"[{component.__name__}]({entity(component)}.md)",
            _intro(component).split("\n")[0].split(". ")[0].rstrip(".") + ".",
        )
        for component in COMPONENTS
    ]
    index = page(
        "# Components",
        "What other programs reuse: in Python as `from aiplatform.network import Network`, in every other "
        "Pulumi language through the plugin in `components/`, where names of arguments and outputs are in "
        "camelCase. Physical names start with `prefix`; providers are handed over explicitly, by `opts`. A "
        "wrong argument is an error that tells its path, before anything is registered.",
        table(["component", "what it is"], rows),
        "## From another language",
        "`pulumi package add <this repository>/components` generates an SDK of them; Pulumi YAML names the "
        "folder in `plugins.providers`. `examples/` has programs in all three languages. An output of "
        "one component is an input of the next, also a list or an object as a whole (`nodeGroups: "
        "${training.nodeGroups}`, a stack reference's `network`). Arguments that a component's page does not "
        "mark *output* decide what is created: they take a plain value, or an output that is already known.",
    )
    return {"README.md": index, **made}


def told_defaults() -> Iterator[tuple[str, str, str]]:
    """(argument, the default that its docstring tells, the real one) where both are plain words."""
    for component in COMPONENTS:
        definition, models = plugin().definitions[component.__name__], _models(component)
        parts = [(f"{component.__name__}Args", definition.inputs, definition.inputs_mapping)]
        parts += [
            (each.name, each.properties, each.properties_mapping) for each in _nested(parts[0][1].values())
        ]
        for owner, properties, names in parts:
            for key, prop in properties.items():
                real = _default(prop, models.get(owner), names[key]).strip("`")
                told = re.search(r"Default:? `?([\w./-]+?)`?\.(\s|$)", unwrapped(prop.description or ""))
                if told and real not in ("", "required"):
                    yield f"{owner}.{names[key]}", told[1], real


def inputs(component: str) -> tuple[Mapping[str, PropertyDefinition], Mapping[str, str], Any]:
    """Return a component's inputs, their names in Python, and what looks up the type of one."""
    definition = plugin().definitions[component]
    return definition.inputs, definition.inputs_mapping, plugin().type_of


def _example(component: str) -> Iterator[str]:
    """Its resource in a program of examples/, in three languages."""
    example = examples.example(component, inputs)
    yield "## Example"
    yield f"```python\n{example.python}\n```"
    yield f"```typescript\n{example.typescript}\n```"
    yield f"```yaml\nresources:\n{example.yaml}\n```"


def _notes(folder: str) -> Iterator[str]:
    """What no type tells, written by hand: what a component makes on each cloud, and what that costs idle."""
    file = ROOT / "docs" / "components" / "notes" / f"{folder}.md"
    if file.is_file():
        yield file.read_text().strip()


def _page(component: type) -> str:
    name, folder = component.__name__, entity(component)
    definition = plugin().definitions[name]
    models = _models(component)
    nested = list(_nested(definition.inputs.values()))
    told = [_section(each, models) for each in nested]
    results = [each for each in _nested(definition.outputs.values()) if each not in nested]
    arguments_type = f"{name}Args"
    return page(
        f"# {name}",
        _intro(component),
        f"```python\nfrom aiplatform.{folder} import {name}\n```",
        *_example(name),
        *_notes(folder),
        "## Arguments",
        "An argument marked *output* takes an output of another resource as well as a plain value; the "
        "others decide what is created, and must be plain.",
        _arguments(definition.inputs, definition.inputs_mapping, models.get(arguments_type)),
        *told,
        "## Outputs",
        table(
            ["name", "type", "meaning"],
            (
                (code(definition.outputs_mapping[key]), _type(prop), unwrapped(prop.description or ""))
                for key, prop in definition.outputs.items()
            ),
        ),
        *(_section(each, {}, given=False) for each in results),
    )


def _intro(component: type) -> str:
    return unwrapped(component.__doc__ or "")


def _section(definition: TypeDefinition, models: Mapping[str, type], *, given: bool = True) -> str:
    head = f"### {definition.name}\n\n{unwrapped(definition.description or '')}\n\n"
    if given:
        model = models.get(definition.name)
        return head + _arguments(definition.properties, definition.properties_mapping, model)
    rows = (
        (code(definition.properties_mapping[key]), _type(prop), unwrapped(prop.description or ""))
        for key, prop in definition.properties.items()
    )
    return head + table(["name", "type", "meaning"], rows)


def _arguments(
    properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], model: type | None
) -> str:
    rows = []
    for key, prop in properties.items():
        own = names[key]
        kind = _choices(model, own) or _type(prop)
        if not prop.plain:
            kind += ", *output*"
        rows.append((code(own), kind, _default(prop, model, own), unwrapped(prop.description or "")))
    return table(["name", "type", "default", "meaning"], rows)


def _type(prop: PropertyDefinition) -> str:
    if prop.items is not None:
        return f"list of {_type(prop.items)}"
    if prop.additional_properties is not None:
        return f"map of {_type(prop.additional_properties)}"
    definition = plugin().type_of(prop)
    if definition is not None and definition.enum is not None:
        return " or ".join(code(str(member.value)) for member in definition.enum)
    if prop.ref and ":" in prop.ref:
        name = prop.ref.rsplit(":", maxsplit=1)[-1]
        return f"[{name}](#{name.lower()})"
    return WORDS.get(prop.type, "any") if prop.type else "any"


def _nested(properties: Any) -> Iterator[TypeDefinition]:
    """The types that properties name, each once, the outer before the inner."""
    seen: dict[str, TypeDefinition] = {}

    def visit(prop: PropertyDefinition | None) -> None:
        if prop is None:
            return
        visit(prop.items)
        visit(prop.additional_properties)
        definition = plugin().type_of(prop)
        if definition is not None and definition.enum is None and definition.name not in seen:
            seen[definition.name] = definition
            for inner in definition.properties.values():
                visit(inner)

    for prop in properties:
        visit(prop)
    yield from seen.values()


def _models(component: type) -> dict[str, type]:
    """Public type -> the checked model behind it, by name: NetworkArgs is checked by NetworkSettings,
    ApiAccessArgs by ApiAccess."""
    import importlib

    name = component.__name__
    modules = [importlib.import_module(component.__module__ + ".args")]
    modules += [
        importlib.import_module(f"aiplatform._shared.{each}")
        for each in ("references.cluster", "kubernetes.names")
    ]
    modules += [
        importlib.import_module("aiplatform.network.args"),
        importlib.import_module("aiplatform._shared.aws.node_groups"),
    ]
    found: dict[str, type] = {}
    for module in modules:
        found |= {
            f"{each.__name__}Args": each for each in _dataclasses_of(module) if each.__name__ not in found
        }
        settings = getattr(module, f"{name}Settings", None)
        if settings is not None:
            found[f"{name}Args"] = settings
    return found


def _dataclasses_of(module: ModuleType) -> list[type]:
    return [
        each for each in vars(module).values() if isinstance(each, type) and dataclasses.is_dataclass(each)
    ]


def _field(model: type | None, name: str) -> dataclasses.Field[Any] | None:
    if model is None:
        return None
    return next((field for field in dataclasses.fields(model) if field.name == name), None)


def _choices(model: type | None, name: str) -> str | None:
    """The words that an argument takes, where they are few."""
    field = _field(model, name)
    annotation: Any = field.type if field else None
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return " or ".join(code(word) for word in get_args(annotation))
    return None


def _default(prop: PropertyDefinition, model: type | None, name: str) -> str:
    if not prop.optional:
        return "required"
    field = _field(model, name)
    if field is None:
        return ""
    if field.default is not dataclasses.MISSING:
        value: Any = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return ""
    plain = isinstance(value, (str, int, float, bool)) or (
        isinstance(value, (list, tuple)) and value and all(isinstance(each, str) for each in value)
    )
    if not plain or value == "":
        return ""
    return code(", ".join(value) if isinstance(value, (list, tuple)) else json.dumps(value).strip('"'))
