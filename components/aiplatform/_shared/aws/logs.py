"""What keeps logs of AWS encrypted: a key that can be found by its name, and a log group under it."""

from collections.abc import Mapping

from pulumi import ResourceOptions
from pulumi_aws import cloudwatch, kms


def name_key(name: str, key: kms.Key, alias: str, options: ResourceOptions) -> None:
    """Give a key the alias that people find it by; `name`: the key's own logical name."""
    kms.Alias(name, name=alias, target_key_id=key.key_id, opts=options)


def log_group(
    name: str, group: str, days: int, key: kms.Key, tags: Mapping[str, str], options: ResourceOptions
) -> cloudwatch.LogGroup:
    """A log group of this physical name, encrypted by a key and kept for so many days."""
    return cloudwatch.LogGroup(
        name, name=group, retention_in_days=days, kms_key_id=key.arn, tags=dict(tags), opts=options
    )
