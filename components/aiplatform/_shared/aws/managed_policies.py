"""Customer managed policies of roles, and the limits of policy sizes.

A role that several environments name gets permissions from each of them, and all inline policies of a role
together have at most 10,240 characters. A long policy is therefore a managed policy (docs/adr/0020).
"""

import re
from typing import Final

from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam

from aiplatform._shared.outputs import Tags

INLINE: Final = 10_240
"""Maximum of characters of all inline policies of a role (IAM user guide, "IAM and AWS STS quotas")."""
MANAGED: Final = 6_144
"""Maximum of characters of a customer managed policy (same source)."""


def size(document: str) -> int:
    """Return the number of characters of a document as IAM counts it, without whitespace."""
    return len(re.sub(r"\s", "", document))


def attached(
    logical: str,
    name: str,
    role: Input[str],
    document: Output[str],
    tags: Tags,
    options: ResourceOptions,
) -> iam.RolePolicyAttachment:
    """Create a customer managed policy and attach it to a role. name: the policy's, unique in the account.
    Fails where the document is too long, as soon as it is known."""
    policy = iam.Policy(
        logical,
        name=name,
        policy=document.apply(lambda known: fitting(name, known)),
        tags=tags,
        opts=options,
    )
    return iam.RolePolicyAttachment(logical, role=role, policy_arn=policy.arn, opts=options)


def fitting(name: str, document: str) -> str:
    """Return the document of a managed policy. Raises ValueError where it is too long."""
    if size(document) > MANAGED:
        raise ValueError(
            f"policy {name}: {size(document)} characters; expected at most {MANAGED}, which is IAM's limit"
        )
    return document
