"""Secrets are encrypted with a customer's key: a store's, and a cluster's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Secrets under a customer's key",
    severity="high",
    description="Passwords, tokens and the Secrets of a cluster are encrypted with a key of one's own, so "
    "that right to the store alone does not read them.",
    remediation="Set `kmsKeyId` on a secret and `encryptionConfig` on an EKS cluster; "
    "`customerManagedEncryption` on a secret and `databaseEncryption` on a GKE cluster.",
    frameworks=("CIS EKS 5.3.1", "CIS GKE 5.3.1", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


@POLICY.on("aws:secretsmanager/secret:Secret")
def on_secrets(resource: Resource) -> Iterator[Judgement]:
    """Secrets Manager's."""
    yield from customer_key(resource, "kmsKeyId", "its versions")


@POLICY.on("aws:ssm/parameter:Parameter")
def on_parameters(resource: Resource) -> Iterator[Judgement]:
    """Parameters that hold secrets."""
    kind = resource.get("type")
    if kind is UNKNOWN:
        yield Undecided("type")
    elif kind == "SecureString":
        yield from customer_key(resource, "keyId", "its versions")


@POLICY.on("aws:eks/cluster:Cluster")
def on_eks(resource: Resource) -> Iterator[Judgement]:
    """A cluster's Secrets."""
    yield from customer_key(resource, "encryptionConfig.provider.keyArn", "Secrets in the cluster's store")


@POLICY.on("gcp:container/cluster:Cluster")
def on_gke(resource: Resource) -> Iterator[Judgement]:
    """A cluster's Secrets: under a key of their own beside that of the disks."""
    state: Any = resource.get("databaseEncryption.state")
    if state is UNKNOWN:
        yield Undecided("databaseEncryption.state")
    elif state not in ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"):
        said = f"is {state!r}" if state else "is not set"
        yield Finding(
            "databaseEncryption.state", f"{said}, so Secrets in the cluster's store have no key of their own"
        )
    else:
        yield from customer_key(resource, "databaseEncryption.keyName", "Secrets in the cluster's store")


@POLICY.on("gcp:secretmanager/secret:Secret")
def on_google_secrets(resource: Resource) -> Iterator[Judgement]:
    """Secret Manager's: a key for each place that has a copy."""
    replication = resource.get("replication")
    if replication is UNKNOWN:
        yield Undecided("replication")
    elif resource.get("replication.userManaged") is None:
        yield from customer_key(
            resource, "replication.auto.customerManagedEncryption.kmsKeyName", "its versions"
        )
    else:
        for path, _ in resource.items("replication.userManaged.replicas"):
            yield from customer_key(resource, f"{path}.customerManagedEncryption.kmsKeyName", "its versions")
