"""Clusters and databases survive the failure of a zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..framework import Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Databases and clusters span zones",
    severity="high",
    description="Zones fail, and a resource in a single zone is unavailable until the zone recovers. A "
    "standby in another zone takes over within a minute or two; it doubles the price of a database, which "
    "dev and staging do not pay.",
    remediation="Set `multiAz` on RDS, `automaticFailoverEnabled` and `multiAzEnabled` on ElastiCache, "
    "`availabilityType: REGIONAL` on Cloud SQL, `tier: STANDARD_HA` on Memorystore; give a GKE cluster a "
    "region for its location.",
    frameworks=("NIST 800-53 CP-10", "NIST 800-53 SC-36", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
)

_ZONE = re.compile(r"-[a-z]$")
_DATABASE = "the database is in one zone"


def _check(path: str, resource: Resource, required: Any, effect: str) -> Iterator[Outcome]:
    value = resource.known(path)
    if value != required:
        yield Violation(path, f"{describe(value)}: {effect}")


@POLICY.on("aws:rds/instance:Instance")
def on_rds(resource: Resource) -> Iterator[Outcome]:
    """Instances without a standby; a read replica needs none."""
    if resource.raw("replicateSourceDb") is None:
        yield from _check("multiAz", resource, True, _DATABASE)


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_elasticache(resource: Resource) -> Iterator[Outcome]:
    """Caches whose replicas may be in one zone, or never take over."""
    yield from check_each(["automaticFailoverEnabled"], _check, resource, True, "no replica takes over")
    yield from _check("multiAzEnabled", resource, True, "all nodes may be in one zone")


@POLICY.on("aws:efs/fileSystem:FileSystem")
def on_efs(resource: Resource) -> Iterator[Outcome]:
    """File systems of one zone."""
    zone = resource.known("availabilityZoneName")
    if zone:
        yield Violation("availabilityZoneName", f"is {zone!r}: the files are lost with that zone")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource) -> Iterator[Outcome]:
    """Instances without a standby."""
    if resource.raw("masterInstanceName") is None:
        yield from _check("settings.availabilityType", resource, "REGIONAL", _DATABASE)


@POLICY.on("gcp:redis/instance:Instance")
def on_memorystore(resource: Resource) -> Iterator[Outcome]:
    """Instances without a replica."""
    yield from _check("tier", resource, "STANDARD_HA", "the cache is in one zone, and is lost with it")


@POLICY.on("gcp:container/cluster:Cluster")
def on_gke(resource: Resource) -> Iterator[Outcome]:
    """Clusters with a control plane in one zone."""
    location = resource.known("location")
    if location and _ZONE.search(location):
        yield Violation(
            "location", f"{location!r} is a zone: its failures and upgrades interrupt the control plane"
        )
