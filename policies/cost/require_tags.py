"""What costs money says who pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Owner and cost center on what costs money",
    severity="medium",
    description="A bill is read by tags: without them nobody knows whose a machine is, and nobody dares to "
    "delete it. A provider's default tags count, but end at what it makes itself: the instances and "
    "volumes of a launch template and the instances of Cloud SQL have only those that are said there.",
    remediation="Set `default_tags` or `default_labels` on the provider, `tagSpecifications` on launch "
    "templates and `settings.userLabels` on Cloud SQL.",
    frameworks=("NIST 800-53 CM-8",),
    options={
        "keys": Option(
            {"type": "array", "items": {"type": "string"}},
            ["owner", "cost-center"],
            "The keys that must be there, with a value.",
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
def on_resources(resource: Resource, options: Options) -> Iterator[Judgement]:
    """What takes a provider's default tags."""
    path = "labels" if resource.type.startswith("gcp:") else "tags"
    if resource.type == "gcp:container/cluster:Cluster":
        path = "resourceLabels"
    if UNKNOWN in [resource.get(key) for key in (path, "tagsAll")]:
        yield Undecided(path)
    else:
        yield from _judged(path, resource.tags, options)


@POLICY.on("gcp:sql/databaseInstance:DatabaseInstance")
def on_cloud_sql(resource: Resource, options: Options) -> Iterator[Judgement]:
    """The provider's default labels do not come to an instance of Cloud SQL."""
    yield from _own(resource, "settings.userLabels", options)


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource, options: Options) -> Iterator[Judgement]:
    """The tags of the instances and volumes that come of a template."""
    specified = resource.get("tagSpecifications")
    if specified is UNKNOWN:
        yield Undecided("tagSpecifications")
        return
    paths = {
        cast("dict[str, Any]", entry).get("resourceType"): f"{path}.tags"
        for path, entry in resource.items("tagSpecifications")
    }
    for kind in ("instance", "volume"):
        if kind in paths:
            yield from _own(resource, paths[kind], options)
        elif UNKNOWN in paths:
            yield Undecided("tagSpecifications")
        else:
            yield Finding("tagSpecifications", f"say nothing of each {kind}, which then has no tag at all")


def _own(resource: Resource, path: str, options: Options) -> Iterator[Judgement]:
    tags = resource.get(path)
    if tags is UNKNOWN:
        yield Undecided(path)
    else:
        yield from _judged(path, cast("Mapping[str, Any]", tags or {}), options)


def _judged(path: str, tags: Mapping[str, Any], options: Options) -> Iterator[Judgement]:
    missing = [key for key in options["keys"] if tags.get(key) is not UNKNOWN and not tags.get(key)]
    if missing:
        yield Finding(path, f"lack {' and '.join(map(repr, missing))}")
