"""What continuous training needs from the cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input

from aiplatform.workload_identity import WorkloadIdentity


@dataclass(frozen=True)
class Queue:
    """A queue. send: what a message is sent to, the URL of a queue of SQS or `projects/.../topics/...`.
    receive: what it is read from. trigger: KEDA's, without authentication. variables: of Pods that use it,
    which the ConfigMap of a team has, too."""

    send: Input[str]
    receive: Input[str]
    trigger: Mapping[str, Any]
    variables: Mapping[str, Input[str]]


@dataclass(frozen=True)
class TeamQueues:
    """The queues of a team: what starts its trainings and rollouts, and its requests for promotions."""

    training: Queue
    promotions: Queue


@dataclass(frozen=True)
class Queues:
    """The queues of all teams. identity: of what handles requests for promotions. ready: what its Pods
    need."""

    teams: Mapping[str, TeamQueues]
    identity: WorkloadIdentity
    ready: Sequence[pulumi.Resource]
