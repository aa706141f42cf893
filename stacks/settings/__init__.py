"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

All keys are under `config: ai-platform:<topic>:`, one object a topic. Most topics are generated from the
arguments of a component (generated.py). Keys that a file leaves out come from its profile
(stacks/profiles.py). Unknown keys and wrong types are errors that name the file, the key and what is
expected, before the engine registers anything.

This package has the shape of a file. Rules that depend on the profile or on several topics are in
stacks/validation/; rules of a component's arguments are the component's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, PrivateAttr

from aiplatform.feature_store.args import MATERIALIZER as STORE_ACCOUNT
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from stacks.settings import principals
from stacks.settings.base import Topic
from stacks.settings.cluster import Cluster, ClusterAutoscaler, Karpenter
from stacks.settings.composition import Layers, Shared
from stacks.settings.cost import Cost
from stacks.settings.data import MATERIALIZER, FeatureStore, Lakehouse, WorkloadIdentity
from stacks.settings.environment import Environment
from stacks.settings.functions import Function, LogBucket
from stacks.settings.generated import ComponentTopic, stated
from stacks.settings.kubernetes import (
    Addons,
    ContinuousTraining,
    Gateway,
    Guardrails,
    ModelMonitor,
    Observability,
    Pipelines,
    Queues,
    Serving,
    Training,
)
from stacks.settings.ml import ContainerRegistry, ModelRegistry, ModelStore
from stacks.settings.network import Images, Network
from stacks.settings.pools import CapacityEntry, GpuPool, NodeImages, NodePool, Pool
from stacks.settings.runner import Runner
from stacks.settings.teams import SERVICE_ACCOUNT, Team, TeamName
from stacks.settings.workflows import Workflow

__all__ = [
    "MATERIALIZER",
    "NAMESPACE",
    "TOPICS",
    "Addons",
    "CapacityEntry",
    "Cluster",
    "ClusterAutoscaler",
    "ContainerRegistry",
    "ContinuousTraining",
    "Cost",
    "Environment",
    "FeatureStore",
    "Function",
    "Gateway",
    "GpuPool",
    "Guardrails",
    "Images",
    "Karpenter",
    "Lakehouse",
    "LogBucket",
    "ModelMonitor",
    "ModelRegistry",
    "ModelStore",
    "Network",
    "NodeImages",
    "NodePool",
    "Observability",
    "Pipelines",
    "Pool",
    "Runner",
    "Serving",
    "Settings",
    "Team",
    "Topic",
    "Training",
    "Workflow",
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
    cost: Cost = Cost()
    network: Network
    cluster: Cluster
    cluster_autoscaler: ClusterAutoscaler | None = None
    """Left out, it is as the profile states."""
    karpenter: Karpenter | None = None
    """Left out, it is as the profile states."""
    runner: Runner = Runner()
    images: Images = Images()
    node_images: NodeImages = NodeImages()
    node_pools: dict[str, NodePool] = Field(default_factory=dict)
    """CPU pools by name."""
    gpu_pools: dict[str, GpuPool] = Field(default_factory=dict)
    """GPU pools by name."""
    workload_identities: dict[str, WorkloadIdentity] = Field(default_factory=dict)
    """Workload identities by name."""
    addons: Addons | None = None
    """Left out, there are none."""
    guardrails: Guardrails | None = None
    """Left out, there are none."""
    queues: Queues | None = None
    """Left out, there are none."""
    training: Training | None = None
    """Left out, there is none."""
    pipelines: Pipelines | None = None
    """Left out, there are none."""
    continuous_training: ContinuousTraining | None = None
    """Left out, there is none."""
    model_monitor: ModelMonitor | None = None
    """Left out, there is none."""
    observability: Observability | None = None
    """Left out, there is none."""
    lakehouse: Lakehouse | None = None
    """Left out, there is none."""
    feature_store: FeatureStore | None = None
    """Left out, there is none."""
    container_registry: ContainerRegistry | None = None
    """Left out, there is none."""
    model_registry: ModelRegistry | None = None
    """Left out, there is none."""
    model_store: ModelStore | None = None
    """Left out, there is none."""
    workflows: dict[str, Workflow] = Field(default_factory=dict)
    """Workflows of functions and jobs by name."""
    serving: Serving | None = None
    """Left out, there is none."""
    teams: dict[TeamName, Team] = Field(default_factory=dict)
    """Teams by name."""
    gateway: Gateway | None = None
    """Left out, there is none."""
    functions: dict[str, Function] = Field(default_factory=dict)
    """Functions by name."""
    log_bucket: LogBucket | None = None
    """Left out, each function and workflow has a log bucket."""
    _archived_teams: dict[str, Team] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _: Any) -> None:
        """Take the archived teams out of `teams`: nothing is created for them."""
        for name in [name for name, team in self.teams.items() if team.archive]:
            self._archived_teams[name] = self.teams.pop(name)

    @property
    def archived_teams(self) -> Mapping[str, Team]:
        """Teams with `archive: true`, which are not in `teams`."""
        return self._archived_teams

    @property
    def identities(self) -> dict[str, WorkloadIdentity]:
        """The file's workload identities, and those that the platform adds."""
        added = WorkloadIdentity.model_validate(
            {"namespace": STORE_NAMESPACE, "service_account": STORE_ACCOUNT}
        )
        of_teams = {
            name: WorkloadIdentity.model_validate(
                {"namespace": self.namespace_of(name), "service_account": SERVICE_ACCOUNT}
            )
            for name in self.teams
        }
        store = {MATERIALIZER: added} if self.feature_store else {}
        return {**self.workload_identities, **of_teams, **store}

    def namespace_of(self, team: str) -> str:
        """Return the namespace of a team."""
        return stated({**self.archived_teams, **self.teams}[team]).get("namespace") or team

    @property
    def gateway_class(self) -> str | None:
        """The class of the gateway, `envoy` or `gke`; None where there is no gateway."""
        return None if self.gateway is None else stated(self.gateway).get("gateway_class", "envoy")

    @property
    def queue_names(self) -> list[str]:
        """The names of the queues, each once: the component refuses one that is stated twice."""
        topic: dict[str, Any] = stated(self.queues) if self.queues is not None else {}
        queues: list[dict[str, Any]] = topic.get("queues", [])
        return list(dict.fromkeys(queue["name"] for queue in queues))

    @property
    def karpenter_pools(self) -> list[str]:
        """The names of the GPU pools whose nodes Karpenter creates; none on Google Cloud, where the component
        refuses it."""
        if self.environment.cloud != "aws":
            return []
        return [name for name, pool in self.gpu_pools.items() if pool.with_karpenter]

    @property
    def named_principals(self) -> dict[str, str]:
        """Dotted key -> who is named there, a workload identity or a principal of the cloud."""
        principals_by_key: dict[str, str] = {}
        for name in principals.PLACES:
            topic: ComponentTopic | dict[str, ComponentTopic] | None = getattr(self, name)
            if isinstance(topic, dict):
                args = {key: stated(entry) for key, entry in topic.items()}
                principals_by_key.update(principals.named(name, args))
            elif topic is not None:
                principals_by_key.update(principals.named(name, stated(topic)))
        return principals_by_key

    @property
    def controls_costs(self) -> bool:
        """Whether there is something that the component Cost has: of the topic, or budgets of teams."""
        return self.cost.controls or any(team.budget is not None for team in self.teams.values())

    @property
    def has_runner(self) -> bool:
        """Whether there is a runner in the network."""
        if self.environment.cloud != "aws":
            return False
        return self.cluster.in_vpc if self.runner.enabled is None else self.runner.enabled


def key(topic: str) -> str:
    """The configuration key of a topic: `ai-platform:network`."""
    return f"{NAMESPACE}:{topic}"


TOPICS: tuple[str, ...] = tuple(Settings.model_fields)
FILE = re.compile(r"^Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml$")


def parse(topics: dict[str, Any]) -> Settings:
    """Settings from the merged topics; raises pydantic's ValidationError."""
    return Settings.model_validate(topics)
