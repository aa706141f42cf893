"""Kubeflow Trainer: one manager with its webhooks, whose certificate it writes itself."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.images import images
from aiplatform.addons.values.setup import Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {
    "app.kubernetes.io/name": "kubeflow-trainer",
    "app.kubernetes.io/component": "manager",
}
"""The labels of its Pods."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It has no priority class and no disruption budget. Its built-in
    runtimes are off by default: they have images by tag, and a job that installs a program from the internet
    creates them."""
    registry, _, repository = setup.repository("trainer").partition("/")
    return {
        # The add-on jobset brings the kind and its controller.
        "jobset": {"install": False},
        "image": {"registry": registry, "repository": repository, "tag": images()["trainer"].version[1:]},
        "manager": {
            "replicas": setup.replicas,
            "resources": requests("50m", "256Mi"),
            "affinity": setup.apart(PODS),
            **scheduling(),
        },
    }
