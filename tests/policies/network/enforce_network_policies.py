"""Spec of network.enforce_network_policies."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _cni(values: Any, name: str = "vpc-cni") -> Any:
    return resource("aws:eks/addon:Addon", {"addonName": name, "configurationValues": values})


def _gke(**config: Any) -> Any:
    return resource("gcp:container/cluster:Cluster", config)


SPEC = Spec(
    passes={
        "the VPC CNI that enforces them": _cni('{"enableNetworkPolicy": "true"}'),
        "the same in YAML": _cni('enableNetworkPolicy: "true"\n'),
        "another add-on": _cni(None, "coredns"),
        "Dataplane V2": _gke(datapathProvider="ADVANCED_DATAPATH"),
        "Calico": _gke(networkPolicy={"enabled": True}),
        "Autopilot": _gke(enableAutopilot=True),
    },
    fails={
        "the VPC CNI as it comes": Fails(_cni(None), "configurationValues", "enableNetworkPolicy"),
        "the VPC CNI that does not": Fails(_cni('{"enableNetworkPolicy": "false"}'), "configurationValues"),
        "GKE as it comes": Fails(_gke(), "datapathProvider", "Calico is off"),
    },
    unknown={
        "values that are not known yet": _cni(UNKNOWN),
        "a datapath that is not known yet": _gke(datapathProvider=UNKNOWN),
    },
)
