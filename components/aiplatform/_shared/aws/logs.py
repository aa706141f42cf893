"""Encrypted log groups of CloudWatch Logs, and aliases of keys."""

from collections.abc import Mapping

from pulumi import ResourceOptions
from pulumi_aws import cloudwatch, kms


def name_key(name: str, key: kms.Key, alias: str, options: ResourceOptions) -> None:
    """Create an alias of a key. name: the key's logical name."""
    kms.Alias(name, name=alias, target_key_id=key.key_id, opts=options)


def log_group(
    name: str, group: str, days: int, key: kms.Key, tags: Mapping[str, str], options: ResourceOptions
) -> cloudwatch.LogGroup:
    """Create a log group, encrypted by a key. group: its physical name. days: its retention."""
    return cloudwatch.LogGroup(
        name, name=group, retention_in_days=days, kms_key_id=key.arn, tags=dict(tags), opts=options
    )
