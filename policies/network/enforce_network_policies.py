"""A NetworkPolicy holds only where something enforces it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Network policies enforced",
    severity="high",
    description="Kubernetes takes a NetworkPolicy, and nothing happens, unless the cluster's network "
    "enforces it: on EKS the VPC CNI does when it is told to, on GKE Dataplane V2 or Calico.",
    remediation='Set configurationValues of the vpc-cni add-on to {"enableNetworkPolicy": "true"}; on GKE '
    "set datapathProvider to ADVANCED_DATAPATH.",
    frameworks=("CIS EKS 4.3.1", "CIS GKE 5.6.7", "NIST 800-53 AC-4", "NIST 800-53 SC-7"),
)


@POLICY.on("aws:eks/addon:Addon")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """The VPC CNI without its enforcement."""
    if resource.get("addonName") != "vpc-cni":
        return
    said = resource.get("configurationValues")
    if said is UNKNOWN:
        yield Undecided("configurationValues")
    elif str(_values(said).get("enableNetworkPolicy")).lower() != "true":
        yield Finding("configurationValues", "lacks enableNetworkPolicy, so that no NetworkPolicy holds")


def _values(text: Any) -> dict[str, Any]:
    try:
        found: Any = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {"enableNetworkPolicy": "true"} if 'enableNetworkPolicy: "true"' in str(text) else {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters with neither Dataplane V2 nor Calico."""
    ways = {
        "datapathProvider": "ADVANCED_DATAPATH",
        "networkPolicy.enabled": True,
        "enableAutopilot": True,
    }
    said = {path: resource.get(path) for path in ways}
    if any(value is not UNKNOWN and value == ways[path] for path, value in said.items()):
        return
    for path, value in said.items():
        if value is UNKNOWN:
            yield Undecided(path)
            return
    yield Finding("datapathProvider", "is not ADVANCED_DATAPATH, and Calico is off: no NetworkPolicy holds")
