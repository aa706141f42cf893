"""docs/clouds.md: what each argument becomes on each cloud, from the tables that refuse arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi.provider.experimental.analyzer import PropertyDefinition

from aiplatform._plugin import COMPONENTS
from aiplatform._shared.cloud_support import CLOUDS, Refused
from stacks.explain.effects import support
from tests.generating.components import entity, plugin
from tests.generating.tables import code, page, table


def arguments(component: type) -> Iterator[str]:
    """Yield every argument of a component as the tables name it, `capacity.zone`.

    The outputs of another component that it refers to are one argument.
    """
    definition = plugin().definitions[component.__name__]
    yield from _paths(definition.inputs, definition.inputs_mapping, "")


def _paths(properties: Any, names: Any, before: str) -> Iterator[str]:
    for key, prop in properties.items():
        path = f"{before}{names[key]}"
        yield path
        inner = _innermost(prop)
        definition = plugin().type_of(inner)
        if definition is not None and not definition.name.endswith("ReferenceArgs"):
            yield from _paths(definition.properties, definition.properties_mapping, f"{path}.")


def _innermost(prop: PropertyDefinition) -> PropertyDefinition:
    while prop.items is not None or prop.additional_properties is not None:
        prop = prop.items or prop.additional_properties or prop
    return prop


def text() -> str:
    """Return the page."""
    parts: list[str] = []
    for component in COMPONENTS:
        rows = [
            (code(path) if path else "*the component*", *(_cell(getattr(on, cloud)) for cloud in CLOUDS))
            for path, on in support(component).items()
        ]
        parts += [
            f"## [{component.__name__}](components/{entity(component)}.md)",
            table(["argument", *CLOUDS.values()], rows),
        ]
    return page(
        "# What each argument becomes on each cloud",
        "Arguments are the same on every cloud. Where one has no meaning, it is refused with the reason "
        "below, before anything is registered. The line of an object applies to all of its keys that have "
        "no line.",
        *parts,
    )


def _cell(meaning: str | Refused) -> str:
    return f"*refused*: {meaning.reason}" if isinstance(meaning, Refused) else meaning
