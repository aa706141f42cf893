"""What cost control creates in the cloud."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Input


@dataclass(frozen=True)
class Alerts:
    """The budgets, and where their alerts are published. budgets: key -> name. topic: the arn of a topic of
    SNS, or `projects/.../topics/...`; empty where nothing is published."""

    budgets: Mapping[str, Input[str]]
    topic: Input[str]
