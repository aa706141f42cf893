"""The stacks of an environment: its own, and those of layers that its file separates (docs/adr/0025)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cli.output import CommandError, command_name, note
from cli.stack_names import FOLDER, FOUNDATION_OUTPUT, LAYERS

if TYPE_CHECKING:
    from twin.instances import Instance

TOPIC: Final = "ai-platform:layers"
_FILE: Final = """\
# yaml-language-server: $schema=schema.json
config:
  pulumi:disable-default-providers: ["*"]
  ai-platform:layer: {{environment: {environment}, name: {layer}}}
"""


def of(environment: str, *, in_bootstrap: bool = False) -> list[str]:
    """Return the stacks of an environment in the order of their deployment. Raises CommandError where one has
    no file. in_bootstrap: include layers during a bootstrap, when they cannot be deployed."""
    from cli import instances

    config = instances.config(environment)
    layers = config.get(TOPIC)
    separate = layers.get("separate") if isinstance(layers, dict) else None
    # A wrong shape is reported by the program.
    named = [layer for layer in LAYERS if isinstance(separate, list) and layer in separate]
    if config[instances.TOPIC].get("bootstrap") and not in_bootstrap:
        named = []
    for layer in named:
        file = FOLDER / f"Pulumi.{environment}-{layer}.yaml"
        if not file.exists():
            content = _FILE.format(environment=environment, layer=layer)
            raise CommandError(
                f"environments/Pulumi.{environment}.yaml: {TOPIC}.separate: {layer} has no stack file; "
                f"expected environments/{file.name} with\n\n{content}"
            )
    return [environment, *(f"{environment}-{layer}" for layer in named)]


def run_in_order(stacks: Sequence[str], run: Callable[[str], int]) -> int:
    """Run a command on one stack after the other, up to the first that fails; return its exit code."""
    for stack in stacks:
        if len(stacks) > 1:
            note(f"stack {stack}:")
        if code := run(stack):
            return code
    return 0


def refuse_unmoved(instance: Instance, environment: str, stacks: Sequence[str]) -> None:
    """Raise CommandError where a layer is still in another stack than the environment's file states: an `up`
    would delete it with its data, or create it again."""
    from cli import engine

    # The state of an environment is large, and several layers can be in it.
    types_of = functools.cache(lambda stack: engine.component_types(instance, stack))
    for layer, definition in LAYERS.items():
        of_layer = f"{environment}-{layer}"
        separate = of_layer in stacks
        former, expected = (environment, of_layer) if separate else (of_layer, environment)
        types = types_of(former)
        present = [name for name in definition["components"] if f"aiplatform:index:{name}" in types]
        if present:
            effect = "delete" if separate else "create again"
            raise CommandError(
                f"the stack {former} still has {' and '.join(present)}, which this `up` would {effect}; "
                f"expected in {expected}: move the state first (docs/operations/large-stacks.md)"
            )


def can_preview(instance: Instance, environment: str, stack: str) -> bool:
    """Return whether a stack can be previewed: that of a layer reads outputs of the environment's, which an
    `up` creates."""
    from cli import engine

    return stack == environment or bool(engine.outputs(instance, environment).get(FOUNDATION_OUTPUT))


def not_deployed(environment: str, stack: str) -> str:
    """Return why a stack cannot be previewed."""
    return (
        f"{stack}: not previewed, since it reads outputs of {environment}, which is not deployed yet; "
        f"run `{command_name()} up {environment}` first"
    )
