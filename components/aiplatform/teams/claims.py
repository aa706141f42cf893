"""The templates by which Pods of a team claim GPUs (dynamic resource allocation)."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.node_labels import GPU_CLASS
from aiplatform.teams.context import TEAM_LABEL, TeamsContext


def templates(context: TeamsContext, team: str, exists: Sequence[pulumi.Resource]) -> None:
    """Create a ResourceClaimTemplate for each number of GPUs that a Pod may claim."""
    for number in context.settings.claimed_gpus:
        CustomResource(
            f"{context.name}-{team}-gpu-{number}",
            api_version="resource.k8s.io/v1",
            kind="ResourceClaimTemplate",
            metadata=meta.ObjectMetaArgs(
                name=f"gpu-{number}", namespace=context.settings.namespace(team), labels={TEAM_LABEL: team}
            ),
            spec={"spec": {"devices": {"requests": [request(number)]}}},
            opts=context.options(*exists),
        )


def request(number: int) -> dict[str, object]:
    """Return the request as Kueue counts it: an exact number, without selectors and constraints (its
    documentation, "Dynamic Resource Allocation")."""
    exactly = {"deviceClassName": GPU_CLASS, "allocationMode": "ExactCount", "count": number}
    return {"name": "gpus", "exactly": exactly}
