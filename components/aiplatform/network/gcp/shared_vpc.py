"""References to a network of Shared VPC, which is in another project than the cluster.

Source: GKE documentation, "Set up clusters with Shared VPC": the host project has network and subnets with
their secondary ranges, the service project the cluster.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol, cast

from pulumi import Input

from aiplatform._shared.args import Problem, got, is_unknown

_API: Final = r"(https://(www|compute)\.googleapis\.com/compute/v1/)?"
_NETWORK: Final = re.compile(_API + r"projects/(?P<project>[^/]+)/global/networks/[^/]+")
_SUBNET: Final = re.compile(_API + r"projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)/subnetworks/[^/]+")
_RANGES: Final[Mapping[str, str]] = {"pods_range": "pods", "services_range": "Kubernetes Services"}


class _Reference(Protocol):
    """The part of a reference to a network that its project follows from."""

    @property
    def vpc_id(self) -> Input[str]: ...
    @property
    def private_subnet_ids(self) -> Input[list[Input[str]]]: ...
    @property
    def intra_subnet_ids(self) -> Input[list[Input[str]]]: ...
    @property
    def project(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def host_project(self) -> str | None: ...


def project_of_network(reference: _Reference) -> str | None:
    """Return the project that has the network: the stated one, or that of a plain `vpc_id`, or else the
    cluster's."""
    return reference.host_project or _project_of(reference.vpc_id) or reference.project


def _project_of(network: Input[str]) -> str | None:
    match = _NETWORK.fullmatch(network) if isinstance(network, str) else None
    return match["project"] if match is not None else None


def is_shared(reference: _Reference) -> bool:
    """Return whether the network is in another project than the cluster."""
    return project_of_network(reference) != reference.project


def problems(reference: _Reference) -> Iterator[Problem]:
    """Yield what contradicts Shared VPC: a network or subnets of another project or region than the host's.
    A network in the cluster's project and its subnets may be names, too."""
    if not is_shared(reference):
        return
    host = project_of_network(reference)
    yield from _network_problems(reference.vpc_id, str(host))
    for key in ("private_subnet_ids", "intra_subnet_ids"):
        ids = getattr(reference, key)
        for index, subnet in enumerate(cast("list[Any]", ids) if isinstance(ids, list) else []):
            if not is_unknown(subnet):
                yield from _subnet_problems(f"{key}[{index}]", subnet, str(host), str(reference.region))


def _network_problems(network: Input[str], host: str) -> Iterator[Problem]:
    if not is_unknown(network) and _project_of(network) != host:
        yield Problem(
            "vpc_id",
            f"{got(network)}; expected a network of the host project, projects/{host}/global/networks/NAME",
        )


def _subnet_problems(path: str, subnet: str, host: str, region: str) -> Iterator[Problem]:
    match = _SUBNET.fullmatch(subnet)
    if match is None or (match["project"], match["region"]) != (host, region):
        yield Problem(
            path,
            f"{got(subnet)}; expected a subnet of the network's project, "
            f"projects/{host}/regions/{region}/subnetworks/NAME",
        )


def missing_ranges(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the secondary ranges that a reference to a network of Shared VPC does not name. arguments: as in
    the program: only ranges that `Network` creates have the names of the defaults."""
    for key, users in _RANGES.items():
        if arguments.get(key) is None:
            yield Problem(
                key,
                f"missing; expected the name of the subnet's secondary range for {users}, which the host "
                "project decides in Shared VPC",
            )
