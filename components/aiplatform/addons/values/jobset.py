"""JobSet: one controller with its webhook, whose certificate it writes itself."""

from typing import Any

from aiplatform.addons.values.setup import Setup, requests, scheduling


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It has no priority class and no topology spread."""
    return {
        "image": setup.image("jobset"),
        "controller": {
            "replicas": setup.replicas,
            "podDisruptionBudget": setup.disruption_budget,
            "resources": requests("50m", "128Mi"),
            "affinity": setup.apart({"app.kubernetes.io/name": "jobset"}),
            **scheduling(),
        },
    }
