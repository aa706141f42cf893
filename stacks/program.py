"""The layers of an environment, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi

from stacks import data, foundation, ml
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.ml import Models
from stacks.settings import Settings


@dataclass(frozen=True)
class Layers:
    """All layers of one environment."""

    foundation: Foundation
    data: Data = field(default_factory=Data)
    models: Models = field(default_factory=Models)

    def by_name(self) -> dict[str, Foundation | Data | Models]:
        """The layers by the names of their outputs."""
        return {"foundation": self.foundation, "data": self.data, "models": self.models}


def build(settings: Settings) -> Layers:
    """Register every layer. Raises SettingsError, with nothing but the provider registered, where the cloud
    does not offer what the settings ask for."""
    first, hands = foundation.make(settings)
    if hands is None:
        return Layers(first)
    return Layers(first, data.build(settings, first, hands), ml.build(settings, first, hands))


def export(layers: Layers) -> None:
    """The stack's outputs."""
    for name, layer in layers.by_name().items():
        pulumi.export(name, layer.exported())
    if layers.foundation.cluster is not None:
        pulumi.export("kubeconfig", layers.foundation.cluster["kubeconfig"])
