"""Clusters enforce their NetworkPolicies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="NetworkPolicies are enforced",
    severity="high",
    description="The API server accepts every NetworkPolicy, even if nothing enforces it: on GKE without "
    "Dataplane V2, on EKS with the default configuration of the VPC CNI. A namespace that denies by default "
    "then denies nothing.",
    remediation="Set GKE's `datapathProvider: ADVANCED_DATAPATH`; give the add-on vpc-cni the configuration "
    '`{"enableNetworkPolicy": "true"}`.',
    frameworks=("CIS EKS 4.3.1", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_IGNORED = "no NetworkPolicy has an effect"


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Clusters with neither Dataplane V2 nor Calico. Autopilot always has the former."""
    switches = ("networkPolicy.enabled", "enableAutopilot")
    if resource.raw("datapathProvider") == "ADVANCED_DATAPATH" or any(
        resource.raw(path) is True for path in switches
    ):
        return
    for path in switches:
        resource.known(path)
    yield Violation("datapathProvider", f"{describe(resource.known('datapathProvider'))}: {_IGNORED}")


@POLICY.on("aws:eks/addon:Addon")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """The VPC CNI without its network policy agent."""
    if resource.known("addonName") != "vpc-cni":
        return
    text = resource.known("configurationValues")
    try:
        config: Any = json.loads(text or "{}")
    except ValueError:
        # EKS also accepts YAML.
        config = {"enableNetworkPolicy": "true"} if _enables(text) else {}
    enabled = cast("dict[str, Any]", config).get("enableNetworkPolicy") if isinstance(config, dict) else None
    if str(enabled).lower() != "true":
        yield Violation("configurationValues", f"enableNetworkPolicy is not 'true': {_IGNORED}")


def _enables(text: str) -> bool:
    lines = (line.partition("#")[0].replace('"', "").replace("'", "") for line in text.splitlines())
    return any(line.split() == ["enableNetworkPolicy:", "true"] for line in lines)
