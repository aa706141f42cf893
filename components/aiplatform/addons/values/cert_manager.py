"""cert-manager: controller, webhook and the injector of CA bundles."""

from typing import Any

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        "global": {
            "priorityClassName": PRIORITY_CLASS,
            # Its own namespace: GKE Autopilot refuses writes to kube-system.
            "leaderElection": {"namespace": "cert-manager"},
        },
        # `keep` is an annotation for Helm itself. Pulumi keeps them by retain_on_delete.
        "crds": {"enabled": True, "keep": False},
        # The only hook of the chart; Pulumi runs none and waits for the Deployments instead.
        "startupapicheck": {"enabled": False},
        **_part(setup, "controller", requests("10m", "64Mi")),
        "webhook": _part(setup, "webhook", requests("10m", "32Mi")),
        "cainjector": _part(setup, "cainjector", requests("10m", "96Mi")),
        "acmesolver": {"image": _image(setup, "acmesolver")},
    }


def _part(setup: Setup, part: str, resources: dict[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": part}
    if part != "controller":
        labels["app.kubernetes.io/name"] = part
    return {
        "replicaCount": setup.replicas,
        "image": _image(setup, part),
        "podDisruptionBudget": setup.disruption_budget,
        "resources": resources,
        "topologySpreadConstraints": setup.spread(labels),
        **scheduling(),
    }


def _image(setup: Setup, part: str) -> dict[str, str]:
    # The chart joins registry and namespace only where there is no repository.
    return setup.image(f"cert-manager-{part}")
