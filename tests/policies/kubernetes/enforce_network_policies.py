"""Spec of kubernetes.enforce_network_policies."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _cni(values: Any = None, name: Any = "vpc-cni") -> Resource:
    return resource("aws:eks/addon:Addon", {"addonName": name, "configurationValues": values})


def _gke(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", props)


SPEC = Spec(
    passes={
        "the VPC CNI that is reported to": _cni('{"enableNetworkPolicy": "true"}'),
        "the VPC CNI that is reported to in YAML": _cni(
            "env: {}\nenableNetworkPolicy: 'true'  # default deny"
        ),
        "another add-on": _cni(name="coredns"),
        "Dataplane V2": _gke(datapathProvider="ADVANCED_DATAPATH"),
        "Calico": _gke(networkPolicy={"enabled": True, "provider": "CALICO"}),
        "Autopilot": _gke(enableAutopilot=True),
    },
    fails={
        "the VPC CNI with defaults": Fails(_cni(), "configurationValues", "not 'true'"),
        "the VPC CNI with something else": Fails(
            _cni('{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}'), "configurationValues"
        ),
        "the VPC CNI, commented out": Fails(
            _cni("env: {}\n# enableNetworkPolicy: 'true'"), "configurationValues"
        ),
        "GKE with defaults": Fails(_gke(), "datapathProvider", "no NetworkPolicy has an effect"),
        "GKE's old dataplane": Fails(_gke(datapathProvider="LEGACY_DATAPATH"), "datapathProvider"),
    },
    unknown={
        "what the VPC CNI is reported": _cni(UNKNOWN),
        "what GKE has": _gke(datapathProvider=UNKNOWN),
        "whether it has Calico": _gke(networkPolicy=UNKNOWN),
    },
)
