"""The topics `shared`, `layers` and `layer`: what an environment is composed of, and in which stacks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import Field, StringConstraints

from stacks.settings.base import Topic

LayerName = Literal["kubernetes", "data", "ml", "teams"]


@dataclass(frozen=True)
class LayerDefinition:
    """What layers.toml states of a layer."""

    output: str
    """The stack output that has the layer's values."""
    components: tuple[str, ...]
    """The components that the layer may have."""


_FILE: Final = tomllib.loads((Path(__file__).parents[1] / "layers.toml").read_text())
FOUNDATION_OUTPUT: Final[str] = _FILE["foundation_output"]
"""The output of the environment's own stack that the stacks of layers read."""
LAYERS: Final[Mapping[LayerName, LayerDefinition]] = {
    cast(LayerName, name): LayerDefinition(layer["output"], tuple(layer["components"]))
    for name, layer in _FILE["layers"].items()
}
"""The layers that can have a separate stack, in the order of their deployment. The foundation is always in
the environment's stack."""
ENVIRONMENT: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SHARED_NAME: Final = r"^[a-z0-9]+([_-][a-z0-9]+)*$"


class Shared(Topic):
    """Declarations that several environments share. The file's own keys override them: objects merge key by
    key; tables of the lakehouse merge by zone and name, other entries with a name by it; other lists and
    scalars replace, and a key replaces one that it excludes (`network.zone_ids` the shared `zone_count`)."""

    files: list[Annotated[str, StringConstraints(pattern=SHARED_NAME)]] = Field(default_factory=list)
    """Names of files in `environments/shared/`, without `.yaml`."""
    remove: list[str] = Field(default_factory=list)
    """Shared declarations that this environment leaves out, by their paths:
    `workload_identities.analysts`, `lakehouse.tables.curated.trips`, `feature_store`."""


class Layers(Topic):
    """In which stacks the environment's layers are."""

    separate: list[LayerName] = Field(default_factory=list[LayerName])
    """Layers with a separate stack, `<environment>-<layer>`: `kubernetes` (add-ons, queues and guardrails of
    the cluster), `data` (lakehouse, feature store), `ml` (container registry, model registry, model store) or
    `teams`. Each needs a file `environments/Pulumi.<environment>-<layer>.yaml`
    (docs/operations/large-stacks.md). Default none: one stack for all."""


class Layer(Topic):
    """What a stack of a single layer is: the only topic of its file."""

    environment: Annotated[str, StringConstraints(pattern=ENVIRONMENT)]
    """The environment, by the name of its stack: `aws-prod`. Its file has all settings."""
    name: LayerName
    """The layer, which the environment's file lists under `layers.separate`."""


def stack_name(environment: str, layer: str) -> str:
    """Return the name of the stack that has a layer of an environment."""
    return f"{environment}-{layer}"
