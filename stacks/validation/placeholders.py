"""References to what an environment does not have yet, to check arguments that refer to it. What the file
states is known; everything else is UNKNOWN, and rules skip it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from aiplatform._shared.args import UNKNOWN
from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.lakehouse.tables import ZONES
from aiplatform.network import NetworkReferenceArgs
from aiplatform.workload_identity.args import physical_name
from stacks import arguments
from stacks.settings import Settings
from stacks.validation import environment


class _Location(TypedDict):
    """What a reference on Google Cloud states of its location; nothing on AWS."""

    cloud: NotRequired[str]
    project: NotRequired[str]
    region: NotRequired[str]


@dataclass(frozen=True)
class Placeholders:
    """The layers of an environment before they exist, by their outputs (stacks/foundation.py,
    stacks/data.py)."""

    network: NetworkReferenceArgs
    cluster: ClusterReferenceArgs
    workload_identities: Mapping[str, Any]
    principals: Mapping[str, str]
    lakehouse: Mapping[str, Any]


def of(settings: Settings, zones: Sequence[str] | None = None) -> Placeholders:
    """Return the placeholders of an environment. zones: of its network, if the cloud was asked for them."""
    location = _location(settings)
    principals = _principals(settings)
    return Placeholders(
        network=_network(settings, location, zones),
        cluster=_cluster(settings, location),
        workload_identities={
            name: {
                "principal": principals[name],
                "role_name": UNKNOWN,
                "namespace": identity.namespace,
                "service_account": identity.service_account,
            }
            for name, identity in settings.identities.items()
        },
        principals=principals,
        lakehouse={
            **location,
            "catalog_id": UNKNOWN,
            "zones": [
                {"name": zone, "bucket": UNKNOWN, "database": UNKNOWN, "dataset": UNKNOWN} for zone in ZONES
            ],
        },
    )


def _location(settings: Settings) -> _Location:
    if settings.environment.cloud != "gcp":
        return {}
    invalid = environment.invalid_keys(settings)

    def valid(key: str) -> Any:
        return UNKNOWN if f"environment.{key}" in invalid else getattr(settings.environment, key)

    return {"cloud": "gcp", "project": valid("project_id"), "region": valid("region")}


def _network(settings: Settings, location: _Location, zones: Sequence[str] | None) -> NetworkReferenceArgs:
    network: NetworkReferenceArgs = {
        **location,
        "vpc_id": UNKNOWN,
        "cidr": settings.network.cidr,
        "private_subnet_ids": UNKNOWN,
        "zones": [{"id": zone, "private_subnet_id": UNKNOWN} for zone in zones or _zones(settings, location)],
    }
    if settings.environment.cloud == "gcp" and settings.network.private_services is not False:
        network["private_services"] = UNKNOWN
    return network


def _zones(settings: Settings, location: _Location) -> Sequence[str]:
    """Return the zones of the network. A file that states their number leaves the choice to AWS; on Google
    Cloud the network takes the region's first."""
    zones = settings.network.zones
    if not isinstance(zones, int):
        return zones
    count = 3 if zones == 3 else 2  # another number is reported by the network
    region = location.get("region", UNKNOWN)
    return [UNKNOWN] * count if region is UNKNOWN else first_zones(region, count)


def _cluster(settings: Settings, location: _Location) -> ClusterReferenceArgs:
    cluster: ClusterReferenceArgs = {**location, "name": UNKNOWN, "version": settings.cluster.version}
    if settings.environment.cloud == "gcp":
        cluster["node_service_account"] = cluster["workload_pool"] = UNKNOWN
        cluster["multi_networking"] = arguments.multi_networking(settings)
    else:
        cluster["security_group_id"] = cluster["node_role_arn"] = UNKNOWN
    return cluster


def _principals(settings: Settings) -> dict[str, str]:
    """Return the principal of each workload identity. A name that is no workload identity is UNKNOWN here,
    and reported by stacks/validation/principals.py."""
    names = settings.named_principals.values()
    unknown: dict[str, str] = {name: UNKNOWN for name in names if ":" not in name}
    return unknown | {name: _principal(settings, name) for name in settings.identities}


def _principal(settings: Settings, name: str) -> str:
    role = physical_name(settings.environment.prefix, name)
    if settings.environment.cloud == "gcp":
        return f"serviceAccount:{role}@{settings.environment.project_id}.iam.gserviceaccount.com"
    return f"arn:aws:iam::{settings.environment.account_id}:role/{role}"
