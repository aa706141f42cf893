"""Spec of kubernetes.stay_supported."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _eks(kind: Any = None) -> Resource:
    return resource("aws:eks/cluster:Cluster", {"upgradePolicy": {"supportType": kind}})


def _gke(channel: Any = None, **props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", {"releaseChannel": {"channel": channel}, **props})


SPEC = Spec(
    passes={
        "EKS in standard support": _eks("STANDARD"),
        "the stable channel": _gke("STABLE"),
        "the regular one, by default": _gke(),
    },
    fails={
        "EKS with defaults": Fails(_eks(), "upgradePolicy.supportType", "'EXTENDED'"),
        "EKS in extended support": Fails(_eks("EXTENDED"), "upgradePolicy.supportType"),
        "no channel": Fails(_gke("UNSPECIFIED"), "releaseChannel.channel", "'UNSPECIFIED'"),
        "the rapid channel": Fails(_gke("RAPID"), "releaseChannel.channel", "'RAPID'"),
    },
    unknown={"of EKS": _eks(UNKNOWN), "of GKE": _gke(UNKNOWN)},
)
