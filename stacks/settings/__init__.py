"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

Everything stands under `config: ai-platform:<topic>:`, one object a topic. What a file leaves out comes from
its profile (stacks/profiles.py). Unknown keys and wrong types are errors that name the file, the key and what
would be right, before the engine registers anything.

Here stand the shape of a file and the rules of the platform: what a profile allows, what joins several
topics. What a value of a component may be is the component's to judge (stacks/components.py asks it), and is
not said here again.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from aiplatform.feature_store.args import MATERIALIZER as STORE_ACCOUNT
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from stacks.settings import principals
from stacks.settings.cluster import ApiAccess, Autoscaling, Cluster, SystemNodes
from stacks.settings.composition import Layers, Shared
from stacks.settings.data import MATERIALIZER, FeatureStore, Lakehouse, WorkloadIdentity
from stacks.settings.environment import Environment
from stacks.settings.from_arguments import OfArguments, given
from stacks.settings.ml import ContainerRegistry, ModelRegistry
from stacks.settings.network import FlowLogs, Images, Network
from stacks.settings.pools import CapacityEntry, GpuPool, NodePool, Pool, Sharing, Taint
from stacks.settings.runner import Runner
from stacks.settings.topic import Topic

__all__ = [
    "MATERIALIZER",
    "NAMESPACE",
    "TOPICS",
    "ApiAccess",
    "Autoscaling",
    "CapacityEntry",
    "Cluster",
    "ContainerRegistry",
    "Environment",
    "FeatureStore",
    "FlowLogs",
    "GpuPool",
    "Images",
    "Lakehouse",
    "ModelRegistry",
    "Network",
    "NodePool",
    "Pool",
    "Runner",
    "Settings",
    "Sharing",
    "SystemNodes",
    "Taint",
    "Topic",
    "WorkloadIdentity",
    "key",
    "parse",
]

NAMESPACE = "ai-platform"


class Settings(Topic):
    """An environment file with its profile's defaults filled in: one field a topic."""

    environment: Environment
    shared: Shared = Shared()
    layers: Layers = Layers()
    network: Network
    cluster: Cluster
    runner: Runner = Runner()
    images: Images = Images()
    node_pools: dict[str, NodePool] = Field(default_factory=dict)
    """CPU pools by name."""
    gpu_pools: dict[str, GpuPool] = Field(default_factory=dict)
    """GPU pools by name."""
    workload_identities: dict[str, WorkloadIdentity] = Field(default_factory=dict)
    """Workload identities by name."""
    lakehouse: Lakehouse | None = None
    """Left out, there is none."""
    feature_store: FeatureStore | None = None
    """Left out, there is none."""
    container_registry: ContainerRegistry | None = None
    """Left out, there is none."""
    model_registry: ModelRegistry | None = None
    """Left out, there is none."""

    @property
    def identities(self) -> dict[str, WorkloadIdentity]:
        """The file's workload identities, and those that the platform adds."""
        added = WorkloadIdentity(namespace=STORE_NAMESPACE, service_account=STORE_ACCOUNT)
        return {**self.workload_identities, **({MATERIALIZER: added} if self.feature_store else {})}

    @property
    def named_principals(self) -> dict[str, str]:
        """Dotted key -> who is named there, a workload identity or a principal of the cloud."""
        found: dict[str, str] = {}
        for topic in principals.PLACES:
            there: OfArguments | None = getattr(self, topic)
            if there is not None:
                found.update(principals.named(topic, given(there)))
        return found

    @property
    def has_runner(self) -> bool:
        """Whether there is a runner in the network."""
        if self.environment.cloud != "aws":
            return False
        wanted = self.cluster.api_access == "in_vpc"
        return wanted if self.runner.enabled is None else self.runner.enabled


def key(topic: str) -> str:
    """The configuration key of a topic: `ai-platform:network`."""
    return f"{NAMESPACE}:{topic}"


TOPICS: tuple[str, ...] = tuple(Settings.model_fields)
FILE = re.compile(r"^Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml$")


def parse(topics: dict[str, Any]) -> Settings:
    """Settings from the merged topics; raises pydantic's ValidationError."""
    return Settings.model_validate(topics)
