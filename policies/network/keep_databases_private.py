"""Databases have no public address."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe
from ..framework.ingress import is_internet

POLICY = Policy(
    title="No database with a public address",
    severity="critical",
    description="Databases are for clients inside the network. With a public address only its password "
    "protects the data from the internet. Cloud SQL assigns one by default.",
    remediation="Set publiclyAccessible to false on AWS; on Google Cloud set ipv4Enabled to false and name a "
    "private network.",
    frameworks=(
        "CIS AWS 2.3.3",
        "CIS GCP 6.2.9",
        "CIS GCP 6.5",
        "CIS GCP 6.6",
        "NIST 800-53 SC-7",
        "SOC 2 CC6.6",
    ),
)

_PUBLIC = "assigns a public address to the database"


@POLICY.on(
    "aws:rds/instance:Instance",
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:docdb/clusterInstance:ClusterInstance",
    "aws:neptune/clusterInstance:ClusterInstance",
    "aws:redshift/cluster:Cluster",
    "aws:redshiftserverless/workgroup:Workgroup",
    "aws:dms/replicationInstance:ReplicationInstance",
)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Instances that request a public address."""
    if resource.known("publiclyAccessible") is True:
        yield Violation("publiclyAccessible", _PUBLIC)


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Cloud SQL instances with a public address, and the networks that may connect to it."""
    path = "settings.ipConfiguration"
    yield from check_each([f"{path}.ipv4Enabled"], _check_address, resource)
    yield from check_each(resource.entries(f"{path}.authorizedNetworks"), _check_network)


def _check_address(path: str, resource: Resource) -> Iterator[Outcome]:
    public = resource.known(path)
    if public is not False:
        yield Violation(path, f"{describe(public)}, which {_PUBLIC}")


def _check_network(network: Entry) -> Iterator[Outcome]:
    value = network.known("value")
    if is_internet(value):
        yield Violation(network.where("value"), f"allows {value!r} to connect to the database")


@POLICY.on("gcp:alloydb/instance:Instance")
def on_alloydb(resource: Resource) -> Iterator[Outcome]:
    """AlloyDB instances that request a public address."""
    if resource.known("networkConfig.enablePublicIp") is True:
        yield Violation("networkConfig.enablePublicIp", _PUBLIC)
