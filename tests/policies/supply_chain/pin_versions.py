"""Spec of supply_chain.pin_versions."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import node_class
from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _addon(**props: Any) -> Resource:
    return resource("aws:eks/addon:Addon", {"addonName": "coredns", "clusterName": "acme", **props})


def _cluster(**props: Any) -> Resource:
    return resource("aws:eks/cluster:Cluster", props)


SPEC = Spec(
    passes={
        "an add-on's": _addon(addonVersion="v1.12.4-eksbuild.1"),
        "a cluster's": _cluster(version="1.35"),
        "a version of Karpenter's images": node_class(amiSelectorTerms=[{"alias": "al2023@v20261110"}]),
    },
    fails={
        "an add-on": Fails(_addon(), "addonVersion", "'coredns' gets the current default"),
        "a cluster": Fails(_cluster(), "version", "newest version"),
        "the newest of Karpenter's images": Fails(
            node_class(amiSelectorTerms=[{"alias": "al2023@latest"}]),
            "spec.amiSelectorTerms[0].alias",
            "replaces all nodes",
        ),
    },
    unknown={
        "the images of Karpenter": node_class(amiSelectorTerms=[{"alias": UNKNOWN}]),
        "an add-on's": _addon(addonVersion=UNKNOWN),
        "an add-on's, of a name that is unknown": _addon(addonName=UNKNOWN, addonVersion=UNKNOWN),
        "a cluster's": _cluster(version=UNKNOWN),
    },
)
