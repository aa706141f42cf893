"""A ComputeClass as a Kubernetes object."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from aiplatform._shared.outputs import mapped
from aiplatform._shared.references.cluster import resolved_node_groups
from aiplatform.compute_class.args import ComputeClassSettings

API_VERSION: Final = "cloud.google.com/v1"
KIND: Final = "ComputeClass"


def build(component: pulumi.ComponentResource, name: str, settings: ComputeClassSettings) -> CustomResource:
    """Create the object as a child of `component`.

    GKE creates no node pool for it (`nodePoolAutoCreation`), and Pods wait where no node pool of the class
    can add a node (`whenUnsatisfiable`): other node pools have other machines than the Pods requested.
    """
    spec: dict[str, Any] = {
        "description": mapped(
            settings.name, lambda known: f"Node pools of {known}, in their order of preference"
        ),
        "priorities": resolved_node_groups(settings.node_groups, "name").apply(priorities),
        "nodePoolAutoCreation": {"enabled": False},
        "whenUnsatisfiable": "DoNotScaleUp",
        "activeMigration": {"optimizeRulePriority": settings.move_up},
    }
    if settings.idle_minutes is not None:
        spec["autoscalingPolicy"] = {"consolidationDelayMinutes": settings.idle_minutes}
    return CustomResource(
        f"{name}-object",
        api_version=API_VERSION,
        kind=KIND,
        metadata={"name": settings.name},
        spec=spec,
        opts=ResourceOptions(parent=component),
    )


def priorities(groups: Sequence[tuple[int, str]]) -> list[dict[str, list[str]]]:
    """Return the rules of a class, one for each priority, the highest first; groups: (priority, name)."""
    priorities = sorted({priority for priority, _ in groups}, reverse=True)
    return [
        {"nodepools": [name for priority, name in groups if priority == current]} for current in priorities
    ]
