"""Logs that are kept apart: a log bucket of their own, encrypted, with its own retention.

Without it they would stand in the project's `_Default` bucket, for as long as that keeps everything.
"""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import kms, logging


@dataclass(frozen=True)
class Kept:
    """Which logs. name: of bucket, sink and exclusion. filter: a query of Cloud Logging. retain: whether they
    stay when the component goes."""

    project: str
    region: str
    name: str
    description: str
    filter: str
    days: int
    retain: bool


def writer(parent: pulumi.Resource, project: str, api: pulumi.Resource) -> Output[str]:
    """The email of Cloud Logging's own service account in the project, which must be let to use a bucket's
    key; asking for it makes it. api: that of Cloud Logging, switched on."""
    answer = logging.get_project_cmek_settings_output(
        project=project, opts=pulumi.InvokeOutputOptions(parent=parent, depends_on=[api])
    )
    return answer.service_account_id


def kept_apart(
    parent: pulumi.Resource, logical: str, logs: Kept, key: kms.CryptoKey, grant: pulumi.Resource
) -> pulumi.Resource:
    """The bucket, what leads the logs into it, and what keeps them out of `_Default`. logical: the name of
    each. grant: lets Cloud Logging use the key. Answers what is there once all of it is."""
    bucket = logging.ProjectBucketConfig(
        logical,
        project=logs.project,
        location=logs.region,
        bucket_id=bucket_id(logs.name, key),
        description=logs.description,
        retention_days=logs.days,
        cmek_settings=logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=key.id),
        opts=ResourceOptions(
            parent=parent,
            depends_on=[grant],
            # None, not False: what an enclosing component says stays.
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
    return logging.ProjectExclusion(
        logical,
        project=logs.project,
        name=logs.name,
        description=f"{logs.description} have a bucket of their own",
        filter=logs.filter,
        # Not before they have somewhere else to go.
        opts=ResourceOptions(parent=parent, depends_on=[sink], delete_before_replace=True),
    )


def bucket_id(name: str, key: kms.CryptoKey) -> Output[str]:
    """The id of the log bucket of some logs, by their name. A deleted bucket keeps its name for seven days,
    so the next one takes another: with the end of the key's, which Pulumi made up."""
    return key.name.apply(lambda unique: f"{name}-{unique.rsplit('-', maxsplit=1)[-1]}")
