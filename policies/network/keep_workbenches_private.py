"""Notebooks have no direct access to the internet, and their users are not root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Notebooks are isolated",
    severity="high",
    description="A notebook runs arbitrary code with permissions on data. By default SageMaker notebooks "
    "bypass the network on their way to the internet, and Vertex AI workbenches have a public address. Users "
    "that are root of a notebook remove its agents, and use the metadata service as they like.",
    remediation="Set directInternetAccess Disabled with a subnet, rootAccess Disabled and "
    "appNetworkAccessType VpcOnly; gceSetup.disablePublicIp true and enableInternetAccess false.",
    frameworks=("NIST 800-53 SC-7", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)

_BYPASSES: Final = "the notebook bypasses the network on its way to the internet"
_ROOT: Final = "users of the notebook are root"
_REQUIRED: Final[Mapping[str, tuple[tuple[str, Any, str], ...]]] = {
    "aws:sagemaker/notebookInstance:NotebookInstance": (
        ("directInternetAccess", "Disabled", _BYPASSES),
        ("rootAccess", "Disabled", _ROOT),
    ),
    "aws:sagemaker/domain:Domain": (("appNetworkAccessType", "VpcOnly", _BYPASSES),),
    "gcp:workbench/instance:Instance": (
        ("gceSetup.disablePublicIp", True, "the notebook has a public address"),
    ),
}
"""Type -> property path, its required value, and the effect of any other."""
_ROOT_METADATA: Final = "notebook-disable-root"


@POLICY.on(*_REQUIRED)
def on_notebooks(resource: Resource) -> Iterator[Outcome]:
    """Notebooks with direct access to the internet, or with users that are root."""
    yield from check_each(_REQUIRED[resource.type], _check, resource)


def _check(row: tuple[str, Any, str], resource: Resource) -> Iterator[Outcome]:
    path, required, effect = row
    value = resource.known(path)
    if value != required:
        yield Violation(path, f"{describe(value)}: {effect}")


@POLICY.on("gcp:workbench/instance:Instance")
def on_workbenches(resource: Resource) -> Iterator[Outcome]:
    """Workbenches with an access configuration, or with users that are explicitly root."""
    path = "gceSetup.metadata"
    yield from check_each([path], _check_metadata, resource)
    yield from check_each(resource.entries("gceSetup.networkInterfaces"), _check_interface)


def _check_metadata(path: str, resource: Resource) -> Iterator[Outcome]:
    value = Entry(f"{path}[{_ROOT_METADATA}]", resource.mapping(path).get(_ROOT_METADATA)).known()
    if str(value).lower() == "false":
        yield Violation(f"{path}[{_ROOT_METADATA}]", f"{describe(value)}: {_ROOT}")


def _check_interface(interface: Entry) -> Iterator[Outcome]:
    if interface.known("accessConfigs"):
        yield Violation(interface.where("accessConfigs"), "assigns a public address to the notebook")


@POLICY.on("gcp:colab/runtimeTemplate:RuntimeTemplate")
def on_templates(resource: Resource) -> Iterator[Outcome]:
    """Notebooks of Colab Enterprise with access to the internet."""
    path = "networkSpec.enableInternetAccess"
    if resource.known(path) is True:
        yield Violation(path, f"is true: {_BYPASSES}")
