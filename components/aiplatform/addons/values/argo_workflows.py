"""Argo Workflows: the controller, the defaults of all workflows, and the server where sign-in is stated."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"app.kubernetes.io/component": "workflow-controller"}
"""The label of the controller's Pods."""
RESTRICTED: Final = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What a namespace with the level `restricted` requires of containers."""
USER: Final = 8737
"""The user of the executor's image. An image of a step with another user states it in its template."""
NODE_LOST: Final = (
    "imminent node shutdown|pod deleted|[Ee]vict|[Pp]reempt|was low on resource|Pod was rejected|[Nn]ode lost"
)
"""Messages of Pods that ended because of their node or quota, as Argo and the kubelet write them."""
RETRY: Final[dict[str, Any]] = {
    "limit": "3",
    # Without `Always` an expression is evaluated, but Pods in error are not retried.
    "retryPolicy": "Always",
    "expression": f"lastRetry.message matches '{NODE_LOST}'",
    # No `maxDuration`: it counts from the first start, so a step of an hour would not be started again, and a
    # shorter one be stopped (v4.0.6, processNodeRetries).
    "backoff": {"duration": "30s", "factor": "2", "cap": "10m"},
}
"""A step is started again when its node is lost, and not when its program fails."""
DAY: Final = 24 * 3600


def workflow_defaults() -> dict[str, Any]:
    """Return what a workflow has that does not state it."""
    return {
        "spec": {
            "archiveLogs": True,
            # A workflow of which nothing ends would keep its place in the namespace.
            "activeDeadlineSeconds": 7 * DAY,
            "ttlStrategy": {"secondsAfterSuccess": 2 * DAY, "secondsAfterFailure": 7 * DAY},
            # Its logs are in the bucket. A failed Pod stays with its events.
            "podGC": {"strategy": "OnPodSuccess", "deleteDelayDuration": "60s"},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "templateDefaults": {"retryStrategy": RETRY},
        }
    }


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. Definitions are those without a schema: the chart has the complete ones
    in a job that downloads them."""
    return {
        "images": {"pullPolicy": "IfNotPresent"},
        "crds": {"full": False, "keep": False},
        # Roles that every `view`, `edit` and `admin` of a namespace would contain. The platform's own are
        # narrower.
        "createAggregateRoles": False,
        # Each team has a service account for its steps.
        "workflow": {"rbac": {"create": False}},
        "controller": {
            "image": _image(setup, "argo-workflow-controller"),
            "replicas": setup.replicas,
            "pdb": setup.disruption_budget,
            "priorityClassName": PRIORITY_CLASS,
            "resources": requests("100m", "512Mi"),
            "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "workflowNamespaces": [],
            # A workflow runs a template that an administrator wrote, and cannot change what is in it.
            "workflowRestrictions": {"templateReferencing": "Secure"},
            "workflowDefaults": workflow_defaults(),
            "namespaceParallelism": 20,
            # Pods that were evicted before their container started.
            "failedPodRestart": {"enabled": True, "maxRestarts": 3},
            # Metrics name workflows and namespaces: with TLS, which the chart switches off.
            "metricsConfig": {"enabled": True, "secure": True},
            # One for each step would fill etcd.
            "nodeEvents": {"enabled": False},
            "topologySpreadConstraints": setup.spread(PODS),
            **scheduling(),
        },
        "executor": {
            "image": _image(setup, "argo-executor"),
            "resources": requests("50m", "128Mi"),
            "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": False},
        },
        "mainContainer": {"resources": requests("250m", "512Mi"), "securityContext": RESTRICTED},
        "server": {"enabled": False, "image": _image(setup, "argo-server")},
        # Identities of the cloud, and no keys.
        "useStaticCredentials": False,
    }


def _image(setup: Setup, image: str) -> dict[str, str]:
    registry, _, repository = setup.repository(image).partition("/")
    return {"registry": registry, "repository": repository, "tag": setup.tag(image)}
