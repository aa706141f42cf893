"""The store of logs on AWS: a log group of CloudWatch Logs with a separate key, and the role that writes to
it."""

from typing import Final

from pulumi_aws import kms

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import allow, document, key_policy, logs_may_use_key
from aiplatform._shared.context import Context
from aiplatform.observability.collectors import (
    CONTAINER_LOGS,
    LOG_KEY_ALIAS,
    LOGS_ROLE,
    Collector,
    Settings,
)
from aiplatform.observability.collectors.aws import grant
from aiplatform.observability.logs.args import Logs
from aiplatform.observability.logs.configuration import NAME, cloudwatch
from aiplatform.observability.logs.store import Store

_DAYS_TO_CANCEL: Final = 30


def create(context: Context[Settings], logs: Logs, namespace: str) -> Store:
    """Create the log group, its key where the arguments name none, and the role with its association."""
    settings, account = context.settings, account_of(context.parent)
    name = CONTAINER_LOGS.of(settings.prefix)
    logical = f"{context.name}-{NAME}"
    key = _key(context, account, logical, logs)
    options = context.options(retain=settings.retain_data)
    group = log_group(logical, name, logs.retention_days, key, settings.tags, options)
    collector = Collector(NAME, namespace, LOGS_ROLE, "Fluent Bit: write the logs of containers")
    granted = grant(context, collector, _policy(account, name))
    return Store(group.name, cloudwatch(account.region, name), [group, *granted])


def _key(context: Context[Settings], account: Account, logical: str, logs: Logs) -> Key:
    if logs.kms_key is not None:
        return existing_key(logs.kms_key, account, "ObservabilityArgs.logs.kms_key")
    settings = context.settings
    name = CONTAINER_LOGS.of(settings.prefix)
    key = kms.Key(
        f"{logical}-key",
        description=f"Logs of containers, {settings.prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=_DAYS_TO_CANCEL,
        policy=key_policy(account, logs_may_use_key(account, name)),
        tags=settings.tags,
        opts=context.options(retain=settings.retain_data),
    )
    name_key(f"{logical}-key", key, LOG_KEY_ALIAS.of(settings.prefix), context.options())
    return Key(key.arn)


def _policy(account: Account, group: str) -> str:
    """Return the policy of Fluent Bit: new streams of the log group, and their events. It creates no log
    groups and reads nothing."""
    arn = account.arn("logs", f"log-group:{group}")
    return document(
        allow(["logs:CreateLogStream"], f"{arn}:*", sid="CreateStreams"),
        allow(["logs:PutLogEvents"], f"{arn}:log-stream:*", sid="WriteEvents"),
    )
