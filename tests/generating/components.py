"""A page a component, from its types, its docstrings and the defaults of its checked arguments."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType, TypeDefinition

from aiplatform._plugin import COMPONENTS, Plugin, unwrapped
from aiplatform._plugin.schema import model_of, settings_of
from stacks.explain.checked import entity as entity
from tests.generating import examples
from tests.generating.tables import code, page, table

ROOT = Path(__file__).parents[2]
WORDS = {
    PropertyType.STRING: "string",
    PropertyType.INTEGER: "integer",
    PropertyType.NUMBER: "number",
    PropertyType.BOOLEAN: "boolean",
}


_FROM_OUTPUT = """\
```python
from aiplatform.references import NetworkReferenceArgs, from_output

network = from_output(
    NetworkReferenceArgs,
    pulumi.StackReference("acme/foundation/dev").get_output("network"),
    cloud="gcp",
    project="acme-dev",
    region="europe-west4",
    zones=["europe-west4-a", "europe-west4-b", "europe-west4-c"],
)
```

`network` is then an argument like `Network.outputs`. The update fails where the other stack's output
contradicts what is stated. On AWS the output itself is enough."""


@cache
def plugin() -> Plugin:
    """The plugin with the version of the project."""
    import tomllib

    return Plugin(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def schema() -> str:
    """The plugin's Pulumi schema, as `pulumi package get-schema components` gives it."""
    return json.dumps(json.loads(plugin().schema or ""), indent=2) + "\n"


def pages() -> Mapping[str, str]:
    """File name -> text, of all components and their list."""
    by_name = {f"{entity(component)}.md": _page(component) for component in COMPONENTS}
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
        "wrong argument is an error with its path, before anything is registered.",
        table(["component", "what it is"], rows),
        "## From another language",
        "`pulumi package add <this repository>/components` generates an SDK of them; Pulumi YAML names the "
        "folder in `plugins.providers`. `examples/` has programs in all three languages. An output of "
        "one component is an input of the next, also a list or an object as a whole (`nodeGroups: "
        "${training.nodeGroups}`, a stack reference's `network`, also if that stack's program is in Python). "
        "Arguments that a component's page does not mark *output* decide what is created: they take a plain "
        "value, or an output that is already known.",
        "## From another stack, in Python",
        "The value of an output is not known while a Python program runs. For a network or a cluster of a "
        "`pulumi.StackReference` state what decides the resources: on Google Cloud the cloud, the project, "
        "the region, and the zones.",
        _FROM_OUTPUT,
    )
    return {"README.md": index, **by_name}


def documented_defaults() -> Iterator[tuple[str, str, str]]:
    """Yield (argument, the default in its docstring, the real one) where both are plain words."""
    for component in COMPONENTS:
        definition = plugin().definitions[component.__name__]
        arguments = f"{component.__name__}Args"
        parts = [(arguments, definition.inputs, definition.inputs_mapping, settings_of(component))]
        parts += [
            (nested.name, nested.properties, nested.properties_mapping, checked_model(nested))
            for nested in nested_arguments(component)
        ]
        for owner, properties, names, model in parts:
            for key, prop in properties.items():
                default = _default(prop, model, names[key]).strip("`")
                text = re.search(r"Default:? `?([\w./-]+?)`?\.(\s|$)", unwrapped(prop.description or ""))
                if text and default not in ("", "required"):
                    yield f"{owner}.{names[key]}", text[1], default


def checked_model(nested: TypeDefinition) -> type | None:
    """Return the dataclass that checks a nested type. Its name may lack the component's: `ColumnSettings` for
    LakehouseColumnArgs."""
    package = nested.module.split(".")[1]
    prefix = "".join(word.capitalize() for word in package.split("_"))
    short = dataclasses.replace(nested, name=nested.name.removeprefix(prefix))
    return model_of(nested) or model_of(short)


def nested_arguments(component: type) -> Iterator[TypeDefinition]:
    """Yield the types that the arguments of a component name, at any depth."""
    yield from _nested(plugin().definitions[component.__name__].inputs.values())


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
    """Yield what no type states, written by hand: what a component creates on each cloud, and its idle
    cost."""
    file = ROOT / "docs" / "components" / "notes" / f"{folder}.md"
    if file.is_file():
        yield file.read_text().strip()


def _page(component: type) -> str:
    name, folder = component.__name__, entity(component)
    definition = plugin().definitions[name]
    nested = list(nested_arguments(component))
    results = [result for result in _nested(definition.outputs.values()) if result not in nested]
    return page(
        f"# {name}",
        _intro(component),
        f"```python\nfrom aiplatform.{folder} import {name}\n```",
        *_example(name),
        *_notes(folder),
        "## Arguments",
        "An argument marked *output* takes an output of another resource as well as a plain value; the "
        "others decide what is created, and must be plain.",
        _arguments(definition.inputs, definition.inputs_mapping, settings_of(component)),
        *(_section(argument) for argument in nested),
        "## Outputs",
        table(
            ["name", "type", "meaning"],
            (
                (code(definition.outputs_mapping[key]), _type(prop), unwrapped(prop.description or ""))
                for key, prop in definition.outputs.items()
            ),
        ),
        *(_output_section(result) for result in results),
    )


def _intro(component: type) -> str:
    return unwrapped(component.__doc__ or "")


def _section(definition: TypeDefinition) -> str:
    return _head(definition) + _arguments(
        definition.properties, definition.properties_mapping, checked_model(definition)
    )


def _output_section(definition: TypeDefinition) -> str:
    rows = (
        (code(definition.properties_mapping[key]), _type(prop), unwrapped(prop.description or ""))
        for key, prop in definition.properties.items()
    )
    return _head(definition) + table(["name", "type", "meaning"], rows)


def _head(definition: TypeDefinition) -> str:
    return f"### {definition.name}\n\n{unwrapped(definition.description or '')}\n\n"


def _arguments(
    properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], model: type | None
) -> str:
    rows = []
    for key, prop in properties.items():
        name = names[key]
        kind = _choices(model, name) or _type(prop)
        if not prop.plain:
            kind += ", *output*"
        rows.append((code(name), kind, _default(prop, model, name), unwrapped(prop.description or "")))
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
        isinstance(value, (list, tuple)) and value and all(isinstance(entry, str) for entry in value)
    )
    if not plain or value == "":
        return ""
    return code(", ".join(value) if isinstance(value, (list, tuple)) else json.dumps(value).strip('"'))
