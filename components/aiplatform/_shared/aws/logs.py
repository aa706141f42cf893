"""Encrypted log groups of CloudWatch Logs, and aliases of keys."""

from pulumi import Input, ResourceOptions
from pulumi_aws import cloudwatch, kms

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.outputs import Tags


def name_key(name: str, key: kms.Key, alias: str, options: ResourceOptions) -> None:
    """Create an alias of a key. name: the key's logical name."""
    kms.Alias(name, name=alias, target_key_id=key.key_id, opts=options)


def log_group(
    name: str, group: Input[str], days: Input[int], key: Key, tags: Tags, options: ResourceOptions
) -> cloudwatch.LogGroup:
    """Create a log group, encrypted by a key. group: its physical name. days: its retention."""
    return cloudwatch.LogGroup(
        name, name=group, retention_in_days=days, kms_key_id=key.arn, tags=tags, opts=options
    )
