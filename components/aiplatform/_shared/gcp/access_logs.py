"""Buckets for the access logs of other buckets."""

from collections.abc import Mapping
from typing import Final

from pulumi import Input, ResourceOptions
from pulumi_gcp import storage

_WRITER: Final = "group:cloud-storage-analytics@google.com"
"""The group of Google that delivers them ("Usage logs & storage logs: Set up log delivery")."""


def log_bucket(
    logical: str,
    *,
    name: Input[str],
    project: Input[str],
    region: str,
    days: Input[int],
    force_destroy: bool,
    labels: Input[Mapping[str, Input[str]]] | None,
    opts: ResourceOptions,
    grant_opts: ResourceOptions,
) -> storage.Bucket:
    """Create a bucket that Google delivers access logs to.

    name: in all of Google Cloud. days: how long logs are retained. opts, grant_opts: of the bucket, and of
    the right to write to it.
    """
    logs = storage.Bucket(
        logical,
        project=project,
        name=name,
        location=region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=days),
            )
        ],
        force_destroy=force_destroy,
        labels=labels,
        opts=opts,
    )
    storage.BucketIAMMember(
        logical, bucket=logs.name, role="roles/storage.objectCreator", member=_WRITER, opts=grant_opts
    )
    return logs
