"""The second layer: the lakehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi import Output

from aiplatform.lakehouse import Lakehouse
from stacks import data_arguments
from stacks.foundation import Foundation, Hands
from stacks.settings import Settings


@dataclass(frozen=True)
class Data:
    """What the layers above need: serialisable values alone."""

    lakehouse: dict[str, Any] | None = None
    """Lakehouse.outputs, or None where the file has none."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        return Output.from_input({"lakehouse": self.lakehouse})


def build(settings: Settings, below: Foundation, hands: Hands) -> Data:
    """Register the layer."""
    if settings.lakehouse is None:
        return Data()
    principals = {name: each["principal"] for name, each in below.workload_identities.items()}
    lakehouse = Lakehouse("lakehouse", data_arguments.lakehouse(settings, principals), hands.cloud)
    return Data(lakehouse=dict(lakehouse.outputs))
