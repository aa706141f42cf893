"""What every component's schema must be, for the other Pulumi languages."""

import pulumi

from aiplatform._plugin.schema import analyze


def undocumented(component: type[pulumi.ComponentResource]) -> list[str]:
    """Return inputs, outputs and keys of nested types without a description; raise where none can be read."""
    definitions = analyze("aiplatform", [component])
    definition = definitions.components[component.__name__]
    properties = {component.__name__: {**definition.inputs, **definition.outputs}}
    for name, nested in definitions.types.items():
        properties[name] = nested.properties
    return [
        f"{owner}.{key}"
        for owner, keys in properties.items()
        for key, prop in keys.items()
        if not prop.description
    ]
