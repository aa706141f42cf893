"""Rules of the cluster's arguments that depend on the cloud or on several arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aiplatform._shared.addresses import overlap
from aiplatform._shared.args import Problem, Rule, between, matches, obeys
from aiplatform._shared.gcp.machine_types import cpu_machine_type
from aiplatform._shared.kubernetes import image_versions
from aiplatform._shared.logs import retention
from aiplatform._shared.secret_names import key_problems
from aiplatform.cluster.gcp.args import MEMBER
from aiplatform.cluster.gcp.versions import not_offered
from aiplatform.naming import TAG_RULES, PhysicalName, prefix_for

if TYPE_CHECKING:
    from pulumi import Input

    from aiplatform._shared.cloud_support import Cloud
    from aiplatform.cluster.args import ClusterSettings

_RETENTION: Final[Mapping[Cloud, Rule]] = {"aws": retention(), "gcp": between(1, 3650, "days")}
_ADMIN: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+", "an IAM role's arn, without *"),
    "gcp": MEMBER,
}
_MACHINE: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type such as m7i.large"),
    "gcp": cpu_machine_type,
}


def keyed(admins: Sequence[Input[str]], key: Callable[[str, Collection[str]], str]) -> dict[str, Input[str]]:
    """Return key of logical names -> admin. An admin that is an output has its position as its key.

    key: from an admin and the keys that are taken.
    """
    keys: dict[str, Input[str]] = {}
    for index, admin in enumerate(admins):
        keys[key(admin, keys) if isinstance(admin, str) else f"output-{index}"] = admin
    return keys


def common(settings: ClusterSettings, names: Iterable[PhysicalName]) -> Iterator[Problem]:
    """Report problems of neutral arguments by the rules of the cloud. names: the physical names there."""
    cloud = settings.cloud
    yield from obeys("prefix", settings.prefix, prefix_for(*names))
    yield from obeys("log_retention_days", settings.log_retention_days, _RETENTION[cloud])
    yield from obeys("tags", settings.tags, TAG_RULES[cloud])
    for key in ("kms_key", "volumes_kms_key"):
        yield from key_problems(key, getattr(settings, key), cloud, settings.network.region)
    yield from settings.key_grants_problems(settings.kms_key, settings.volumes_kms_key)
    for index, admin in enumerate(settings.admins):
        yield from obeys(f"admins[{index}]", admin, _ADMIN[cloud])
    for index, machine in enumerate(settings.system_nodes.instance_types):
        yield from obeys(f"system_nodes.instance_types[{index}]", machine, _MACHINE[cloud])
    release = settings.system_nodes.image_version
    yield from image_versions.problems(
        "system_nodes.image_version", release, cloud, "al2023", settings.version
    )


def on_aws(settings: ClusterSettings) -> Iterator[Problem]:
    """Report problems that EKS would refuse."""
    network = settings.network
    if settings.api_access.mode == "dns":
        yield Problem(
            "api_access.mode",
            "got 'dns'; expected 'in_vpc' or 'cidrs': EKS has no endpoint that IAM alone guards",
        )
    service_cidr = settings.eks.service_cidr
    if (
        isinstance(service_cidr, str)
        and isinstance(network.cidr, str)
        and overlap(service_cidr, network.cidr)
    ):
        yield Problem(
            "eks.service_cidr",
            f"got {service_cidr!r}; expected a range outside the network's {network.cidr}",
        )
    subnets = settings.control_plane_subnets
    if isinstance(subnets, list) and len(subnets) < 2:
        yield Problem(
            "network", f"got {len(subnets)} subnet(s); expected subnets in 2 zones at least, for EKS"
        )


def on_google(settings: ClusterSettings) -> Iterator[Problem]:
    """Report problems that GKE would refuse."""
    reason = not_offered(settings.version, settings.gke.release_channel)
    if reason:
        yield Problem("version", f"got {settings.version!r}; {reason}")
    machines = settings.system_nodes.instance_types
    if len(machines) > 1:
        yield Problem(
            "system_nodes.instance_types",
            f"got {len(machines)}; expected one: a node pool has one machine type",
        )
    if settings.gke.google_groups is None:
        for index, admin in enumerate(settings.admins):
            if isinstance(admin, str) and admin.startswith("group:"):
                yield Problem(
                    f"admins[{index}]",
                    f"got {admin!r}; expected gke.google_groups too, through which Kubernetes knows groups",
                )
    yield from _shared_vpc(settings)
    if not settings.network.listed_zones:
        yield Problem(
            "network.zones",
            "missing; expected a list of the zones of the nodes: it decides where the cluster is",
        )


def _shared_vpc(settings: ClusterSettings) -> Iterator[Problem]:
    if settings.network.is_shared_vpc:
        if settings.gke.multi_networking:
            yield Problem(
                "gke.multi_networking",
                "got true with a network of Shared VPC; expected false: GPU pools would create the "
                "additional networks in the service project",
            )
        return
    for key in ("shared_vpc_grants", "shared_vpc_firewall"):
        if not getattr(settings.gke, key):
            yield Problem(
                f"gke.{key}",
                "got false, and the network is in the cluster's project; expected a network of Shared VPC, "
                "or it left out",
            )
