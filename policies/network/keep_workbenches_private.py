"""Notebooks are inside."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No notebook on the internet",
    severity="high",
    description="A notebook runs whatever is typed, with rights on data. SageMaker's and Vertex AI's go "
    "to the internet past the network, or have an address there, where nothing else is said.",
    remediation="Set directInternetAccess Disabled with a subnet, appNetworkAccessType VpcOnly, or "
    "gceSetup.disablePublicIp true.",
    frameworks=("NIST 800-53 SC-7", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)


@POLICY.on("aws:sagemaker/notebookInstance:NotebookInstance")
def on_notebooks(resource: Resource) -> Iterator[Judgement]:
    """Notebooks with an interface that is not of the network."""
    yield from _judged(resource, "directInternetAccess", "Disabled", "goes to the internet past the network")


@POLICY.on("aws:sagemaker/domain:Domain")
def on_studios(resource: Resource) -> Iterator[Judgement]:
    """Studio's domains of which the same holds."""
    yield from _judged(resource, "appNetworkAccessType", "VpcOnly", "goes to the internet past the network")


@POLICY.on("gcp:workbench/instance:Instance")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Workbenches with an address on the internet."""
    yield from _judged(resource, "gceSetup.disablePublicIp", True, "has an address on the internet")


def _judged(resource: Resource, path: str, right: object, problem: str) -> Iterator[Judgement]:
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said != right:
        what = "is missing" if said is None else f"is {said!r}"
        yield Finding(path, f"{what}: the notebook {problem}")
