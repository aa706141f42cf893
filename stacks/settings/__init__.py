"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

Everything stands under `config: ai-platform:<topic>:`, one object a topic. What a file leaves out comes from
its profile (stacks/profiles.py). Unknown keys and wrong types are errors that name the file, the key and what
would be right, before the engine registers anything.

Here stand the shape of a file and the rules of the platform: what a profile allows, what joins several
topics. What a value of a component may be is the component's to judge (stacks/judgement.py asks it), and is
not said here again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from aiplatform._args import nearest
from aiplatform._clouds import CLOUDS
from stacks.settings.cluster import ApiAccess, Autoscaling, Cluster, SystemNodes
from stacks.settings.data import Lakehouse, WorkloadIdentity
from stacks.settings.environment import Environment
from stacks.settings.from_arguments import given
from stacks.settings.network import FlowLogs, Images, Network
from stacks.settings.pools import CapacityEntry, GpuPool, NodePool, Pool, Sharing, Taint
from stacks.settings.runner import Runner
from stacks.settings.topic import Topic

__all__ = [
    "NAMESPACE",
    "TOPICS",
    "ApiAccess",
    "Autoscaling",
    "CapacityEntry",
    "Cluster",
    "Environment",
    "FlowLogs",
    "GpuPool",
    "Images",
    "Lakehouse",
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

    @property
    def has_runner(self) -> bool:
        """Whether there is a runner in the network."""
        if self.environment.cloud != "aws":
            return False
        wanted = self.cluster.api_access == "in_vpc"
        return wanted if self.runner.enabled is None else self.runner.enabled

    def faults(self) -> Iterator[tuple[str, str]]:
        """(dotted key, reason) of what the profile does not allow, and of what joins several topics."""
        if self.environment.cloud == "aws":
            yield from self._runner_faults() if self.has_runner else ()
        else:
            yield from self._for_aws_alone()
        yield from ((f"environment.{name}", reason) for name, reason in self.environment.faults())
        if self.environment.profile == "prod":
            if self.network.nat == "single" and self.environment.cloud == "aws":
                yield "network.nat", "got 'single', which falls with its zone; prod takes per_zone or none"
            if not self.cluster.deletion_protection and not self.environment.teardown:
                yield (
                    "cluster.deletion_protection",
                    "got false, but prod keeps it on; set environment.teardown to retire it",
                )
        if self.environment.profile != "dev" and self.network.flow_logs.retention_days == 0:
            yield "network.flow_logs.retention_days", "got 0, but only dev may turn flow logs off"
        yield from self._strangers()
        for name in sorted(set(self.node_pools) & set(self.gpu_pools)):
            yield f"gpu_pools.{name}", "a node pool has that name already; names are shared"

    def _strangers(self) -> Iterator[tuple[str, str]]:
        """Names that look like those of workload identities and are none."""
        if self.lakehouse is None:
            return
        said = given(self.lakehouse)
        named = {f"lakehouse.writers[{index}]": name for index, name in enumerate(said.get("writers", []))}
        for index, grant in enumerate(said.get("grants", [])):
            named[f"lakehouse.grants[{index}].principal"] = grant["principal"]
        for path, name in named.items():
            if ":" not in name and name not in self.workload_identities:
                hint = nearest(name, self.workload_identities)
                yield (
                    path,
                    f"got {name!r}, expected the name of one of this file's workload_identities, or a "
                    f"principal of {CLOUDS[self.environment.cloud]}{hint}",
                )

    def _for_aws_alone(self) -> Iterator[tuple[str, str]]:
        here = CLOUDS[self.environment.cloud]
        for name in sorted(self.runner.model_fields_set):
            if name != "enabled" or self.runner.enabled:
                yield (
                    f"runner.{name}",
                    f"{here} has no place for a runner: the cluster's DNS endpoint is reached from anywhere "
                    "and guarded by IAM; leave it out, and say api_access: dns",
                )
        if self.images.mirrors:
            yield (
                "images.mirrors",
                f"{here} has no place for mirrors: what GKE brings comes from registries that nodes always "
                "reach, and the program installs nothing else; leave it out",
            )

    def _runner_faults(self) -> Iterator[tuple[str, str]]:
        runner, account = self.runner, self.environment.account_id
        if self.cluster.api_access != "in_vpc":
            yield "runner.enabled", "got true, but with api_access.cidrs nothing needs one; leave it out"
        if runner.deployer is None:
            yield (
                "runner.deployer",
                "missing; api_access: in_vpc needs a runner in the network, and an IAM role that it works "
                "as; or say enabled: false where you have a way in of your own",
            )
        elif f":iam::{account}:" not in runner.deployer and ":role/" in runner.deployer:
            yield "runner.deployer", f"got {runner.deployer!r}, expected a role of this account, {account}"
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
