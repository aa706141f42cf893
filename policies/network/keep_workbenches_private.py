"""Notebooks have no direct access to the internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="No notebook on the internet",
    severity="high",
    description="A notebook runs arbitrary code with permissions on data. By default SageMaker notebooks "
    "bypass the network on their way to the internet, and Vertex AI workbenches have a public address.",
    remediation="Set directInternetAccess Disabled with a subnet, appNetworkAccessType VpcOnly, or "
    "gceSetup.disablePublicIp true.",
    frameworks=("NIST 800-53 SC-7", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)

_BYPASSES: Final = "the notebook bypasses the network on its way to the internet"
_REQUIRED: Final[Mapping[str, tuple[str, Any, str]]] = {
    "aws:sagemaker/notebookInstance:NotebookInstance": ("directInternetAccess", "Disabled", _BYPASSES),
    "aws:sagemaker/domain:Domain": ("appNetworkAccessType", "VpcOnly", _BYPASSES),
    "gcp:workbench/instance:Instance": (
        "gceSetup.disablePublicIp",
        True,
        "the notebook has a public address",
    ),
}
"""Type -> property path, its required value, and the effect of any other."""


@POLICY.on(*_REQUIRED)
def on_notebooks(resource: Resource) -> Iterator[Outcome]:
    """Notebooks with direct access to the internet."""
    path, required, effect = _REQUIRED[resource.type]
    value = resource.known(path)
    if value != required:
        yield Violation(path, f"{describe(value)}: {effect}")
