"""Query results, tables and images are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, describe
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Query results and images with a customer-managed key",
    severity="medium",
    description="The result of a query is a copy of the data, and an image contains code and models. Both "
    "are encrypted with a customer-managed key like their sources.",
    remediation="Set an encryption with a key on Athena workgroups and ECR repositories; "
    "`defaultEncryptionConfiguration.kmsKeyName` on BigQuery datasets and `kmsKeyName` on Artifact Registry.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

require_customer_keys(
    POLICY,
    {
        "aws:ecr/repository:Repository": Key("encryptionConfigurations[0].kmsKey", "images"),
        "gcp:bigquery/dataset:Dataset": Key("defaultEncryptionConfiguration.kmsKeyName", "tables"),
        # A virtual repository stores no images.
        "gcp:artifactregistry/repository:Repository": Key(
            "kmsKeyName", "images", unless={"mode": ("VIRTUAL_REPOSITORY",)}
        ),
    },
)

_MANAGED = "configuration.managedQueryResultsConfiguration"
_BUCKET = "configuration.resultConfiguration.encryptionConfiguration"


@POLICY.on("aws:athena/workgroup:Workgroup")
def on_athena(resource: Resource) -> Iterator[Outcome]:
    """Query results of a workgroup, in storage that Athena manages or in a bucket."""
    if resource.known(f"{_MANAGED}.enabled") is True:
        yield from customer_key(resource, f"{_MANAGED}.encryptionConfiguration.kmsKey", "query results")
        return
    option = resource.known(f"{_BUCKET}.encryptionOption")
    if option in ("SSE_KMS", "CSE_KMS"):
        yield from customer_key(resource, f"{_BUCKET}.kmsKeyArn", "query results")
    else:
        problem = f"{describe(option)}, so query results have no customer-managed key"
        yield Violation(f"{_BUCKET}.encryptionOption", problem)
