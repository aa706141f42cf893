"""What every component's schema must be, for the other Pulumi languages."""

from typing import Any

import pulumi
from pulumi.provider.experimental.analyzer import Analyzer


def undocumented(component: type[pulumi.ComponentResource]) -> list[str]:
    """Inputs, outputs and keys of nested types without a description; raises where none can be read."""
    analysed: Any = Analyzer("aiplatform").analyze([component])
    definition = analysed["component_definitions"][component.__name__]
    found = {component.__name__: {**definition.inputs, **definition.outputs}}
    for name, nested in analysed["type_definitions"].items():
        found[name] = nested.properties
    return [
        f"{owner}.{key}"
        for owner, keys in found.items()
        for key, prop in keys.items()
        if not prop.description
    ]
