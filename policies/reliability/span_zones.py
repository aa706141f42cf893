"""Losing a zone loses neither a cluster nor a database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Databases and clusters span zones",
    severity="high",
    description="Zones fail, and what stands in one of them is away until it is back. A standby in another "
    "zone takes over within a minute or two; it doubles the price of a database, which dev and staging are "
    "spared.",
    remediation="Set `multiAz` on RDS, `automaticFailoverEnabled` and `multiAzEnabled` on ElastiCache, "
    "`availabilityType: REGIONAL` on Cloud SQL, `tier: STANDARD_HA` on Memorystore; give a GKE cluster a "
    "region for its location.",
    frameworks=("NIST 800-53 CP-10", "NIST 800-53 SC-36", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
)

_ZONE = re.compile(r"-[a-z]$")


def _needs(resource: Resource, path: str, right: object, told: str) -> Iterator[Judgement]:
    value = resource.get(path)
    if value is UNKNOWN:
        yield Undecided(path)
    elif value != right:
        yield Finding(path, f"is {value!r}: {told}" if value is not None else f"is not set: {told}")


@POLICY.on("aws:rds/instance:Instance")
def on_rds(resource: Resource) -> Iterator[Judgement]:
    """Instances without a standby. A read replica is one, in a way."""
    if resource.get("replicateSourceDb") is None:
        yield from _needs(resource, "multiAz", True, "the database stands in one zone")


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_elasticache(resource: Resource) -> Iterator[Judgement]:
    """Caches whose replicas may be in one zone, or never take over."""
    yield from _needs(resource, "automaticFailoverEnabled", True, "no replica takes over")
    yield from _needs(resource, "multiAzEnabled", True, "all nodes may stand in one zone")


@POLICY.on("aws:efs/fileSystem:FileSystem")
def on_efs(resource: Resource) -> Iterator[Judgement]:
    """File systems of one zone."""
    zone = resource.get("availabilityZoneName")
    if zone is UNKNOWN:
        yield Undecided("availabilityZoneName")
    elif zone:
        yield Finding("availabilityZoneName", f"is {zone!r}: the files are lost with that zone")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource) -> Iterator[Judgement]:
    """Instances without a standby."""
    if resource.get("masterInstanceName") is None:
        yield from _needs(
            resource, "settings.availabilityType", "REGIONAL", "the database stands in one zone"
        )


@POLICY.on("gcp:redis/instance:Instance")
def on_memorystore(resource: Resource) -> Iterator[Judgement]:
    """Instances without a replica."""
    yield from _needs(
        resource, "tier", "STANDARD_HA", "the cache stands in one zone, and is empty after a fault"
    )


@POLICY.on("gcp:container/cluster:Cluster")
def on_gke(resource: Resource) -> Iterator[Judgement]:
    """Clusters whose control plane stands in one zone."""
    location = resource.get("location")
    if location is UNKNOWN:
        yield Undecided("location")
    elif location and _ZONE.search(location):
        yield Finding(
            "location", f"{location!r} is a zone: upgrades and its faults take the control plane away"
        )
