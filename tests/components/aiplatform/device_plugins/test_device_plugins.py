"""The device plugins: where they run, with which configurations and rights."""

from typing import Any

import pytest
import yaml

from aiplatform._shared.args import ArgumentError
from aiplatform.device_plugins import DevicePlugins
from aiplatform.device_plugins.args import nvidia_configurations
from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

DAEMON_SET = "kubernetes:apps/v1:DaemonSet"


def plugins(**arguments: Any) -> Recording:
    overrides: Any = arguments
    return record(lambda: DevicePlugins("plugins", overrides))


def pod(recorded: Recording, name: str) -> dict[str, Any]:
    return recorded.one(DAEMON_SET, name).inputs["spec"]["template"]["spec"]


def test_the_logical_names_are_a_contract() -> None:
    rbac = "kubernetes:rbac.authorization.k8s.io/v1"
    assert plugins(neuron=True).names() == [
        "aiplatform:index:DevicePlugins plugins",
        "kubernetes:apps/v1:DaemonSet plugins-neuron",
        "kubernetes:apps/v1:DaemonSet plugins-nvidia",
        "kubernetes:core/v1:ConfigMap plugins-nvidia-configs",
        "kubernetes:core/v1:ServiceAccount plugins-neuron-service-account",
        "kubernetes:core/v1:ServiceAccount plugins-nvidia-service-account",
        f"{rbac}:ClusterRole plugins-neuron-cluster-role",
        f"{rbac}:ClusterRole plugins-nvidia-cluster-role",
        f"{rbac}:ClusterRoleBinding plugins-neuron-cluster-role-binding",
        f"{rbac}:ClusterRoleBinding plugins-nvidia-cluster-role-binding",
    ]


def test_it_is_documented() -> None:
    assert undocumented(DevicePlugins) == []


def test_nvidias_plugin_runs_on_labelled_nodes_with_any_taints() -> None:
    spec = pod(plugins(), "plugins-nvidia")
    assert spec["nodeSelector"] == {"ai-platform/device-plugin": "nvidia"}
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["priorityClassName"] == "system-node-critical"
    sockets = {volume["name"]: volume.get("hostPath", {}).get("path") for volume in spec["volumes"]}
    assert sockets["sockets"] == "/var/lib/kubelet/device-plugins"


def test_each_node_gets_the_configuration_that_its_label_names() -> None:
    spec = pod(plugins(), "plugins-nvidia")
    for container in [*spec["initContainers"], spec["containers"][0]]:
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert environment["NODE_LABEL"] == "nvidia.com/device-plugin.config"
        assert environment["DEFAULT_CONFIG"] == "default"
    assert spec["shareProcessNamespace"] is True, "the manager signals the plugin"
    data = plugins().one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert data == dict(nvidia_configurations())


def test_every_configuration_is_what_the_plugin_reads() -> None:
    for name, text in nvidia_configurations().items():
        parsed = yaml.safe_load(text)
        assert parsed["version"] == "v1"
        if name.startswith("time-slicing-"):
            sliced = parsed["sharing"]["timeSlicing"]
            assert sliced["renameByDefault"] is False, "a slice is asked for as nvidia.com/gpu"
            replicas = int(name.rpartition("-")[2])
            assert sliced["resources"] == [{"name": "nvidia.com/gpu", "replicas": replicas}]


@pytest.mark.parametrize("replicas", [2, 64])
def test_the_configuration_of_every_pool_exists(replicas: int) -> None:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "t4",
        "cluster": CLUSTER,
        "network": NETWORK,
        "accelerator": "t4",
        "count": 1,
        "sharing": {"strategy": "time_slicing", "replicas": replicas},
    }
    group = record(lambda: GpuPool("gpu", arguments)).one("aws:eks/nodeGroup:NodeGroup")
    assert group.inputs["labels"]["nvidia.com/device-plugin.config"] in nvidia_configurations()


def test_no_container_of_the_plugins_can_gain_privileges() -> None:
    recorded = plugins(neuron=True)
    for name in ("plugins-nvidia", "plugins-neuron"):
        spec = pod(recorded, name)
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_plugin_depends_on_its_permissions_and_configurations() -> None:
    recorded = plugins()
    plugin = recorded.one(DAEMON_SET)
    others = [r for r in recorded.resources if r.type.startswith("kubernetes:") and r is not plugin]
    assert all(recorded.depends(plugin, other) for other in others)


def test_neurons_plugin_runs_on_neuron_nodes() -> None:
    recorded = plugins(nvidia=False, neuron=True)
    assert pod(recorded, "plugins-neuron")["nodeSelector"] == {"ai-platform/device-plugin": "neuron"}
    outputs = recorded.one("aiplatform:index:DevicePlugins").outputs
    assert outputs == {"daemon_sets": ["neuron-device-plugin"]}


def test_mirrors_replace_the_registries() -> None:
    spec = pod(plugins(nvidia_image="registry.example.com/k8s-device-plugin:v0.20.0"), "plugins-nvidia")
    images = {container["image"] for container in [*spec["initContainers"], *spec["containers"]]}
    assert images == {"registry.example.com/k8s-device-plugin:v0.20.0"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"nvidia": False}, "expected at least one of the two"),
        ({"nvidia_image": "no-tag"}, "DevicePluginsArgs.nvidia_image: got 'no-tag'"),
        ({"nvdia": True}, "did you mean 'nvidia'?"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        plugins(**arguments)
    assert expected in str(caught.value)
