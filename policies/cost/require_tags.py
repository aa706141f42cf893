"""Resources with a cost have an owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..framework import (
    UNKNOWN,
    Deferred,
    Option,
    Options,
    Outcome,
    Policy,
    Properties,
    Resource,
    Violation,
    check_each,
)

POLICY = Policy(
    title="Owner and cost center on resources with a cost",
    severity="medium",
    description="Costs are assigned by tags: without them no owner of a machine is known, and it is not "
    "deleted. The default tags of a provider count, but apply only to resources that it creates itself: the "
    "instances and volumes of a launch template and the instances of Cloud SQL have only their declared "
    "ones.",
    remediation="Set `default_tags` or `default_labels` on the provider, `tagSpecifications` on launch "
    "templates and `settings.userLabels` on Cloud SQL.",
    frameworks=("NIST 800-53 CM-8",),
    options={
        "keys": Option(
            {"type": "array", "items": {"type": "string"}},
            ["owner", "cost-center"],
            "The keys that must have a value.",
        )
    },
)

_AWS: Final = (
    "aws:dynamodb/table:Table",
    "aws:ebs/volume:Volume",
    "aws:ec2/instance:Instance",
    "aws:ec2/natGateway:NatGateway",
    "aws:efs/fileSystem:FileSystem",
    "aws:eks/cluster:Cluster",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:elasticache/serverlessCache:ServerlessCache",
    "aws:kinesis/stream:Stream",
    "aws:lambda/function:Function",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
    "aws:s3/bucket:Bucket",
    "aws:sagemaker/endpoint:Endpoint",
    "aws:sagemaker/notebookInstance:NotebookInstance",
)
_GOOGLE: Final = (
    "gcp:artifactregistry/repository:Repository",
    "gcp:bigquery/dataset:Dataset",
    "gcp:compute/disk:Disk",
    "gcp:compute/instance:Instance",
    "gcp:container/cluster:Cluster",
    "gcp:pubsub/topic:Topic",
    "gcp:storage/bucket:Bucket",
)


@POLICY.on(*_AWS, *_GOOGLE)
def on_resources(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Resources that get the provider's default tags."""
    path = "labels" if resource.type.startswith("gcp:") else "tags"
    if resource.type == "gcp:container/cluster:Cluster":
        path = "resourceLabels"
    resource.known(path)
    resource.known("tagsAll")
    yield from _check_tags(resource.tags, path, options["keys"])


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Instances of Cloud SQL, which do not get the provider's default labels."""
    path = "settings.userLabels"
    yield from _check_tags(resource.mapping(path), path, options["keys"])


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource, options: Options) -> Iterator[Outcome]:
    """The tags of the instances and volumes of a launch template."""
    specifications: dict[str, Properties] = {
        str(entry.raw("resourceType")): entry for entry in resource.entries("tagSpecifications")
    }
    yield from check_each(("instance", "volume"), _check_kind, specifications, options["keys"])


def _check_kind(
    kind: str, specifications: Mapping[str, Properties], keys: Sequence[str]
) -> Iterator[Outcome]:
    entry = specifications.get(kind)
    if entry is not None:
        yield from _check_tags(entry.mapping("tags"), entry.where("tags"), keys)
        return
    for other in specifications.values():
        other.known("resourceType")
    yield Violation("tagSpecifications", f"has no entry for each {kind}, which gets no tag")


def _check_tags(tags: Mapping[str, Any], path: str, keys: Sequence[str]) -> Iterator[Outcome]:
    missing = [key for key in keys if tags.get(key) is not UNKNOWN and not tags.get(key)]
    if missing:
        yield Violation(path, f"has no {' and no '.join(map(repr, missing))}")
    elif any(tags[key] is UNKNOWN for key in keys):
        yield Deferred(path)
