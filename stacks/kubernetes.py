"""The second layer: what runs inside the cluster for all teams, its add-ons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi import Output

from stacks import arguments
from stacks.foundation import Foundation, LayerOptions
from stacks.settings import Settings


@dataclass(frozen=True)
class InCluster:
    """What other layers need: serialisable values only."""

    addons: dict[str, Any] | None = None
    """Addons.outputs, or None where the environment has none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        return Output.from_input({"addons": self.addons})


def build(settings: Settings, below: Foundation, options: LayerOptions) -> InCluster:
    """Register the layer."""
    if settings.addons is None:
        return InCluster()
    # Imported late: an environment without them does not wait for it.
    from aiplatform.addons import Addons

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    addons = Addons("addons", arguments.addons(settings, below.cluster), options.cluster)
    return InCluster(addons=dict(addons.outputs))
