"""A component that has the collectors alone, on both clouds, for tests of what they register."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi

from aiplatform._shared.args import read
from aiplatform._shared.context import Context
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.observability.collectors import Settings
from tests.components.recording import Recording, record

CLUSTERS: dict[str, dict[str, Any]] = {
    "aws": {"name": "acme-dev-cluster", "security_group_id": "sg-1"},
    "gcp": {
        "name": "acme-dev-cluster",
        "cloud": "gcp",
        "project": "acme-dev",
        "region": "europe-west4",
        "location": "europe-west4-a",
        "node_service_account": "nodes@acme-dev.iam.gserviceaccount.com",
        "workload_pool": "acme-dev.svc.id.goog",
    },
}
"""A reference to a cluster of each cloud."""


@dataclass(frozen=True)
class Example:
    """Settings as those of the component, without what is not about collectors."""

    cluster: ClusterReference
    prefix: str = "acme-dev"
    mirrors: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    retain_data: bool = False
    tags: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])


def recorded(cloud: str, build: Callable[[Context[Settings]], Any], **settings: Any) -> Recording:
    """Return what a component registers that consists of what `build` creates."""

    class Monitoring(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:index:Monitoring", "monitoring")
            cluster = read(ClusterReference, CLUSTERS[cloud], "cluster")
            build(Context(self, "monitoring", Example(cluster, **settings)))
            self.register_outputs({})

    return record(Monitoring)
