"""What cost control creates in the cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input

from aiplatform.workload_identity import WorkloadIdentity


@dataclass(frozen=True)
class Alerts:
    """The budgets, and where their alerts are published. budgets: key -> name. topic: the arn of a topic of
    SNS, or `projects/.../topics/...`; empty where nothing is published. hold: None where queues are not
    held."""

    budgets: Mapping[str, Input[str]]
    topic: Input[str]
    hold: "Hold | None" = None


@dataclass(frozen=True)
class Hold:
    """Where the program reads the alerts that hold queues. queue: the URL of a queue of SQS, or
    `projects/.../subscriptions/...`. budget: what its messages name. identity: of the program. ready: what it
    needs before it starts. variables: further ones of its container."""

    queue: Input[str]
    budget: Input[str]
    identity: WorkloadIdentity
    ready: Sequence[pulumi.Resource]
    variables: Mapping[str, Input[str]]
