"""Databases and caches are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Databases under a customer's key",
    severity="high",
    description="A database's storage, backups and snapshots are encrypted with a key of one's own. On AWS "
    "a relational database is not encrypted at all unless it is said, and cannot be later.",
    remediation="Set `storageEncrypted: true` and `kmsKeyId`, `serverSideEncryption.kmsKeyArn` or "
    "`kmsKeyId` on AWS; `encryptionKeyName` or `cmekConfig.kmsKeyName` on Google Cloud.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


_SOURCES = (
    "replicateSourceDb",
    "replicationSourceIdentifier",
    "restoreToPointInTime",
    "snapshotIdentifier",
)


@POLICY.on(
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
)
def on_relational(resource: Resource) -> Iterator[Judgement]:
    """Instances and clusters; a replica and what is restored from a snapshot have their source's state."""
    if any(resource.get(key) is not None for key in _SOURCES):
        return
    flag = resource.get("storageEncrypted")
    if flag is UNKNOWN:
        yield Undecided("storageEncrypted")
    elif not flag:
        yield Finding("storageEncrypted", "is not set, so rows, backups and snapshots lie in the clear")
    else:
        yield from customer_key(resource, "kmsKeyId", "rows, backups and snapshots")


@POLICY.on("aws:dynamodb/table:Table")
def on_dynamodb(resource: Resource) -> Iterator[Judgement]:
    """Tables: `enabled: false`, the default, is a key that AWS owns."""
    if resource.get("serverSideEncryption.enabled") is UNKNOWN:
        yield Undecided("serverSideEncryption.enabled")
    else:
        yield from customer_key(resource, "serverSideEncryption.kmsKeyArn", "its items")


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_caches(resource: Resource) -> Iterator[Judgement]:
    """Caches: Redis' are in the clear unless it is said."""
    flag = resource.get("atRestEncryptionEnabled")
    if flag is UNKNOWN:
        yield Undecided("atRestEncryptionEnabled")
    elif flag is not True and resource.get("engine") != "valkey":
        yield Finding(
            "atRestEncryptionEnabled", "is not set, so snapshots and swapped memory lie in the clear"
        )
    else:
        yield from customer_key(resource, "kmsKeyId", "snapshots and swapped memory")


@POLICY.on("aws:elasticache/serverlessCache:ServerlessCache", "aws:redshiftserverless/namespace:Namespace")
def on_serverless(resource: Resource) -> Iterator[Judgement]:
    """Serverless ones are encrypted always."""
    yield from customer_key(resource, "kmsKeyId", "its contents")


@POLICY.on("aws:redshift/cluster:Cluster")
def on_redshift(resource: Resource) -> Iterator[Judgement]:
    """Redshift, which is encrypted unless a program says otherwise."""
    flag = resource.get("encrypted")
    if flag is UNKNOWN:
        yield Undecided("encrypted")
    elif str(flag).lower() == "false":
        yield Finding("encrypted", "is false, so rows and snapshots lie in the clear")
    elif resource.get("snapshotIdentifier") is None and resource.get("snapshotArn") is None:
        yield from customer_key(resource, "kmsKeyId", "rows and snapshots")


@POLICY.on("aws:memorydb/cluster:Cluster")
def on_memorydb(resource: Resource) -> Iterator[Judgement]:
    """MemoryDB, which is encrypted always."""
    yield from customer_key(resource, "kmsKeyArn", "its log and snapshots")


@POLICY.on("gcp:alloydb/cluster:Cluster")
def on_alloydb(resource: Resource) -> Iterator[Judgement]:
    """AlloyDB has a key a cluster; a secondary one has one of its own region."""
    yield from customer_key(resource, "encryptionConfig.kmsKeyName", "rows and backups")


@POLICY.on("gcp:spanner/database:Database")
def on_spanner(resource: Resource) -> Iterator[Judgement]:
    """Spanner has a key a database, or one a region."""
    regional = resource.get("encryptionConfig.kmsKeyNames")
    if regional is UNKNOWN:
        yield Undecided("encryptionConfig.kmsKeyNames")
    elif not regional:
        yield from customer_key(resource, "encryptionConfig.kmsKeyName", "its rows")


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource) -> Iterator[Judgement]:
    """Cloud SQL; a replica in the same region has its primary's key."""
    if resource.get("masterInstanceName") is None:
        yield from customer_key(resource, "encryptionKeyName", "rows and backups")


@POLICY.on("gcp:firestore/database:Database")
def on_firestore(resource: Resource) -> Iterator[Judgement]:
    """Firestore, in either mode."""
    yield from customer_key(resource, "cmekConfig.kmsKeyName", "its documents")


@POLICY.on("gcp:bigtable/instance:Instance")
def on_bigtable(resource: Resource) -> Iterator[Judgement]:
    """Bigtable has a key a cluster."""
    for path, _ in resource.items("clusters"):
        yield from customer_key(resource, f"{path}.kmsKeyName", "its rows")
