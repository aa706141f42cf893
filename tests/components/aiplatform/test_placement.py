"""How a Pod asks for a node of a pool, on both clouds."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiplatform import placement
from aiplatform.gpu_pool import GpuPool
from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    GOOGLE_NETWORK,
    NETWORK,
    US_EAST5,
    US_EAST5_ZONES,
    machine_types,
)
from tests.components.recording import record

EXAMPLES = Path(__file__).parents[3] / "examples"


def outputs(cloud: str, kind: type = GpuPool, **more: Any) -> dict[str, Any]:
    """The outputs of a pool named `gpu`."""
    where = (CLUSTER, NETWORK) if cloud == "aws" else (GOOGLE_CLUSTER, GOOGLE_NETWORK)
    arguments: Any = {"prefix": "acme-dev", "name": "gpu", "cluster": where[0], "network": where[1], **more}
    answers = machine_types(ct6e_standard_4t=US_EAST5_ZONES)
    return dict(record(lambda: kind("gpu", arguments), answers=answers).result.outputs)


@pytest.fixture(scope="module")
def on_aws() -> dict[str, Any]:
    return outputs("aws", accelerator="h100", count=8)


@pytest.fixture(scope="module")
def on_google() -> dict[str, Any]:
    return outputs("gcp", accelerator="h200", count=8, capacity=[{"type": "flex_start"}, {"type": "queued"}])


def test_each_clouds_pods_tolerate_what_its_nodes_have(on_aws: Any, on_google: Any) -> None:
    def taints(pool: Any) -> list[tuple[str, str]]:
        return [(toleration["key"], toleration["value"]) for toleration in placement.of(pool).tolerations]

    assert taints(on_aws) == [("nvidia.com/gpu", "true")]
    assert taints(on_google) == [
        ("nvidia.com/gpu", "present"),
        ("cloud.google.com/compute-class", "gpu"),
    ]


def test_a_pod_goes_to_the_pool_and_on_google_cloud_by_its_compute_class(on_aws: Any, on_google: Any) -> None:
    assert placement.of(on_aws).node_selector == {"ai-platform/pool": "gpu"}
    assert placement.of(on_google).node_selector == {"cloud.google.com/compute-class": "gpu"}


def test_a_pod_that_takes_a_whole_node_has_its_network_cards_too(on_aws: Any, on_google: Any) -> None:
    assert placement.of(on_aws).limits == {"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "32"}
    whole = placement.of(on_google)
    assert whole.limits == {"nvidia.com/gpu": "8"}
    attached = json.loads(whole.annotations["networking.gke.io/interfaces"])
    assert [item["network"] for item in attached] == [
        "default",
        "gpu-gvnic-1",
        *(f"gpu-rdma-{index}" for index in range(8)),
    ]
    assert [item["interfaceName"] for item in attached] == [f"eth{index}" for index in range(10)]
    part = placement.of(on_google, 1)
    assert part.limits == {"nvidia.com/gpu": "1"}
    assert not part.annotations, "the cards of a node serve one Pod"


def test_a_pod_of_a_provisioning_request_goes_to_the_nodes_that_it_got(on_google: Any, on_aws: Any) -> None:
    there = placement.queued(on_google, "big-run")
    assert there.node_selector == {"ai-platform/pool": "gpu", "ai-platform/capacity": "queued"}
    assert there.annotations["autoscaling.x-k8s.io/consume-provisioning-request"] == "big-run"
    assert "cloud.google.com/gke-queued" in [toleration["key"] for toleration in there.tolerations]
    with pytest.raises(ValueError, match="pool 'gpu' has no capacity of type 'queued'"):
        placement.queued(on_aws, "big-run")


def test_a_pod_on_tpus_says_the_slice_that_it_wants() -> None:
    capacity = [{"type": "spot"}, {"type": "queued"}]
    pool = outputs("gcp", accelerator="tpu-v6e", count=4, topology="4x4", capacity=capacity, **US_EAST5)
    wanted = {
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "4x4",
    }
    assert placement.of(pool).node_selector == {"cloud.google.com/compute-class": "gpu", **wanted}
    there = placement.queued(pool, "big-run")
    assert there.node_selector == {"ai-platform/pool": "gpu", "ai-platform/capacity": "queued", **wanted}


def test_more_than_a_node_has_is_refused(on_aws: Any) -> None:
    for amount in (0, 9, -1):
        with pytest.raises(ValueError, match=f"amount: got {amount}, expected 1 to 8"):
            placement.of(on_aws, amount)


def test_a_pod_on_an_ordinary_pool_asks_for_no_device() -> None:
    pool = outputs("gcp", NodePool, instance_types=["t2a-standard-8"], capacity=["spot", "on_demand"])
    there = placement.of(pool)
    assert there.limits == {}
    assert there.node_selector == {"cloud.google.com/compute-class": "gpu"}
    assert [toleration["key"] for toleration in there.tolerations] == [
        "kubernetes.io/arch",
        "cloud.google.com/compute-class",
    ]
    plain = outputs("gcp", NodePool, instance_types=["n2-standard-8"])
    assert placement.of(plain).tolerations == [], "where there is no order, every Pod may come"


def test_a_spec_keeps_what_it_has() -> None:
    pool = outputs("gcp", accelerator="l4", count=1)
    spec = placement.of(pool).pod(
        {
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"key": "mine"}],
            "containers": [{"name": "a", "resources": {"limits": {"memory": "8Gi"}}}, {"name": "b"}],
        }
    )
    assert spec["nodeSelector"] == {"disk": "fast", "cloud.google.com/compute-class": "gpu"}
    assert spec["tolerations"][0] == {"key": "mine"}
    assert [container.get("resources") for container in spec["containers"]] == [
        {"limits": {"memory": "8Gi", "nvidia.com/gpu": "1"}},
        None,
    ]


@pytest.mark.parametrize(("cloud", "example"), [("aws", "gpu-pod.yaml"), ("gcp", "gpu-pod-gcp.yaml")])
def test_the_examples_ask_as_the_helper_does(cloud: str, example: str) -> None:
    there = placement.of(outputs(cloud, accelerator="t4", count=1, name="t4"))
    written = yaml.safe_load((EXAMPLES / example).read_text())["spec"]
    bare = {key: value for key, value in written.items() if key not in ("nodeSelector", "tolerations")}
    bare["containers"] = [
        {key: value for key, value in container.items() if key != "resources"}
        for container in written["containers"]
    ]
    assert written == there.pod(bare), "write the example anew: placement.of(pool).pod(spec)"
