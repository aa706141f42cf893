"""What an environment's parts will be, in the shape of parts that are there, to ask components about
arguments that refer to them. Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.lakehouse.tables import ZONES
from aiplatform.network import NetworkReferenceArgs
from stacks import arguments, data_arguments
from stacks.settings import CapacityEntry, GpuPool, NodePool, Settings


def cluster_to_be(settings: Settings) -> ClusterReferenceArgs:
    """A cluster in the shape of one that is there, to ask about arguments that refer to it."""
    if settings.environment.cloud == "gcp":
        return {
            **_place(settings),
            "name": "to-be",
            "version": settings.cluster.version,
            "node_service_account": "to-be@to-be.iam.gserviceaccount.com",
            "workload_pool": "to-be.svc.id.goog",
            "multi_networking": arguments.multi_networking(settings),
        }
    return {
        "name": "to-be",
        "security_group_id": "sg-0",
        "version": settings.cluster.version,
        "node_role_arn": arguments.ROLE_TO_BE,
    }


class _Place(TypedDict):
    """What a reference on Google Cloud says of where it is."""

    cloud: NotRequired[str]
    project: NotRequired[str]
    region: NotRequired[str]


def _place(settings: Settings) -> _Place:
    environment = settings.environment
    if environment.cloud != "gcp":
        return {}
    # A faulty one is told under `environment`, once, and not of every component.
    told = {name for name, _ in environment.problems()}
    project = None if "project_id" in told else environment.project_id
    region = "us-central1" if "region" in told else environment.region
    return {"cloud": "gcp", "project": project or "to-be-0", "region": region}


def zones_to_be(settings: Settings) -> Sequence[str]:
    """Where the file gives a number of zones, which they are is the cloud's to say: those that pools name
    stand for them."""
    given = settings.network.zones
    if not isinstance(given, int):
        return given
    if settings.environment.cloud == "gcp":
        # The network takes them from the same table.
        return first_zones(settings.environment.region, given if given in (2, 3) else 2)
    pools = [*settings.node_pools.values(), *settings.gpu_pools.values()]
    named = [zone for pool in pools for zone in _zones_named(pool)]
    return list(dict.fromkeys(named)) or ["xx-aza", "xx-azb"]


def network_to_be(settings: Settings, zones: Sequence[str]) -> NetworkReferenceArgs:
    """A network in the shape of one that is there, over these zones."""
    subnets = [f"subnet-{zone}" for zone in zones]
    while len(subnets) < 2:  # the cluster asks for two
        subnets.append("subnet-other")
    there: NetworkReferenceArgs = {
        **_place(settings),
        "vpc_id": "vpc-0",
        "cidr": settings.network.cidr,
        "private_subnet_ids": subnets,
        "intra_subnet_ids": subnets,
        "zones": [{"id": zone, "name": zone, "private_subnet_id": f"subnet-{zone}"} for zone in zones],
    }
    if settings.environment.cloud == "gcp" and settings.network.gcp.private_services:
        there["private_services"] = "to-be"
    return there


def _zones_named(pool: NodePool | GpuPool) -> list[str]:
    entries = [entry.zone for entry in pool.capacity if isinstance(entry, CapacityEntry) and entry.zone]
    return [*pool.zones, *entries]


@dataclass(frozen=True)
class FoundationToBe:
    """The first layer, before it is there (stacks/foundation.py)."""

    network: Mapping[str, Any]
    cluster: Mapping[str, Any]
    workload_identities: Mapping[str, Any]
    principals: Mapping[str, str]


def foundation_to_be(settings: Settings, network: NetworkReferenceArgs) -> FoundationToBe:
    """The first layer over this network."""
    known = data_arguments.principals_to_be(settings)
    identities = {
        name: {
            "principal": known[name],
            "role_name": "to-be",
            "namespace": each.namespace,
            "service_account": each.service_account,
        }
        for name, each in settings.identities.items()
    }
    return FoundationToBe(network, cluster_to_be(settings), identities, known)


def lakehouse_to_be(settings: Settings) -> dict[str, Any]:
    """The lakehouse, by its outputs."""
    zones = [{"name": zone, "bucket": zone, "database": zone, "dataset": zone} for zone in ZONES]
    return {**_place(settings), "catalog_id": "to-be", "zones": zones}
