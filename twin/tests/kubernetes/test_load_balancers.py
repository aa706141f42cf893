"""Services of type LoadBalancer."""

from __future__ import annotations

from typing import Any

import pytest

from twin.kubernetes.load_balancers import AWS_CLASS, FINALIZERS, LoadBalancers
from twin.tests.kubernetes.fakes import FakeKube, FakeMirror

WHERE = "/api/v1/namespaces/gateway/services/front"


def service(**more: Any) -> dict[str, Any]:
    spec = more.pop("spec", {})
    return {
        "metadata": {"name": "front", "namespace": "gateway", "uid": "7", **more},
        "spec": {"type": "LoadBalancer", **spec},
    }


def stepped(body: dict[str, Any], cloud: str, deployments: Any = ()) -> dict[str, Any]:
    kube: Any = FakeKube()
    kube.objects[WHERE] = body
    internal = {"metadata": {"name": "internal", "namespace": "gateway"}, "spec": {"type": "ClusterIP"}}
    mirror: Any = FakeMirror(deployments=list(deployments), services=[internal, body])
    LoadBalancers(kube, mirror, cloud).step()
    return kube.objects[WHERE]


def controller(ready: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "aws-load-balancer-controller", "namespace": "aws-load-balancer-controller"},
        "status": {"readyReplicas": ready},
    }


@pytest.mark.parametrize(("cloud", "key"), [("aws", "hostname"), ("gcp", "ip")])
def test_a_service_gets_an_address_and_stays_until_it_has_none(cloud: str, key: str) -> None:
    body = stepped(service(), cloud)
    [entry] = body["status"]["loadBalancer"]["ingress"]
    assert list(entry) == [key]
    assert body["metadata"]["finalizers"] == [FINALIZERS[cloud]]
    body["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z"
    assert stepped(body, cloud)["metadata"]["finalizers"] == []


def test_the_class_of_aws_needs_its_controller() -> None:
    of_class = {"spec": {"loadBalancerClass": AWS_CLASS}}
    assert "status" not in stepped(service(**of_class), "aws")
    assert "status" not in stepped(service(**of_class), "aws", [controller(0)])
    assert stepped(service(**of_class), "aws", [controller(1)])["status"]["loadBalancer"]["ingress"]
    assert "status" not in stepped(service(**of_class), "gcp", [controller(1)])
