"""The second layer: what the cluster has for all teams, its add-ons and guardrails."""

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
    guardrails: dict[str, Any] | None = None
    """Guardrails.outputs, or None where the environment has none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        return Output.from_input({"addons": self.addons, "guardrails": self.guardrails})


def build(settings: Settings, below: Foundation, options: LayerOptions) -> InCluster:
    """Register the layer."""
    return InCluster(addons=_addons(settings, below, options), guardrails=_guardrails(settings, options))


# Components are imported late: an environment without them does not wait for it.
def _addons(settings: Settings, below: Foundation, options: LayerOptions) -> dict[str, Any] | None:
    if settings.addons is None:
        return None
    from aiplatform.addons import Addons

    assert below.cluster is not None, "no layer is built during `bootstrap`"  # noqa: S101
    addons = Addons("addons", arguments.addons(settings, below.cluster), options.cluster)
    return dict(addons.outputs)


def _guardrails(settings: Settings, options: LayerOptions) -> dict[str, Any] | None:
    if settings.guardrails is None:
        return None
    from aiplatform.guardrails import Guardrails

    guardrails = Guardrails("guardrails", arguments.guardrails(settings), options.cluster)
    return dict(guardrails.outputs)
