"""Metadata services do not hand out the credentials of machines."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Option, Options, Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="Metadata services protect credentials",
    severity="high",
    description="A machine's metadata service returns the machine's credentials. IMDSv2 requires a session "
    "token, which a forged request lacks, and with a hop limit of 1 containers cannot use it. On GKE the "
    "metadata server keeps the credentials of the node's service account from pods.",
    remediation="Set metadataOptions with httpTokens required and httpPutResponseHopLimit 1; on GKE set "
    "workloadMetadataConfig.mode to GKE_METADATA.",
    frameworks=("CIS AWS 5.6", "CIS GKE 5.4.2", "NIST 800-53 AC-3", "NIST 800-53 CM-6"),
    options={
        "hops": Option(
            {"type": "integer", "minimum": 1},
            1,
            "The highest hop limit; 2 where containers need the credentials of the machine.",
        )
    },
)


_OPEN = "the metadata service may need no token"


@POLICY.on(
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/instance:Instance",
    "aws:ec2/launchConfiguration:LaunchConfiguration",
)
def on_aws(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Machines whose metadata service needs no token, or is reachable from containers."""
    path = "metadataOptions"
    if resource.known(f"{path}.httpEndpoint") == "disabled":
        return
    tokens = resource.known(f"{path}.httpTokens")
    if tokens != "required":
        yield Violation(f"{path}.httpTokens", f"{describe(tokens)}: {_OPEN}")
    yield from _check_hops(resource, path, options)


def _check_hops(resource: Resource, path: str, options: Options) -> Iterator[Outcome]:
    hops = resource.known(f"{path}.httpPutResponseHopLimit")
    if hops is not None and hops > options["hops"]:
        yield Violation(
            f"{path}.httpPutResponseHopLimit", f"is {hops:g}: containers get the credentials of the machine"
        )


@POLICY.on("kubernetes:karpenter.k8s.aws/")
def on_karpenter(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Nodes of Karpenter whose class changes its defaults, which are tokens and one hop."""
    path = "spec.metadataOptions"
    if resource.known(f"{path}.httpEndpoint") == "disabled":
        return
    if resource.known(f"{path}.httpTokens") == "optional":
        yield Violation(f"{path}.httpTokens", f"is 'optional': {_OPEN}")
    yield from _check_hops(resource, path, options)


@POLICY.on("aws:sagemaker/notebookInstance:NotebookInstance")
def on_notebooks(resource: Resource) -> Iterator[Outcome]:
    """Notebooks whose metadata service needs no token."""
    path = "instanceMetadataServiceConfiguration.minimumInstanceMetadataServiceVersion"
    version = resource.known(path)
    if str(version) != "2":
        yield Violation(path, f"{describe(version)}: {_OPEN}")


@POLICY.on("gcp:container/nodePool:NodePool", "gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Nodes whose metadata service is available to pods."""
    path = "nodeConfig.workloadMetadataConfig.mode"
    mode = resource.known(path)
    if mode in ("GCE_METADATA", "MODE_UNSPECIFIED"):
        yield Violation(path, f"is {mode!r}: pods get the credentials of the node's service account")
