"""Tables, queries and what they leave behind are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Queries and images under a customer's key",
    severity="medium",
    description="The result of a query is a copy of the data, and an image carries code and models: both are "
    "encrypted with a key of one's own as their sources are.",
    remediation="Set an encryption with a key on Athena workgroups and ECR repositories; "
    "`defaultEncryptionConfiguration.kmsKeyName` on BigQuery datasets and `kmsKeyName` on Artifact Registry.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


@POLICY.on("aws:athena/workgroup:Workgroup")
def on_athena(resource: Resource) -> Iterator[Judgement]:
    """Where a workgroup's results go: to a place of Athena's own, or to a bucket."""
    if resource.get("configuration") is UNKNOWN:
        yield Undecided("configuration")
        return
    managed, own = "configuration.managedQueryResultsConfiguration", "configuration.resultConfiguration"
    if resource.get(f"{managed}.enabled") is True:
        yield from customer_key(resource, f"{managed}.encryptionConfiguration.kmsKey", "results of queries")
        return
    option = resource.get(f"{own}.encryptionConfiguration.encryptionOption")
    if option is UNKNOWN:
        yield Undecided(f"{own}.encryptionConfiguration.encryptionOption")
    elif option in ("SSE_KMS", "CSE_KMS"):
        yield from customer_key(resource, f"{own}.encryptionConfiguration.kmsKeyArn", "results of queries")
    else:
        said = f"is {option!r}" if option else "is not set"
        yield Finding(
            f"{own}.encryptionConfiguration.encryptionOption",
            f"{said}, so results are under no key of one's own",
        )


@POLICY.on("aws:ecr/repository:Repository")
def on_ecr(resource: Resource) -> Iterator[Judgement]:
    """Repositories, which are under S3's key unless it is said."""
    if resource.get("encryptionConfigurations") is UNKNOWN:
        yield Undecided("encryptionConfigurations")
    else:
        yield from customer_key(resource, "encryptionConfigurations[0].kmsKey", "images")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_bigquery(resource: Resource) -> Iterator[Judgement]:
    """Datasets: what new tables in them are encrypted with."""
    yield from customer_key(resource, "defaultEncryptionConfiguration.kmsKeyName", "tables")


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Repositories that keep images; a virtual one has none."""
    if resource.get("mode") != "VIRTUAL_REPOSITORY":
        yield from customer_key(resource, "kmsKeyName", "images")
