"""Separate log buckets of Cloud Logging, encrypted and with their own retention.

Without one, logs are in the project's `_Default` bucket, with the retention of that bucket.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import logging

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.keys import Key


@dataclass(frozen=True)
class LogBucket:
    """The logs of a separate bucket. name: of bucket, sink and exclusion. filter: a query of Cloud Logging.
    retain: whether they stay when the component is destroyed."""

    project: str
    region: str
    name: str
    description: str
    filter: Input[str]
    days: Input[int]
    retain: bool


def writer(parent: pulumi.Resource, project: str, api: pulumi.Resource) -> Output[str]:
    """Return the email address of Cloud Logging's service account in the project, which needs permission to
    use a bucket's key. The query creates the account. api: the enabled API of Cloud Logging."""
    settings = logging.get_project_cmek_settings_output(
        project=project, opts=pulumi.InvokeOutputOptions(parent=parent, depends_on=[api])
    )
    return settings.service_account_id


def separate_log_bucket(
    parent: pulumi.Resource, logical: str, logs: LogBucket, key: Key, grant: Dependency
) -> pulumi.Resource:
    """Create the bucket, the sink to it, and the exclusion from `_Default`. logical: the logical name of
    each. grant: the permission of Cloud Logging to use the key. Returns the last of the resources."""
    return create_log_bucket(parent, logical, logs, bucket_id(logs.name, key), key.id, [grant]).exclusion


@dataclass(frozen=True)
class CreatedLogBucket:
    """A log bucket. id: `projects/.../locations/.../buckets/...`. exclusion: the last resource of it."""

    id: Output[str]
    exclusion: logging.ProjectExclusion


def create_log_bucket(
    parent: pulumi.Resource,
    logical: str,
    logs: LogBucket,
    id_of_bucket: Input[str],
    key: Input[str] | None,
    depends_on: Sequence[Dependency],
) -> CreatedLogBucket:
    """Create the bucket, the sink to it, and the exclusion from `_Default`. key: its id, None for a key of
    Google. depends_on: of the bucket."""
    bucket = logging.ProjectBucketConfig(
        logical,
        project=logs.project,
        location=logs.region,
        bucket_id=id_of_bucket,
        description=logs.description,
        retention_days=logs.days,
        cmek_settings=None if key is None else logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=key),
        opts=ResourceOptions(
            parent=parent,
            depends_on=list(depends_on),
            # None, not False: an enclosing component's option applies.
            retain_on_delete=logs.retain or None,
        ),
    )
    sink = logging.ProjectSink(
        logical,
        project=logs.project,
        name=logs.name,
        description=logs.description,
        destination=Output.concat("logging.googleapis.com/", bucket.id),
        filter=logs.filter,
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )
    exclusion = logging.ProjectExclusion(
        logical,
        project=logs.project,
        name=logs.name,
        description=f"{logs.description} have a bucket of their own",  # codespell:ignore
        filter=logs.filter,
        # Only after the sink exists, or logs would be lost.
        opts=ResourceOptions(parent=parent, depends_on=[sink], delete_before_replace=True),
    )
    return CreatedLogBucket(bucket.id, exclusion)


def bucket_id(name: str, key: Key) -> Output[str]:
    """Return the id of the bucket of some logs. The name of a deleted bucket is reserved for seven days, so
    the id has the suffix of the key, which is random where the component creates the key. With a key that
    exists the bucket of a destroyed component is restored first (`gcloud logging buckets undelete`), or
    the component is created again a week later."""
    return key.suffix.apply(lambda suffix: f"{name}-{suffix}")


def with_stated_key(id_of_bucket: Output[str], key: Key | None) -> Output[str]:
    """Return the id of a bucket that is unique without its key: with a key that exists, it has the suffix of
    the key, so that a key that is stated later is that of a new bucket. Cloud Logging gives none to a bucket
    that has none ("Configure CMEK for log buckets")."""
    if key is None or not key.shared:
        return id_of_bucket
    return Output.concat(id_of_bucket, "-", key.suffix)
