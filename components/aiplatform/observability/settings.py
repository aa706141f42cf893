"""What rules and dashboards depend on, as plain values: which parts of the environment are monitored.

The component computes a `Settings` from its arguments. `rules.rule_groups` and `dashboards.dashboards` take
it and return data, so they run without an engine and without a cloud.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform.observability.rule_args import CustomRule as CustomRule
from aiplatform.observability.rule_args import Severity as Severity
from aiplatform.observability.rule_args import Slo as Slo

RUNBOOKS: Final = "https://github.com/acme/ai-platform/blob/main/docs/runbooks"
"""A placeholder for the address of the runbooks of a repository."""


@dataclass(frozen=True)
class Pool:
    """A pool of nodes that is monitored."""

    name: str
    """The value of the node label `ai-platform/pool`."""
    resource: str | None = None
    """The resource of its accelerators (`nvidia.com/gpu`); None for CPU pools."""
    per_node: int = 0
    """The quantity of `resource` on a node."""
    taints: tuple[str, ...] = ()
    """The keys of the taints of its nodes."""

    @property
    def has_nvidia_gpus(self) -> bool:
        """Whether DCGM exports metrics of its nodes."""
        return self.resource is not None and "nvidia.com" in self.resource


@dataclass(frozen=True)
class Team:
    """A team that has a dashboard."""

    name: str
    """Its name."""
    namespace: str
    """Its namespace."""
    queue: str | None = None
    """Its ClusterQueue."""


@dataclass(frozen=True)
class Settings:
    """What rules and dashboards depend on."""

    cloud: Cloud
    """`aws` or `gcp`."""
    cluster: str
    """A name of the cluster in texts. Every series and alert that leaves the cluster has the label
    `cluster`."""
    addons: frozenset[str] = frozenset()
    """The add-ons that are installed and monitored, by the names of the catalog, such as `kueue`."""
    pools: tuple[Pool, ...] = ()
    """The pools of nodes."""
    cluster_queues: tuple[str, ...] = ()
    """The names of the ClusterQueues."""
    teams: tuple[Team, ...] = ()
    """The teams that have dashboards."""
    slos: tuple[Slo, ...] = ()
    """The objectives of the environment."""
    custom_rules: tuple[CustomRule, ...] = ()
    """The alerts of the environment itself."""
    runbooks: str = RUNBOOKS
    """The address of the runbooks, without a slash at the end: that of an alert is
    `{runbooks}/{alert}.md`."""
    gpu_metrics: bool = False
    """Whether series of DCGM exist (`DCGM_FI_*`), with the labels `namespace` and `pod` of the Pod that uses
    the GPU."""
    long_term_storage: bool = False
    """Whether series are also written to the cloud's service."""
    logs: bool = False
    """Whether Fluent Bit collects logs."""
    traces: bool = False
    """Whether the OpenTelemetry collector takes traces."""
    model_registry: bool = False
    """Whether the model registry serves metrics of its requests."""
    feature_store: bool = False
    """Whether the feature server serves metrics of its requests."""
    opencost: bool = False
    """Whether OpenCost exports what nodes cost."""
    spot_ratio: float = 1
    """The price of a spot node as a part of that on demand."""

    @property
    def gateway(self) -> bool:
        """Whether Envoy's gateways export metrics of requests."""
        return "envoy-gateway" in self.addons

    @property
    def serving(self) -> bool:
        """Whether servers of language models export metrics, as workloads."""
        return "kserve" in self.addons

    @property
    def gpu_pools(self) -> Iterator[Pool]:
        """The pools with accelerators."""
        return (pool for pool in self.pools if pool.resource is not None)
