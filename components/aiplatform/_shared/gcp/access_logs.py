"""Buckets for the access logs of other buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import storage

_WRITER: Final = "group:cloud-storage-analytics@google.com"
"""The group of Google that delivers them ("Usage logs & storage logs: Set up log delivery")."""


@dataclass(frozen=True)
class UsageLogs:
    """The bucket of access logs of other buckets. shared: whether it exists without the component."""

    name: Output[str]
    shared: bool = False

    def of(self, purpose: str) -> storage.BucketLoggingArgs:
        """Return the logging of a bucket: under its purpose, or in a shared bucket under the bucket's name,
        which is Cloud Storage's default."""
        prefix = None if self.shared else purpose
        return storage.BucketLoggingArgs(log_bucket=self.name, log_object_prefix=prefix)


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
    existing: Input[str] | None = None,
) -> UsageLogs:
    """Return the bucket that Google delivers access logs to: an existing one, or else a new one.

    name: in all of Google Cloud. days: how long logs are retained. opts, grant_opts: of the bucket, and of
    the right to write to it.
    """
    if existing is not None:
        return UsageLogs(Output.from_input(existing), shared=True)
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
    return UsageLogs(logs.name)
