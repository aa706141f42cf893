"""The third layer: the lakehouse and the feature store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi import Output

from stacks import data_arguments as arguments
from stacks.foundation import Foundation, LayerOptions
from stacks.settings import Settings


@dataclass(frozen=True)
class Data:
    """What other layers need: serialisable values only."""

    lakehouse: dict[str, Any] | None = None
    """Lakehouse.outputs, or None where the environment has none."""
    feature_store: dict[str, Any] | None = None
    """FeatureStore.outputs, or None where the environment has none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        return Output.from_input({"lakehouse": self.lakehouse, "feature_store": self.feature_store})


def build(settings: Settings, below: Foundation, options: LayerOptions) -> Data:
    """Register the layer."""
    if settings.lakehouse is None:
        return Data()
    # Imported late: an environment without them does not wait for it.
    from aiplatform.lakehouse import Lakehouse

    lakehouse = Lakehouse("lakehouse", arguments.lakehouse(settings, below), options.cloud)
    data = Data(lakehouse=dict(lakehouse.outputs))
    if settings.feature_store is None:
        return data
    from aiplatform.feature_store import FeatureStore

    features = FeatureStore(
        "feature-store",
        arguments.feature_store(settings, below, data.lakehouse or {}),
        options.cluster,
    )
    return Data(lakehouse=data.lakehouse, feature_store=dict(features.outputs))
