"""The layers of an environment, in their order, in one stack or in several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi

from stacks import archived_teams, data, foundation, kubernetes, layer_stacks, ml, teams
from stacks.data import Data
from stacks.foundation import Foundation, LayerOptions
from stacks.kubernetes import InCluster
from stacks.loading import Loaded, refusal
from stacks.ml import Models
from stacks.settings import Settings
from stacks.settings.composition import FOUNDATION_OUTPUT, LAYERS, LayerName
from stacks.teams import Below, Teams

Layer = InCluster | Data | Models | Teams
_BUILD: Final[Mapping[str, Callable[[Settings, Foundation, LayerOptions], Layer]]] = {
    "kubernetes": kubernetes.build,
    "data": data.build,
    "ml": ml.build,
}


@dataclass(frozen=True)
class Layers:
    """All layers that an environment's own stack has."""

    foundation: Foundation
    kubernetes: InCluster = field(default_factory=InCluster)
    data: Data = field(default_factory=Data)
    models: Models = field(default_factory=Models)
    teams: Teams = field(default_factory=Teams)
    separate: frozenset[LayerName] = frozenset()
    """Layers that have a separate stack."""

    def by_output(self) -> dict[str, Foundation | Layer]:
        """Return the layers of this stack by the names of their outputs."""
        above: Mapping[LayerName, Layer] = {
            "kubernetes": self.kubernetes,
            "data": self.data,
            "ml": self.models,
            "teams": self.teams,
        }
        present = {LAYERS[name].output: layer for name, layer in above.items() if name not in self.separate}
        return {FOUNDATION_OUTPUT: self.foundation, **present}


async def deploy(loaded: Loaded) -> None:
    """Register the resources and outputs of a stack. Raises SettingsError."""
    separate = "teams" in loaded.settings.layers.separate
    if loaded.layer == "teams" or (loaded.layer is None and not separate):
        removed = await archived_teams.problems(loaded.settings)
        if removed:
            raise refusal(loaded.environment, removed)
    if loaded.layer is None:
        export(build(loaded.settings))
    else:
        layer = await build_layer(loaded.settings, loaded.environment, loaded.layer)
        pulumi.export(LAYERS[loaded.layer].output, layer.exported())


def build(settings: Settings) -> Layers:
    """Register every layer that has no separate stack. Raises SettingsError, with nothing but the provider
    registered, where the cloud does not offer what the settings request."""
    first, options = foundation.make(settings)
    separate = frozenset(settings.layers.separate)
    if options is None:
        return Layers(first, separate=separate)
    below = Below(
        first,
        InCluster() if "kubernetes" in separate else kubernetes.build(settings, first, options),
        Data() if "data" in separate else data.build(settings, first, options),
        Models() if "ml" in separate else ml.build(settings, first, options),
    )
    last = Teams() if "teams" in separate else teams.build(settings, below, options)
    return Layers(first, below.kubernetes, below.data, below.models, last, separate)


async def build_layer(settings: Settings, environment: str, layer: LayerName) -> Layer:
    """Register a layer in its separate stack. environment: the stack that has the foundation. Raises
    SettingsError where that stack is not deployed yet."""
    below = await layer_stacks.foundation_of(environment)
    options = layer_stacks.options(settings, below)
    if layer != "teams":
        return _BUILD[layer](settings, below, options)
    others = await layer_stacks.layers_of(environment, settings.layers.separate)
    in_cluster, lake, models = (others[name] for name in ("kubernetes", "data", "ml"))
    return teams.build(
        settings, Below(below, InCluster(**in_cluster), Data(**lake), Models(**models)), options
    )


def export(layers: Layers) -> None:
    """Register the stack's outputs."""
    for name, layer in layers.by_output().items():
        pulumi.export(name, layer.exported())
    if layers.foundation.cluster is not None:
        pulumi.export("kubeconfig", layers.foundation.cluster["kubeconfig"])
