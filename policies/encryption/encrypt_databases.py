"""Databases and caches are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..framework import Outcome, Policy, Resource, Violation, describe
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Databases with a customer-managed key",
    severity="high",
    description="The storage, the backups and the snapshots of a database are encrypted with a "
    "customer-managed key. On AWS a relational database is not encrypted by default, and cannot be encrypted "
    "later.",
    remediation="Set `storageEncrypted: true` and `kmsKeyId`, `serverSideEncryption.kmsKeyArn` or "
    "`kmsKeyId` on AWS; `encryptionKeyName` or `cmekConfig.kmsKeyName` on Google Cloud.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

# A replica, and a database that is restored, has the encryption of its source.
_SOURCES: Final[dict[str, tuple[Any, ...]]] = {
    "replicateSourceDb": (),
    "replicationSourceIdentifier": (),
    "restoreToPointInTime": (),
    "snapshotIdentifier": (),
}
_RELATIONAL: Final = Key("kmsKeyId", "rows, backups and snapshots", "storageEncrypted", unless=_SOURCES)

require_customer_keys(
    POLICY,
    {
        "aws:rds/instance:Instance": _RELATIONAL,
        "aws:rds/cluster:Cluster": _RELATIONAL,
        "aws:docdb/cluster:Cluster": _RELATIONAL,
        "aws:neptune/cluster:Cluster": _RELATIONAL,
        # `enabled: false`, the default, is a key that AWS owns.
        "aws:dynamodb/table:Table": Key(
            "serverSideEncryption.kmsKeyArn",
            "its items",
            enabled_by="serverSideEncryption.enabled",
            modes=(None, False, True),
        ),
        # Serverless databases and MemoryDB are always encrypted.
        "aws:elasticache/serverlessCache:ServerlessCache": Key("kmsKeyId", "its contents"),
        "aws:redshiftserverless/namespace:Namespace": Key("kmsKeyId", "its contents"),
        "aws:memorydb/cluster:Cluster": Key("kmsKeyArn", "its log and snapshots"),
        "gcp:alloydb/cluster:Cluster": Key("encryptionConfig.kmsKeyName", "rows and backups"),
        # A replica in the same region has the key of its primary.
        "gcp:sql/databaseInstance:DatabaseInstance": Key(
            "encryptionKeyName", "rows and backups", unless={"masterInstanceName": ()}
        ),
        "gcp:firestore/database:Database": Key("cmekConfig.kmsKeyName", "its documents"),
        "gcp:bigtable/instance:Instance": Key("kmsKeyName", "its rows", entries="clusters"),
    },
)


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_caches(resource: Resource) -> Iterator[Outcome]:
    """Caches. Redis is not encrypted by default, Valkey is."""
    encrypted = resource.known("atRestEncryptionEnabled")
    if encrypted is not True and resource.known("engine") != "valkey":
        problem = f"{describe(encrypted)}, so snapshots and swapped memory are not encrypted"
        yield Violation("atRestEncryptionEnabled", problem)
    else:
        yield from customer_key(resource, "kmsKeyId", "snapshots and swapped memory")


@POLICY.on("aws:redshift/cluster:Cluster")
def on_redshift(resource: Resource) -> Iterator[Outcome]:
    """Redshift clusters, which are encrypted by default."""
    if str(resource.known("encrypted")).lower() == "false":
        yield Violation("encrypted", "is false, so rows and snapshots are not encrypted")
    elif resource.raw("snapshotIdentifier") is None and resource.raw("snapshotArn") is None:
        yield from customer_key(resource, "kmsKeyId", "rows and snapshots")


@POLICY.on("gcp:spanner/database:Database")
def on_spanner(resource: Resource) -> Iterator[Outcome]:
    """Spanner databases, which have one key or one for each region."""
    if not resource.known("encryptionConfig.kmsKeyNames"):
        yield from customer_key(resource, "encryptionConfig.kmsKeyName", "its rows")
