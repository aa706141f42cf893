"""A node advertises devices only while something registers them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from twin.kubernetes.device_plugins import DevicePlugins, difference, plugin_of
from twin.kubernetes.pods import repository
from twin.tests.kubernetes.builders import node, pod
from twin.tests.kubernetes.fakes import FakeKube, template

NVIDIA = "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"
EFA = "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.14"
MACHINE = replace(
    template("p5.48xlarge", devices={"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32}), name="node-1"
)


def plugin(
    image: str = NVIDIA, *, owner: str = "DaemonSet", phase: str = "Running", mounted: bool = True
) -> Any:
    item = pod("plugin", image=image, node="node-1", owner=owner, phase=phase, namespace="kube-system")
    if mounted:
        folder = "/var/lib/kubelet/device-plugins"
        item["spec"]["volumes"] = [{"name": "sockets", "hostPath": {"path": folder}}]
        item["spec"]["containers"][0]["volumeMounts"] = [{"name": "sockets", "mountPath": folder}]
    return item


def wanted(*pods: Any, machine: Any = MACHINE) -> dict[str, int]:
    return DevicePlugins(FakeKube()).wanted(machine, node(), pods)  # pyright: ignore[reportArgumentType]


def test_each_plugin_registers_its_own_devices_only() -> None:
    assert wanted() == {}, "no plugin, no devices"
    assert wanted(plugin()) == {"nvidia.com/gpu": 8}
    assert wanted(plugin(EFA)) == {"vpc.amazonaws.com/efa": 32}
    assert wanted(plugin(), plugin(EFA)) == {"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32}


def test_what_the_image_brings_needs_no_plugin() -> None:
    bottlerocket = replace(MACHINE, builtin_devices={"nvidia.com/gpu": 8})
    assert wanted(machine=bottlerocket) == {"nvidia.com/gpu": 8}


def test_only_a_ready_pod_of_a_daemonset_counts() -> None:
    assert wanted(plugin(owner="ReplicaSet")) == {}
    assert wanted(plugin(phase="Pending")) == {}
    leaving = plugin()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert wanted(leaving) == {}


def test_a_plugin_that_cannot_reach_the_kubelet_registers_nothing_and_says_so() -> None:
    kube = FakeKube()
    plugins = DevicePlugins(kube)  # pyright: ignore[reportArgumentType]
    assert plugins.wanted(MACHINE, node(), [plugin(mounted=False)]) == {}
    ((_, message),) = kube.events()
    assert "/var/lib/kubelet/device-plugins is not mounted" in message


def test_the_plugins_helpers_are_no_plugins() -> None:
    helper = {"name": "gfd", "image": NVIDIA, "command": ["gpu-feature-discovery"]}
    assert plugin_of(helper) is None
    assert plugin_of({"name": "efa", "image": EFA}).name == "EFA"  # pyright: ignore[reportOptionalMemberAccess]
    assert plugin_of({"name": "web", "image": "nginx"}) is None


def test_devices_come_and_go_with_the_plugin() -> None:
    kube = FakeKube()
    kube.objects["/api/v1/nodes/node-1"] = there = node()
    plugins = DevicePlugins(kube)  # pyright: ignore[reportArgumentType]
    plugins.step([MACHINE], {"node-1": there}, {"node-1": [plugin()]})
    there = kube.objects["/api/v1/nodes/node-1"]
    assert there["status"]["allocatable"]["nvidia.com/gpu"] == "8"
    assert there["status"]["capacity"]["nvidia.com/gpu"] == "8"
    before = len(kube.requests)
    plugins.step([MACHINE], {"node-1": there}, {"node-1": [plugin()]})
    assert len(kube.requests) == before, "nothing to change, nothing asked of the API server"
    plugins.step([MACHINE], {"node-1": there}, {})
    assert "nvidia.com/gpu" not in kube.objects["/api/v1/nodes/node-1"]["status"]["allocatable"]


def test_a_wrong_sharing_configuration_leaves_the_node_without_gpus() -> None:
    kube = FakeKube()
    item = plugin()
    item["spec"]["volumes"].append({"name": "config", "configMap": {"name": "shared"}})
    item["spec"]["containers"][0]["volumeMounts"].append({"name": "config", "mountPath": "/config"})
    item["spec"]["containers"][0]["env"] = [{"name": "CONFIG_FILE", "value": "/config/any.yaml"}]
    plugins = DevicePlugins(kube)  # pyright: ignore[reportArgumentType]
    assert plugins.wanted(MACHINE, node(), [item]) == {}
    assert "refuses its configuration" in kube.events()[0][1]
    kube.objects["/api/v1/namespaces/kube-system/configmaps/shared"] = {
        "metadata": {},
        "data": {
            "any.yaml": "version: v1\n"
            "sharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 2}]}}"
        },
    }
    plugins = DevicePlugins(kube)  # pyright: ignore[reportArgumentType]
    assert plugins.wanted(MACHINE, node(), [item]) == {"nvidia.com/gpu": 16}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "nginx"),
        ("nginx:1.2", "nginx"),
        ("host:5000/a/b:v1@sha256:00", "host:5000/a/b"),
        ("host:5000/a/b", "host:5000/a/b"),
    ],
)
def test_an_images_repository_is_told_from_its_tag(image: str, expected: str) -> None:
    assert repository(image) == expected


def test_the_difference_removes_what_is_no_longer_there() -> None:
    assert difference({"nvidia.com/gpu": 8}, {"nvidia.com/gpu.shared": 16}) == {
        "nvidia.com/gpu.shared": "16",
        "nvidia.com/gpu": None,
    }
