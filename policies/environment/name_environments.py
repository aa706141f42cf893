"""Names contain the environment of the resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Names match their environment",
    severity="medium",
    description="With the name of another environment, a bucket of prod is emptied because it seems to be "
    "one of dev. Names by which people and policies refer to resources contain the environment.",
    remediation="Put the environment into the name: acme-prod-models. The `environment` tag, or else the "
    "name of the stack, determines the environment.",
    frameworks=("NIST 800-53 CM-8", "SOC 2 CC8.1"),
    options={
        "environments": Option(
            {"type": "array", "items": {"type": "string"}},
            ["dev", "development", "test", "qa", "staging", "stage", "prod", "production"],
            "Words in names that stand for an environment.",
        ),
        "required": Option(
            {"type": "boolean"},
            False,
            "Whether a name must contain its environment, and not only no other one.",
        ),
    },
)

_SYNONYMS: Final[Mapping[str, str]] = {"development": "dev", "stage": "staging", "production": "prod"}
_NAMES: Final[Mapping[str, str]] = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:eks/cluster:Cluster": "name",
    "aws:rds/instance:Instance": "identifier",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:dynamodb/table:Table": "name",
    "aws:ecr/repository:Repository": "name",
    "aws:athena/workgroup:Workgroup": "name",
    "aws:glue/catalogDatabase:CatalogDatabase": "name",
    "aws:lambda/function:Function": "name",
    "aws:sqs/queue:Queue": "name",
    "aws:sns/topic:Topic": "name",
    "gcp:storage/bucket:Bucket": "name",
    "gcp:container/cluster:Cluster": "name",
    "gcp:sql/databaseInstance:DatabaseInstance": "name",
    "gcp:bigquery/dataset:Dataset": "datasetId",
    "gcp:artifactregistry/repository:Repository": "repositoryId",
    "gcp:pubsub/topic:Topic": "name",
    "gcp:compute/network:Network": "name",
}
_STACK: Final = re.compile(r"^urn:pulumi:([^:]+)::")


@POLICY.on(*_NAMES)
def on_names(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Names of resources that people and policies refer to."""
    path = _NAMES[resource.type]
    name = resource.known(path)
    expected = _environment(resource, options["environments"])
    if not isinstance(name, str) or len(expected) != 1:
        return
    named = _environments(name, options["environments"])
    environment = next(iter(expected))
    if named and environment not in named:
        yield Violation(path, f"is {name!r}, but the environment is {environment!r}")
    elif not named and options["required"]:
        yield Violation(path, f"is {name!r}, without the environment {environment!r}")


def _environment(resource: Resource, words: list[str]) -> set[str]:
    """Return the environment by the tag, or else by the name of the stack."""
    tag = resource.tags.get("environment")
    if isinstance(tag, str):
        return _environments(tag, words)
    for path in ("tags", "labels"):
        resource.known(path)
        resource.known(f"{path}.environment")
    stack = _STACK.match(resource.urn)
    return _environments(stack.group(1), words) if stack else set()


def _environments(name: str, words: list[str]) -> set[str]:
    parts = re.split(r"[^a-z0-9]+", name.lower())
    return {_SYNONYMS.get(word, word) for word in words if word in parts}
