"""Secrets are encrypted with a customer-managed key, in secret stores and in clusters."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, check_each
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Secrets with a customer-managed key",
    severity="high",
    description="Passwords, tokens and the Secrets of a cluster are encrypted with a customer-managed key, "
    "so that access to the store by itself does not disclose them.",
    remediation="Set `kmsKeyId` on a secret and `encryptionConfig` on an EKS cluster; "
    "`customerManagedEncryption` on a secret and `databaseEncryption` on a GKE cluster.",
    frameworks=("CIS EKS 5.3.1", "CIS GKE 5.3.1", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

require_customer_keys(
    POLICY,
    {
        "aws:secretsmanager/secret:Secret": Key("kmsKeyId", "its versions"),
        "aws:ssm/parameter:Parameter": Key(
            "keyId", "its versions", unless={"type": ("String", "StringList")}
        ),
        "aws:eks/cluster:Cluster": Key("encryptionConfig.provider.keyArn", "Secrets of the cluster"),
        # A separate key from that of the disks.
        "gcp:container/cluster:Cluster": Key(
            "databaseEncryption.keyName",
            "Secrets of the cluster",
            enabled_by="databaseEncryption.state",
            modes=("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"),
        ),
    },
)


@POLICY.on("gcp:secretmanager/secret:Secret")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Secret Manager: a key for each location with a replica."""
    if resource.known("replication.userManaged") is None:
        paths = ["replication.auto"]
    else:
        paths = [replica.path for replica in resource.entries("replication.userManaged.replicas")]
    yield from check_each(
        paths,
        lambda path: customer_key(resource, f"{path}.customerManagedEncryption.kmsKeyName", "its versions"),
    )
