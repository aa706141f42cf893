"""Who may be named by grants: one principal of a cloud, and never everybody."""

import re
from typing import Any, Final

from aiplatform._args import Rule, matches
from aiplatform._clouds import Cloud

ROLE: Final = matches(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
    "an IAM role's arn, arn:aws:iam::111122223333:role/trainers",
)
_RESERVED: Final = re.compile(r"arn:[^:]+:iam::\d{12}:role/(aws-reserved|aws-service-role)/.+")


def reserved(arn: str) -> bool:
    """Whether AWS alone may change a role: one that IAM Identity Center made for a permission set, or a
    service-linked one. IAM refuses to put policies on it (IAM API reference, PutRolePolicy:
    UnmodifiableEntity)."""
    return _RESERVED.fullmatch(arn) is not None


def own_role(value: Any) -> str | None:
    """A rule: a role on which policies can be put."""
    if reserved(str(value)):
        return (
            "on which AWS alone can put policies (a role of IAM Identity Center or of a service); expected a "
            "role of your own"
        )
    return None


MEMBER: Final = matches(
    r"(serviceAccount|group|user):[^\s@:*]+@[^\s@:*]+|principal://[^\s*]+",
    "one principal, serviceAccount:EMAIL, group:EMAIL, user:EMAIL or principal://...",
)
PRINCIPAL: Final[dict[Cloud, Rule]] = {"aws": ROLE, "gcp": MEMBER}
"""A rule for a principal on each cloud, in the shape in which workload identities give theirs."""
