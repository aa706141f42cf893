"""Spec of supply_chain.pin_versions."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _addon(**props: Any) -> Resource:
    return resource("aws:eks/addon:Addon", {"addonName": "coredns", "clusterName": "acme", **props})


def _cluster(**props: Any) -> Resource:
    return resource("aws:eks/cluster:Cluster", props)


SPEC = Spec(
    passes={
        "an add-on's": _addon(addonVersion="v1.12.4-eksbuild.1"),
        "a cluster's": _cluster(version="1.35"),
    },
    fails={
        "an add-on": Fails(_addon(), "addonVersion", "'coredns' gets the current default"),
        "a cluster": Fails(_cluster(), "version", "newest version"),
    },
    unknown={
        "an add-on's": _addon(addonVersion=UNKNOWN),
        "an add-on's, of a name that is unknown": _addon(addonName=UNKNOWN, addonVersion=UNKNOWN),
        "a cluster's": _cluster(version=UNKNOWN),
    },
)
