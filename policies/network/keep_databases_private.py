"""Databases have no address on the internet."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.openings import is_anywhere

POLICY = Policy(
    title="No database with a public address",
    severity="critical",
    description="A database is reached from inside the network. With a public address its password is all "
    "that stands between the internet and its data. Cloud SQL gives one where nothing else is "
    "said.",
    remediation="Set publiclyAccessible to false on AWS; on Google Cloud set ipv4Enabled to false and "
    "name a private network.",
    frameworks=(
        "CIS AWS 2.3.3",
        "CIS GCP 6.2.9",
        "CIS GCP 6.5",
        "CIS GCP 6.6",
        "NIST 800-53 SC-7",
        "SOC 2 CC6.6",
    ),
)


@POLICY.on(
    "aws:rds/instance:Instance",
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:docdb/clusterInstance:ClusterInstance",
    "aws:neptune/clusterInstance:ClusterInstance",
    "aws:redshift/cluster:Cluster",
    "aws:redshiftserverless/workgroup:Workgroup",
    "aws:dms/replicationInstance:ReplicationInstance",
)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Instances that ask for a public address."""
    public = resource.get("publiclyAccessible")
    if public is UNKNOWN:
        yield Undecided("publiclyAccessible")
    elif public is True:
        yield Finding("publiclyAccessible", "gives the database an address on the internet")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Instances of Cloud SQL that have a public address, and networks that may reach it."""
    path = "settings.ipConfiguration.ipv4Enabled"
    public = resource.get(path)
    if public is UNKNOWN:
        yield Undecided(path)
    elif public is not False:
        said = "is missing, and with that Cloud SQL gives" if public is None else "gives"
        yield Finding(path, f"{said} the database an address on the internet")
    for where, network in resource.items("settings.ipConfiguration.authorizedNetworks"):
        if network.get("value") is UNKNOWN:
            yield Undecided(f"{where}.value")
        elif is_anywhere(network.get("value")):
            yield Finding(f"{where}.value", f"lets {network['value']!r} reach the database")


@POLICY.on("gcp:alloydb/instance:Instance")
def on_alloydb(resource: Resource) -> Iterator[Judgement]:
    """Instances of AlloyDB that ask for a public address."""
    public = resource.get("networkConfig.enablePublicIp")
    if public is UNKNOWN:
        yield Undecided("networkConfig.enablePublicIp")
    elif public is True:
        yield Finding("networkConfig.enablePublicIp", "gives the database an address on the internet")
