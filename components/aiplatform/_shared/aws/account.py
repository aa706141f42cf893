"""The account and region that a provider works in."""

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class Place:
    """The account and region that a component's provider works in."""

    account_id: str
    region: str
    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`: the second word of every arn."""
    dns_suffix: str
    caller_arn: str
    """Who applies the program: a user, or a role's session."""

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """An arn in this account; IAM's have no region."""
        return (
            f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.account_id}:{resource}"
        )

    def managed_policy(self, name: str) -> str:
        """The arn of a policy that AWS manages (`AmazonEKSClusterPolicy`, `service-role/...`)."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"


_PLACES: Final[WeakKeyDictionary[pulumi.Resource, Place]] = WeakKeyDictionary()


def place(parent: pulumi.Resource) -> Place:
    """Ask the provider of `parent`'s children where it works: a provider once, for all components.

    The provider that the engine makes by itself where a program has none is asked each time.
    """
    provider = parent.get_provider("aws:index/getCallerIdentity:getCallerIdentity")
    if provider is None:
        return _ask(parent)
    if provider not in _PLACES:
        _PLACES[provider] = _ask(parent)
    return _PLACES[provider]


def _ask(parent: pulumi.Resource) -> Place:
    options = pulumi.InvokeOptions(parent=parent)
    partition = aws.get_partition(opts=options)
    caller = aws.get_caller_identity(opts=options)
    return Place(
        account_id=caller.account_id,
        region=aws.get_region(opts=options).region,
        partition=partition.partition,
        dns_suffix=partition.dns_suffix,
        caller_arn=caller.arn,
    )
