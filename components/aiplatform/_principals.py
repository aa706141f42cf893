"""Who may be named by grants: one principal of a cloud, and never everybody."""

from typing import Final

from aiplatform._args import Rule, matches
from aiplatform._clouds import Cloud

ROLE: Final = matches(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
    "an IAM role's arn, arn:aws:iam::111122223333:role/trainers",
)
MEMBER: Final = matches(
    r"(serviceAccount|group|user):[^\s@:*]+@[^\s@:*]+|principal://[^\s*]+",
    "one principal, serviceAccount:EMAIL, group:EMAIL, user:EMAIL or principal://...",
)
PRINCIPAL: Final[dict[Cloud, Rule]] = {"aws": ROLE, "gcp": MEMBER}
"""A rule for a principal on each cloud, in the shape in which workload identities give theirs."""
