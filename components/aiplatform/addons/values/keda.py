"""KEDA: the operator, the API of external metrics, and the webhook that checks its kinds. The operator writes
the certificate of all three."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

PARTS: Final = {
    "operator": "keda-operator",
    "metricServer": "keda-operator-metrics-apiserver",
    "webhooks": "keda-admission-webhooks",
}
"""Part, as the chart names it -> the label `app` of its Pods."""
OPERATOR: Final[Mapping[str, str]] = {"app": PARTS["operator"]}
"""The label of the Pods that ask servers of metrics, and count errors."""
_DEPLOYMENTS: Final = {"operator": "operator", "metricServer": "metricsServer", "webhooks": "webhooks"}
"""Part -> the key of its Deployment."""
_IMAGES: Final = {
    "keda": "keda",
    "metricsApiServer": "keda-metrics-apiserver",
    "webhooks": "keda-admission-webhooks",
}


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    budget = {"minAvailable": 1}
    return {
        "clusterName": setup.cluster,
        "image": {
            **{key: _image(setup, image) for key, image in _IMAGES.items()},
            "pullPolicy": "IfNotPresent",
        },
        **{key: {"replicaCount": setup.replicas} for key in _DEPLOYMENTS.values()},
        "podDisruptionBudget": dict.fromkeys(PARTS, budget) if setup.replicas > 1 else {},
        "priorityClassName": PRIORITY_CLASS,
        # By default it may read every object of every kind, Secrets included, and change the scale of each.
        # Deployments and StatefulSets stay.
        "rbac": {"enabledCustomScaledRefKinds": False},
        # Triggers authenticate by the operator's cloud identity: no key is in a Secret.
        "permissions": {
            "metricServer": {"restrict": {"secret": True}},
            "operator": {"restrict": {"secret": True}},
        },
        # The numbers of all triggers are the operator's.
        "prometheus": {"operator": {"enabled": True}},
        "resources": {
            "operator": requests("100m", "256Mi"),
            "metricServer": requests("50m", "128Mi"),
            "webhooks": requests("10m", "64Mi"),
        },
        "topologySpreadConstraints": {
            _DEPLOYMENTS[part]: setup.spread({"app": app}) for part, app in PARTS.items()
        },
        **scheduling(),
    }


def _image(setup: Setup, image: str) -> dict[str, str]:
    registry, _, repository = setup.repository(image).partition("/")
    return {"registry": registry, "repository": repository, "tag": setup.tag(image)}
