"""A node has GPUs to claim only while the driver runs on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twin.kubernetes.resource_slices import PLUGINS, ResourceSlices
from twin.tests.kubernetes.builders import node, pod
from twin.tests.kubernetes.fakes import FakeKube, template

IMAGE = "registry.k8s.io/dra-driver-nvidia/dra-driver-nvidia-gpu:v0.4.1"
SLICE = "/apis/resource.k8s.io/v1/resourceslices/node-1-gpu.nvidia.com"
MACHINE = replace(template("p5.48xlarge", devices={"nvidia.com/gpu": 3}), name="node-1")


def driver(*, owner: str = "DaemonSet", phase: str = "Running", mounted: bool = True) -> Any:
    """Return a Pod of the driver."""
    result = pod("driver", image=IMAGE, node="node-1", owner=owner, phase=phase, namespace="dra-driver")
    if mounted:
        result["spec"]["volumes"] = [{"name": "plugins", "hostPath": {"path": str(PLUGINS)}}]
    return result


def step(slices: ResourceSlices, *pods: Any, machine: Any = MACHINE, uid: str = "first") -> None:
    known = node()
    known["metadata"]["uid"] = uid
    slices.step([machine], {"node-1": known}, {"node-1": pods})


def test_a_running_driver_publishes_each_gpu_of_its_node() -> None:
    kube = FakeKube()
    step(ResourceSlices(kube), driver())  # pyright: ignore[reportArgumentType]
    spec = kube.objects[SLICE]["spec"]
    assert (spec["driver"], spec["nodeName"], spec["pool"]["name"]) == ("gpu.nvidia.com", "node-1", "node-1")
    assert [device["name"] for device in spec["devices"]] == ["gpu-0", "gpu-1", "gpu-2"]
    assert {device["attributes"]["type"]["string"] for device in spec["devices"]} == {"gpu"}
    assert len({device["attributes"]["uuid"]["string"] for device in spec["devices"]}) == 3


def test_only_a_ready_driver_of_a_daemonset_that_reaches_the_kubelet_publishes() -> None:
    for pods in ([], [driver(owner="ReplicaSet")], [driver(phase="Pending")], [driver(mounted=False)]):
        kube = FakeKube()
        step(ResourceSlices(kube), *pods)  # pyright: ignore[reportArgumentType]
        assert SLICE not in kube.objects


def test_a_node_without_gpus_has_none_to_claim() -> None:
    kube = FakeKube()
    step(ResourceSlices(kube), driver(), machine=replace(MACHINE, devices={}))  # pyright: ignore[reportArgumentType]
    assert SLICE not in kube.objects


def test_the_slice_goes_with_the_driver_also_after_a_restart() -> None:
    kube = FakeKube()
    slices = ResourceSlices(kube)  # pyright: ignore[reportArgumentType]
    step(slices, driver())
    step(slices)
    assert SLICE not in kube.objects
    step(slices, driver())
    step(ResourceSlices(kube))  # pyright: ignore[reportArgumentType]
    assert SLICE not in kube.objects, "a new process knows nothing of what the former one published"


def test_an_unchanged_node_is_not_written_again_and_a_replaced_one_is() -> None:
    kube = FakeKube()
    slices = ResourceSlices(kube)  # pyright: ignore[reportArgumentType]
    step(slices, driver())
    step(slices, driver())
    assert kube.requests == [("apply", SLICE)]
    step(slices, driver(), uid="second")
    assert kube.requests == [("apply", SLICE)] * 2, "the slice of the former node is garbage collected"
    assert kube.objects[SLICE]["metadata"]["ownerReferences"][0]["uid"] == "second"
