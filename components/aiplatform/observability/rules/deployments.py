"""Expressions of Deployments without a Pod."""

from typing import Final

NOT_A_TEAM: Final = 'unless on (namespace) kube_namespace_labels{label_ai_platform_team!=""}'
"""Leaves out namespaces of teams, which choose the names of what they run."""


def not_available(selector: str) -> str:
    """Return the Deployments of the platform of which no Pod is available, without those that are scaled to
    zero."""
    return (
        f"(kube_deployment_status_replicas_available{{{selector}}} == 0 "
        f"and kube_deployment_spec_replicas{{{selector}}} > 0 {NOT_A_TEAM})"
    )
