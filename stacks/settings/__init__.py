"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

All keys are under `config: ai-platform:<topic>:`, one object a topic. Most topics are generated from the
arguments of a component (generated.py). Keys that a file leaves out come from its profile
(stacks/profiles.py). Unknown keys and wrong types are errors that name the file, the key and what is
expected, before the engine registers anything.

This package has the shape of a file and the rules of the platform: what a profile allows, and what depends on
several topics. Rules of a component's arguments are the component's (stacks/judgement.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aiplatform._shared.args import nearest
from aiplatform._shared.cloud_support import CLOUDS
from aiplatform.feature_store.args import MATERIALIZER as STORE_ACCOUNT
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from stacks.settings import joined, principals
from stacks.settings.base import Topic
from stacks.settings.cluster import Cluster, ClusterAutoscaler
from stacks.settings.data import MATERIALIZER, FeatureStore, Lakehouse, WorkloadIdentity
from stacks.settings.environment import Environment
from stacks.settings.generated import ComponentTopic, stated
from stacks.settings.ml import ContainerRegistry, ModelRegistry
from stacks.settings.network import Images, Network
from stacks.settings.pools import CapacityEntry, GpuPool, NodePool, Pool
from stacks.settings.runner import PLATFORM_VARIABLES, Runner

__all__ = [
    "MATERIALIZER",
    "NAMESPACE",
    "TOPICS",
    "CapacityEntry",
    "Cluster",
    "ClusterAutoscaler",
    "ContainerRegistry",
    "Environment",
    "FeatureStore",
    "GpuPool",
    "Images",
    "Lakehouse",
    "ModelRegistry",
    "Network",
    "NodePool",
    "Pool",
    "Runner",
    "Settings",
    "Topic",
    "WorkloadIdentity",
    "key",
    "parse",
]

NAMESPACE = "ai-platform"


class Settings(Topic):
    """An environment file with its profile's defaults filled in: one field a topic."""

    environment: Environment
    network: Network
    cluster: Cluster
    cluster_autoscaler: ClusterAutoscaler | None = None
    """Left out, it is as the profile states."""
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
        added = WorkloadIdentity.model_validate(
            {"namespace": STORE_NAMESPACE, "service_account": STORE_ACCOUNT}
        )
        return {**self.workload_identities, **({MATERIALIZER: added} if self.feature_store else {})}

    @property
    def named_principals(self) -> dict[str, str]:
        """Dotted key -> who is named there, a workload identity or a principal of the cloud."""
        principals_by_key: dict[str, str] = {}
        for name in principals.PLACES:
            topic: ComponentTopic | None = getattr(self, name)
            if topic is not None:
                principals_by_key.update(principals.named(name, stated(topic)))
        return principals_by_key

    @property
    def has_runner(self) -> bool:
        """Whether there is a runner in the network."""
        if self.environment.cloud != "aws":
            return False
        return self.cluster.in_vpc if self.runner.enabled is None else self.runner.enabled

    def problems(self) -> Iterator[tuple[str, str]]:
        """(dotted key, reason) of what the profile does not allow, and of what joins several topics."""
        if self.environment.cloud == "aws":
            yield from self._runner_problems() if self.has_runner else ()
        else:
            yield from self._for_aws_alone()
        yield from ((f"environment.{name}", reason) for name, reason in self.environment.problems())
        if self.environment.profile == "prod":
            if self.network.nat == "single" and self.environment.cloud == "aws":
                yield "network.nat", "got 'single', which falls with its zone; prod takes per_zone or none"
            if not self.cluster.deletion_protection and not self.environment.teardown:
                yield (
                    "cluster.deletion_protection",
                    "got false, but prod keeps it on; set environment.teardown to retire it",
                )
        if self.environment.profile != "dev" and self.network.flow_log_retention_days == 0:
            yield "network.flow_log_retention_days", "got 0, but only dev may turn flow logs off"
        yield from self._strangers()
        yield from self._feature_store_problems()
        yield from joined.problems(self)
        for name in sorted(set(self.node_pools) & set(self.gpu_pools)):
            yield f"gpu_pools.{name}", "a node pool has that name already; names are shared"

    def _strangers(self) -> Iterator[tuple[str, str]]:
        """Names that look like those of workload identities and are none."""
        for path, name in self.named_principals.items():
            if ":" not in name and name not in self.identities:
                everybody = "which is everybody; " if name in principals.EVERYBODY else ""
                yield (
                    path,
                    f"got {name!r}, {everybody}expected the name of one of this file's workload_identities, "
                    f"or a principal of {CLOUDS[self.environment.cloud]}{nearest(name, self.identities)}",
                )

    def _feature_store_problems(self) -> Iterator[tuple[str, str]]:
        if self.feature_store is None:
            return
        if self.lakehouse is None:
            yield "feature_store", "has no lakehouse to take features from; say lakehouse, too"
            return
        grants = stated(self.lakehouse).get("grants", [])
        if not any(grant["principal"] == MATERIALIZER for grant in grants):
            yield (
                "lakehouse.grants",
                f"none is for {MATERIALIZER!r}, which fills the feature store: it would read nothing; grant "
                "it `read` on the tables that features come from",
            )

    def _for_aws_alone(self) -> Iterator[tuple[str, str]]:
        here = CLOUDS[self.environment.cloud]
        for name in sorted(self.runner.model_fields_set):
            if name != "enabled" or self.runner.enabled:
                yield (
                    f"runner.{name}",
                    f"{here} has no place for a runner: the cluster's DNS endpoint is reached from anywhere "
                    "and guarded by IAM; leave it out, and set cluster.api_access.mode to dns",
                )

    def _runner_problems(self) -> Iterator[tuple[str, str]]:
        runner, account = self.runner, self.environment.account_id
        if not self.cluster.in_vpc:
            yield "runner.enabled", "got true, but with api_access.cidrs nothing needs one; leave it out"
        if "security_group_id" in stated(self.cluster.api_access):
            yield (
                "cluster.api_access.security_group_id",
                "got one, but the runner's group reaches the API; expected none, or runner.enabled: false",
            )
        for name in PLATFORM_VARIABLES:
            if name in runner.environment_variables:
                yield f"runner.environment_variables.{name}", "is set by the platform; leave it out"
        if runner.deployer_role_arn is None:
            yield (
                "runner.deployer_role_arn",
                "missing; api_access.mode: in_vpc needs a runner in the network, and an IAM role for its "
                "runs; or set enabled: false where you reach the network yourself",
            )
        elif f":iam::{account}:" not in (role := runner.deployer_role_arn) and ":role/" in role:
            yield "runner.deployer_role_arn", f"got {role!r}, expected a role of this account, {account}"
        if runner.state is None and runner.buildspec is None:
            yield "runner.state", "missing; expected where Pulumi keeps the state: s3://<your state bucket>"
        if self.network.nat == "none" and runner.repository is not None:
            yield "network.nat", "got 'none', which leaves the runner no way to its repository"


def key(topic: str) -> str:
    """The configuration key of a topic: `ai-platform:network`."""
    return f"{NAMESPACE}:{topic}"


TOPICS: tuple[str, ...] = tuple(Settings.model_fields)
FILE = re.compile(r"^Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml$")


def parse(topics: dict[str, Any]) -> Settings:
    """Settings from the merged topics; raises pydantic's ValidationError."""
    return Settings.model_validate(topics)
