"""Outputs of a component: declared once, as annotations of its class, and set from what it built.

    class Box(ComponentResource):
        name: KnownOutput[str]
        \"\"\"The box's name.\"\"\"
        arn: Output[str | None]
        \"\"\"AWS: the box's arn.\"\"\"

The plugin's schema and the pages of docs are derived from the annotations. `make generate` writes the
TypedDict of `Box.outputs` (`BoxOutputs` in outputs.py), and adds the outputs that no component reads to the
TypedDict of a reference to the component.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pulumi import ComponentResource, Output

T = TypeVar("T")

KNOWN: Final = "known while the program runs"
KnownOutput = Annotated[Output[T], KNOWN]
"""An output whose value is known while the program runs. In `outputs` it is a plain value, by which a Python
program can decide what it creates."""


def publish(component: ComponentResource, outputs: Mapping[str, Any]) -> None:
    """Set the outputs that the class of a component declares as attributes, and register them.

    One that is missing has the value None. Raises TypeError for a key that the class does not declare.
    """
    kind = type(component)
    declared = inspect.get_annotations(kind)
    undeclared = sorted(outputs.keys() - declared.keys())
    if undeclared:
        raise TypeError(f"{kind.__name__} does not declare the output {', '.join(undeclared)}")
    for key in declared:
        value = outputs.get(key)
        # The same object where it is an output already: `principals.known` looks outputs up by identity.
        setattr(component, key, value if isinstance(value, Output) else Output.from_input(value))
    component.register_outputs(dict(outputs))
