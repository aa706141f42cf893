"""A machine's credentials are its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Metadata services give no credentials to strangers",
    severity="high",
    description="A machine's metadata service hands out the machine's credentials. IMDSv2 asks for a "
    "session token, which a forged request does not have, and with a hop limit of 1 no "
    "container reaches it. On GKE the metadata server stands between pods and the node's "
    "account.",
    remediation="Set metadataOptions with httpTokens required and httpPutResponseHopLimit 1; on GKE set "
    "workloadMetadataConfig.mode to GKE_METADATA.",
    frameworks=("CIS AWS 5.6", "CIS GKE 5.4.2", "NIST 800-53 AC-3", "NIST 800-53 CM-6"),
    options={
        "hops": Option(
            {"type": "integer", "minimum": 1},
            1,
            "The highest hop limit: 2 where containers need the machine's own.",
        )
    },
)


@POLICY.on(
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/instance:Instance",
    "aws:ec2/launchConfiguration:LaunchConfiguration",
)
def on_aws(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Machines whose metadata service answers without a token, or containers."""
    path = "metadataOptions"
    known = {key: resource.get(f"{path}.{key}") for key in ("httpEndpoint", "httpTokens")}
    hops = resource.get(f"{path}.httpPutResponseHopLimit")
    for key, value in known.items():
        if value is UNKNOWN:
            yield Undecided(f"{path}.{key}")
            return
    if known["httpEndpoint"] == "disabled":
        return
    if known["httpTokens"] != "required":
        said = "is missing, and with that" if known["httpTokens"] is None else f"is {known['httpTokens']!r}:"
        yield Finding(f"{path}.httpTokens", f"{said} the metadata service may answer without a token")
    if hops is UNKNOWN:
        yield Undecided(f"{path}.httpPutResponseHopLimit")
    elif hops is not None and hops > options["hops"]:
        yield Finding(
            f"{path}.httpPutResponseHopLimit", f"is {hops}: containers reach the machine's credentials"
        )


@POLICY.on("gcp:container/nodePool:NodePool", "gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Nodes whose own metadata service answers pods."""
    path = "nodeConfig.workloadMetadataConfig.mode"
    mode = resource.get(path)
    if mode is UNKNOWN:
        yield Undecided(path)
    elif mode in ("GCE_METADATA", "MODE_UNSPECIFIED"):
        yield Finding(path, f"is {mode!r}: pods get the credentials of the node's account")
