"""The account and region that a provider works in."""

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class Account:
    """The account and region that a component's provider works in."""

    account_id: str
    region: str
    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`: the second word of every arn."""
    dns_suffix: str
    caller_arn: str
    """The principal that runs the program: a user or a session of a role."""

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Return an arn in this account. regional: false for a service without regions."""
        return (
            f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.account_id}:{resource}"
        )

    def managed_policy(self, name: str) -> str:
        """Return the arn of an AWS managed policy (`AmazonEKSClusterPolicy`, `service-role/...`)."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"


_ACCOUNTS: Final[WeakKeyDictionary[pulumi.Resource, Account]] = WeakKeyDictionary()


def account_of(parent: pulumi.Resource) -> Account:
    """Return the account and region of the provider of `parent`'s children. Each provider is asked once, for
    all components; the engine's default provider is asked each time."""
    provider = parent.get_provider("aws:index/getCallerIdentity:getCallerIdentity")
    if provider is None:
        return _from_provider(parent)
    if provider not in _ACCOUNTS:
        _ACCOUNTS[provider] = _from_provider(parent)
    return _ACCOUNTS[provider]


def _from_provider(parent: pulumi.Resource) -> Account:
    options = pulumi.InvokeOptions(parent=parent)
    partition = aws.get_partition(opts=options)
    caller = aws.get_caller_identity(opts=options)
    return Account(
        account_id=caller.account_id,
        region=aws.get_region(opts=options).region,
        partition=partition.partition,
        dns_suffix=partition.dns_suffix,
        caller_arn=caller.arn,
    )
