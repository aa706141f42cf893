"""A cluster heeds its NetworkPolicies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="NetworkPolicies are enforced",
    severity="high",
    description="The API server takes every NetworkPolicy, also where nothing enforces it: on GKE without "
    "Dataplane V2, on EKS with the VPC CNI as it comes. A namespace that denies by default then denies "
    "nothing.",
    remediation="Set GKE's `datapathProvider: ADVANCED_DATAPATH`; give the add-on vpc-cni the configuration "
    '`{"enableNetworkPolicy": "true"}`.',
    frameworks=("CIS EKS 4.3.1", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters with neither Dataplane V2 nor Calico. Autopilot has the former always."""
    values = [resource.get(path) for path in ("datapathProvider", "networkPolicy.enabled", "enableAutopilot")]
    if values[0] == "ADVANCED_DATAPATH" or any(value is True for value in values[1:]):
        return
    if any(value is UNKNOWN for value in values):
        yield Undecided("datapathProvider")
    else:
        yield Finding("datapathProvider", f"is {values[0] or 'not set'!r}: no NetworkPolicy has an effect")


@POLICY.on("aws:eks/addon:Addon")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """The VPC CNI without its agent of network policies."""
    if resource.get("addonName") != "vpc-cni":
        return
    text = resource.get("configurationValues")
    if text is UNKNOWN:
        yield Undecided("configurationValues")
        return
    try:
        config: Any = json.loads(text or "{}")
    except ValueError:
        # EKS takes YAML, too.
        config = {"enableNetworkPolicy": "true"} if _says_so(text) else {}
    said = cast("dict[str, Any]", config).get("enableNetworkPolicy") if isinstance(config, dict) else None
    if str(said).lower() != "true":
        yield Finding(
            "configurationValues", "enableNetworkPolicy is not 'true': no NetworkPolicy has an effect"
        )


def _says_so(text: str) -> bool:
    lines = (line.partition("#")[0].replace('"', "").replace("'", "") for line in text.splitlines())
    return any(line.split() == ["enableNetworkPolicy:", "true"] for line in lines)
