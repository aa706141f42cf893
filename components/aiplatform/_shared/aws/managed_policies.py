"""Policies that roles get: their sizes, and those that are attached instead of written into the role.

A role that several environments name gets rights from each of them, and all of a role's inline policies
together have at most 10,240 characters. What is long is therefore a policy of its own (docs/adr/0020).
"""

import re
from typing import Final

from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam

INLINE: Final = 10_240
"""Characters of all inline policies of a role together (IAM user guide, "IAM and AWS STS quotas")."""
MANAGED: Final = 6_144
"""Characters of a customer managed policy (the same)."""


def size(document: str) -> int:
    """The characters of a document that IAM counts: all but whitespace."""
    return len(re.sub(r"\s", "", document))


def attached(
    logical: str,
    name: str,
    role: Input[str],
    document: Output[str],
    tags: dict[str, str],
    options: ResourceOptions,
) -> iam.RolePolicyAttachment:
    """A customer managed policy, attached to a role. name: the policy's, of which the account has one. Fails
    where the document is too long, as soon as it is known."""
    policy = iam.Policy(
        logical,
        name=name,
        policy=document.apply(lambda known: fitting(name, known)),
        tags=tags,
        opts=options,
    )
    return iam.RolePolicyAttachment(logical, role=role, policy_arn=policy.arn, opts=options)


def fitting(name: str, document: str) -> str:
    """The document of a managed policy. Raises a ValueError where it is too long."""
    if size(document) > MANAGED:
        raise ValueError(
            f"policy {name}: {size(document)} characters; expected at most {MANAGED}, which is IAM's limit"
        )
    return document
