"""External Secrets Operator: controller, webhook, and what renews the webhook's certificate."""

from typing import Any

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        **_part(setup, "external-secrets", requests("10m", "96Mi")),
        "leaderElect": setup.replicas > 1,
        # By default only its webhook and certificate controller have one.
        "readinessProbe": {"enabled": True},
        # A store belongs to a team. What is of the cluster would give one team's secrets to another.
        "processClusterStore": False,
        "processClusterExternalSecret": False,
        "processClusterGenerator": False,
        "processClusterPushSecret": False,
        # Nothing in a cluster writes to the secret manager.
        "processPushSecret": False,
        "rbac": {
            "servicebindings": {"create": False},
            # Tokens of any service account. On AWS stores assume roles, and name no service account.
            "serviceAccountTokenCreate": setup.cloud == "gcp",
        },
        "webhook": _part(setup, "external-secrets-webhook", requests("10m", "64Mi")),
        "certController": _part(setup, "external-secrets-cert-controller", requests("10m", "96Mi")),
    }


def _part(setup: Setup, name: str, resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "replicaCount": setup.replicas,
        "image": setup.image("external-secrets"),
        "podDisruptionBudget": setup.disruption_budget,
        "priorityClassName": PRIORITY_CLASS,
        "resources": resources,
        "topologySpreadConstraints": setup.spread({"app.kubernetes.io/name": name}),
        **scheduling(),
    }
