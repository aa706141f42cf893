"""The context of a function on AWS, and what is checked in the account before anything is created."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import s3, servicequotas

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.context import Context as Base
from aiplatform.function import limits
from aiplatform.function.args import ALIAS, FunctionSettings

_MISSING: Final = ("NoSuchBucket", "NotFound", "couldn't find", "not found")
"""What the provider's error states of a bucket that does not exist."""


@dataclass(frozen=True)
class Context(Base[FunctionSettings]):
    """The component, its settings, and the account and region."""

    account: Account

    @property
    def function(self) -> str:
        """The function's name."""
        return self.settings.physical_name

    @property
    def function_arn(self) -> str:
        """The function's arn, without an alias."""
        return self.account.arn("lambda", f"function:{self.function}")

    @property
    def alias_arn(self) -> str:
        """The arn of its alias."""
        return f"{self.function_arn}:{ALIAS}"

    @property
    def log_group(self) -> str:
        """The name of its log group."""
        return f"/aws/lambda/{self.function}"

    @property
    def rule_arn(self) -> str:
        """The arn of the rule of its events."""
        return self.account.arn("events", f"rule/{self.function}")

    @property
    def dead_letters(self) -> str:
        """The name of the queue of its dead letters."""
        return f"{self.function}-dead"

    def via_service(self, service: str) -> dict[str, dict[str, str]]:
        """Return the condition of the use of a key by a service of this region."""
        return {
            "StringEquals": {"kms:ViaService": f"{service}.{self.account.region}.{self.account.dns_suffix}"}
        }


def context_of(parent: pulumi.ComponentResource, name: str, settings: FunctionSettings) -> Context:
    """Return the context. Raises ArgumentError where the account cannot have the function."""
    context = Context(parent, name, settings, account_of(parent))
    problems = [*_concurrency(context), *_bucket(context)]
    if problems:
        raise ArgumentError(problems)
    return context


def _concurrency(context: Context) -> Iterator[Problem]:
    """Other functions of the account may have reserved a part of what is free; Lambda refuses it then."""
    wanted = context.settings.max_instances
    try:
        quota = servicequotas.get_service_quota(
            service_code="lambda", quota_code=limits.CONCURRENCY_QUOTA, opts=context.invoke_options
        )
    except Exception as error:  # noqa: BLE001 - the SDK raises no narrower one
        pulumi.log.warn(f"only `up` checks max_instances against the account: {error}", context.parent)
        return
    free = int(quota.value) - limits.UNRESERVED
    if wanted > free:
        yield Problem(
            "FunctionArgs.max_instances",
            f"got {wanted}; expected at most {free}: the account may have {int(quota.value)} executions at a "
            f"time, and {limits.UNRESERVED} stay unreserved; raise quota {limits.CONCURRENCY_QUOTA}",
        )


def _bucket(context: Context) -> Iterator[Problem]:
    event = context.settings.event
    if event is None or not isinstance(event.bucket, str):
        return
    try:
        s3.get_bucket(bucket=event.bucket, opts=context.invoke_options)
    except Exception as error:
        if not any(words in str(error) for words in _MISSING):
            raise
        yield Problem(
            "FunctionArgs.event.bucket",
            f"{got(event.bucket)}; expected a bucket that exists, or the output of one of this program",
        )
