"""Volumes of claims."""

from __future__ import annotations

from typing import Any

import pytest

from twin.kubernetes.provisioner import PROVISIONER, SELECTED, Provisioner
from twin.tests.kubernetes.builders import node, pod
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror

CLAIMS = "/api/v1/persistentvolumeclaims"


def claim(**annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "data",
            "namespace": "monitoring",
            "uid": "7",
            "annotations": annotations,
        },
        "spec": {
            "storageClassName": "gp3",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


@pytest.fixture
def kube() -> Any:
    kube = FakeKube()
    kube.objects["/apis/storage.k8s.io/v1/storageclasses/gp3"] = {"metadata": {"name": "gp3"}}
    return kube


def mirror(**spec: Any) -> Any:
    body = pod("prometheus", namespace="monitoring")
    body["spec"] |= {"volumes": [{"name": "db", "persistentVolumeClaim": {"claimName": "data"}}], **spec}
    machine = node("node-1")
    machine["metadata"].setdefault("labels", {})["topology.kubernetes.io/zone"] = "us-west-2a"
    return FakeMirror(pods=[body], nodes=[machine])


def volumes(kube: Any) -> list[dict[str, Any]]:
    return [item for where, item in kube.objects.items() if where.startswith("/api/v1/persistentvolumes/")]


def test_a_claim_gets_a_volume_in_the_zone_of_the_node_that_was_selected(kube: Any) -> None:
    kube.objects[f"{CLAIMS}/data"] = claim(**{PROVISIONER: "ebs.csi.aws.com", SELECTED: "node-1"})
    Provisioner(kube, mirror()).step()
    (volume,) = volumes(kube)
    spec = volume["spec"]
    assert (spec["claimRef"]["uid"], spec["capacity"]) == ("7", {"storage": "10Gi"})
    (term,) = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["us-west-2a"]
    assert spec["csi"]["driver"] == "ebs.csi.aws.com"


@pytest.mark.parametrize("annotations", [{}, {SELECTED: "node-1"}])
def test_a_claim_waits_until_its_driver_is_asked(kube: Any, annotations: dict[str, str]) -> None:
    kube.objects[f"{CLAIMS}/data"] = claim(**annotations)
    Provisioner(kube, mirror()).step()
    assert volumes(kube) == []


def test_a_volume_goes_with_its_claim_unless_it_is_retained(kube: Any) -> None:
    kube.objects[f"{CLAIMS}/data"] = claim(**{PROVISIONER: "ebs.csi.aws.com"})
    provisioner = Provisioner(kube, mirror())
    provisioner.step()
    (volume,) = volumes(kube)
    volume["status"] = {"phase": "Bound"}
    Provisioner(kube, mirror(nodeName="node-1")).step()
    assert volumes(kube) == [volume]
    volume["status"] = {"phase": "Released"}
    volume["spec"]["persistentVolumeReclaimPolicy"] = "Retain"
    Provisioner(kube, mirror(nodeName="node-1")).step()
    assert volumes(kube) == [volume]
    volume["spec"]["persistentVolumeReclaimPolicy"] = "Delete"
    Provisioner(kube, mirror(nodeName="node-1")).step()
    assert volumes(kube) == []
