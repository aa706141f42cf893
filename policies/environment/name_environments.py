"""A name says which environment it is of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Names say their environment",
    severity="medium",
    description="A name that says another environment than its stack is how prod's bucket is emptied in "
    "the belief that it is dev's. Names that people and policies address carry the "
    "environment's own name.",
    remediation="Put the environment into the name: acme-prod-models. What a stack is called, or its "
    "`environment` tag, says which it is.",
    frameworks=("NIST 800-53 CM-8", "SOC 2 CC8.1"),
    options={
        "environments": Option(
            {"type": "array", "items": {"type": "string"}},
            ["dev", "development", "test", "qa", "staging", "stage", "prod", "production"],
            "Words in names that say an environment.",
        ),
        "required": Option(
            {"type": "boolean"}, False, "Whether a name must say its environment, and not only no other."
        ),
    },
)

_SAME: Final[Mapping[str, str]] = {"development": "dev", "stage": "staging", "production": "prod"}
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
def on_both(resource: Resource, options: Options) -> Iterator[Judgement]:
    """What people and policies address by its name."""
    path = _NAMES[resource.type]
    name = resource.get(path)
    if name is UNKNOWN:
        yield Undecided(path)
        return
    own = _own(resource, options["environments"])
    if not isinstance(name, str) or len(own) != 1:
        return
    said = _environments(name, options["environments"])
    environment = next(iter(own))
    if said and environment not in said:
        yield Finding(path, f"is {name!r}, but the environment is {environment!r}")
    elif not said and options["required"]:
        yield Finding(path, f"is {name!r}, which does not say the environment {environment!r}")


def _own(resource: Resource, words: list[str]) -> set[str]:
    """What the tag says, else what the stack is called."""
    tag = resource.tags.get("environment")
    if isinstance(tag, str):
        return _environments(tag, words)
    found = _STACK.match(resource.urn)
    return _environments(found.group(1), words) if found else set()


def _environments(name: str, words: list[str]) -> set[str]:
    parts = re.split(r"[^a-z0-9]+", name.lower())
    return {_SAME.get(word, word) for word in words if word in parts}
