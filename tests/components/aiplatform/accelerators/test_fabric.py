"""What Pods need to use the network between accelerators."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform import placement
from aiplatform.accelerators import fabric
from aiplatform.guardrails.args import FabricNamespace, GuardrailsSettings
from tests.components.aiplatform.fabric_pools import POOLS, outputs, recorded

GPUDIRECT = ("tcpx", "tcpxo", "rdma")


def template(kind: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A template with the placement on a pool. container: fields of the workload's."""
    main = {
        "name": "train",
        "image": "torch:2",
        "command": ["torchrun"],
        "args": ["train.py"],
        "resources": {"limits": {"memory": "512Gi"}},
        **(container or {}),
    }
    return placement.of(outputs(kind)).template({"spec": {"containers": [main], **spec}})


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["env"]}


def mounts(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        mount["mountPath"]: (mount["name"], mount.get("readOnly", False))
        for mount in container["volumeMounts"]
    }


@pytest.mark.parametrize("kind", POOLS)
def test_a_pool_states_the_requirements_of_its_network(kind: str) -> None:
    requirements = outputs(kind)["pod_requirements"]
    assert requirements["fabric"] == kind
    assert json.loads(json.dumps(requirements)) == requirements, "it passes through an output of a stack"


def test_a_pool_without_such_a_network_has_no_requirements() -> None:
    single = recorded("efa", accelerator="l4", count=1).result.outputs
    assert single["pod_requirements"] is None
    off = recorded("tcpx", gpudirect=False).result.outputs
    assert off["pod_requirements"] is None


def test_efa_needs_its_adapters_and_huge_pages_and_no_path_of_the_node() -> None:
    pod = template("efa")
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"] == {
        "memory": "512Gi",
        "nvidia.com/gpu": "8",
        "vpc.amazonaws.com/efa": "32",
        "hugepages-2Mi": "5120Mi",
    }
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["fabric-shared-memory"]
    assert "initContainers" not in pod["spec"]
    access = fabric.node_access(fabric.efa(32), ["gpu"])
    assert access == {}, "the namespace can have the level `restricted`"


@pytest.mark.parametrize("kind", GPUDIRECT)
def test_what_a_pod_needs_of_its_node_is_accepted_by_the_guardrails(kind: str) -> None:
    known: Any = kind
    requirements = fabric.gpudirect(known, {"tcpx": "x", "tcpxo": "x"}, {})
    access: dict[str, Any] = dict(fabric.node_access(requirements, ["gpu"]))
    assert access["pools"] == ["gpu"]
    settings = GuardrailsSettings(fabric_namespaces={"team": FabricNamespace(**access)})
    assert list(settings.check()) == []


def test_huge_pages_without_memory_are_refused_as_by_the_api_server() -> None:
    with pytest.raises(ValueError, match=r"containers\[0\]\.resources: .*expected a request of memory"):
        template("efa", {"resources": {}})


def test_without_huge_pages_libfabric_is_told_not_to_use_them() -> None:
    requirements = fabric.efa(1, huge_pages=False)
    assert "hugepages-2Mi" not in requirements.limits
    assert requirements.environment["FI_EFA_USE_HUGE_PAGE"] == "0"


@pytest.mark.parametrize(
    ("kind", "interfaces"),
    [("tcpx", 4), ("tcpxo", 8), ("rdma", 9)],
)
def test_a_pod_has_every_interface_of_the_node(kind: str, interfaces: int) -> None:
    annotations = template(kind)["metadata"]["annotations"]
    attached = json.loads(annotations["networking.gke.io/interfaces"])
    assert [entry["interfaceName"] for entry in attached] == [f"eth{n}" for n in range(interfaces + 1)]
    stated = variables(template(kind)["spec"]["containers"][0])
    named = [value for key, value in stated.items() if key.endswith("IFNAME") and "," in value]
    for names in named:
        assert set(names.split(",")) <= {entry["interfaceName"] for entry in attached}


@pytest.mark.parametrize("kind", ["tcpx", "tcpxo"])
def test_the_daemon_is_a_native_sidecar_with_the_devices_of_the_node(kind: str) -> None:
    pod = template(kind, initContainers=[{"name": "fetch"}])
    _, daemon, other = pod["spec"]["initContainers"]
    assert daemon["restartPolicy"] == "Always", "an ordinary container would keep a Job from completing"
    assert other == {"name": "fetch"}
    assert "NET_ADMIN" in daemon["securityContext"]["capabilities"]["add"]
    assert not daemon["securityContext"].get("privileged")
    key = f"devices.gke.io/container.{daemon['name']}"
    lines = pod["metadata"]["annotations"][key].splitlines()
    assert lines[0] == "- path: /dev/nvidia0"
    assert len(lines) == (11 if kind == "tcpxo" else 10)


def test_the_containers_of_tcpx_share_the_directory_of_their_sockets() -> None:
    spec = template("tcpx")["spec"]
    (workload,), (_, daemon) = spec["containers"], spec["initContainers"]
    socket = daemon["command"][daemon["command"].index("--uds_path") + 1]
    assert mounts(workload)[socket] == mounts(daemon)[socket]
    assert variables(workload)["NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX"] == socket


@pytest.mark.parametrize("kind", GPUDIRECT)
def test_libraries_of_the_node_are_mounted_read_only(kind: str) -> None:
    spec = template(kind)["spec"]
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}
    libraries = {name for name, path in paths.items() if path.startswith("/home/kubernetes/bin")}
    assert libraries
    for container in (*spec["containers"], *spec.get("initContainers", [])):
        for name, read_only in mounts(container).values():
            assert read_only or name not in libraries, "programs of the node are in that folder"


def test_rdma_sources_its_script_before_the_command() -> None:
    (container,) = template("rdma")["spec"]["containers"]
    assert container["command"] == [
        "/bin/bash",
        "-c",
        'source /usr/local/gib/scripts/set_nccl_env.sh && exec "$@"',
        "bash",
        "torchrun",
    ]
    assert container["args"] == ["train.py"], "the kubelet appends them"
    with pytest.raises(ValueError, match=r"containers\[0\]\.command: missing"):
        template("rdma", {"command": []})


@pytest.mark.parametrize("kind", POOLS)
def test_what_the_workload_states_itself_is_kept(kind: str) -> None:
    memory = "/dev/shm"  # noqa: S108 - a path in the container
    container = {
        "env": [{"name": "LD_LIBRARY_PATH", "value": "/mine"}],
        "volumeMounts": [{"name": "mine", "mountPath": memory}],
        "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_NICE"]}},
    }
    spec = template(kind, container, volumes=[{"name": "mine", "emptyDir": {}}])["spec"]
    (container,) = spec["containers"]
    assert variables(container)["LD_LIBRARY_PATH"] == "/mine"
    assert mounts(container)[memory] == ("mine", False)
    assert spec["volumes"][0] == {"name": "mine", "emptyDir": {}}
    assert "fabric-shared-memory" not in [volume["name"] for volume in spec["volumes"]]
    capabilities = container["securityContext"]["capabilities"]
    assert capabilities["drop"] == ["ALL"]
    assert "SYS_NICE" in capabilities["add"]


@pytest.mark.parametrize("kind", POOLS)
def test_names_of_volumes_are_valid_and_distinct(kind: str) -> None:
    names = [volume["name"] for volume in template(kind)["spec"]["volumes"]]
    assert len(names) == len(set(names))
    assert all(len(name) <= 63 and name.replace("-", "").isalnum() and name.islower() for name in names)


@pytest.mark.parametrize("kind", POOLS)
def test_a_part_of_a_node_has_no_network_of_the_accelerators(kind: str) -> None:
    part = placement.of(outputs(kind), 1).template({"spec": {"containers": [{"name": "one"}]}})
    assert "volumes" not in part["spec"]
    assert part["metadata"]["annotations"] == {}
    assert part["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}


def test_access_of_several_pools_is_what_any_of_them_needs() -> None:
    access = fabric.access_of_pools({"a": "tcpx", "b": "tcpxo", "c": "rdma"})
    assert access["pools"] == ["a", "b", "c"]
    assert {*access["capabilities"]} == {"IPC_LOCK", "NET_ADMIN", "NET_BIND_SERVICE"}
    assert "/dev/dmabuf_import_helper" in access["devices"]
    assert len(access["devices"]) == len({*access["devices"]}), "GPUs are counted by these lines"
    assert fabric.access_of_pools({}) == {}


@pytest.mark.parametrize("kind", GPUDIRECT)
def test_access_of_one_pool_is_that_of_its_pods(kind: Any) -> None:
    requirements = fabric.gpudirect(kind, {"tcpx": "x", "tcpxo": "x"}, {})
    assert fabric.access_of_pools({"a": kind}) == fabric.node_access(requirements, ["a"])


@pytest.mark.parametrize(
    ("kind", "network"),
    [("efa", "AWS Libfabric"), ("tcpx", "GPUDirectTCPX_v7"), ("tcpxo", "FasTrak"), ("rdma", "gIB")],
)
def test_nccl_stops_where_the_plugin_of_the_network_is_missing(kind: str, network: str) -> None:
    (container,) = template(kind)["spec"]["containers"]
    assert variables(container)["NCCL_NET"] == network, "it would use TCP without an error"
    (container,) = template(kind, {"env": [{"name": "NCCL_NET", "value": "Socket"}]})["spec"]["containers"]
    assert variables(container)["NCCL_NET"] == "Socket", "a job on one node may need no network"


@pytest.mark.parametrize("kind", GPUDIRECT)
def test_pods_wait_for_the_software_that_the_platform_installs(kind: str) -> None:
    file = outputs(kind)["pod_requirements"]["ready_file"]
    context = {"allowPrivilegeEscalation": False}
    spec = template(kind, {"image": "torch:1", "securityContext": context})["spec"]
    wait = spec["initContainers"][0]
    assert (wait["name"], wait["image"]) == ("fabric-wait", "torch:1")
    assert wait["securityContext"] == context
    assert file in wait["command"][-1]
    ((path, (volume, read_only)),) = mounts(wait).items()
    assert file.startswith(f"{path}/"), "the node's folder is mounted there"
    assert read_only
    source = next(entry for entry in spec["volumes"] if entry["name"] == volume)
    # The file's path on the node, where the installer writes it.
    on_node = f"{source['hostPath']['path']}{file.removeprefix(path)}"
    script, mounted = _installer(kind)
    written = script.rpartition("touch ")[2]
    folder = next(path for path in mounted if written.startswith(f"{path}/"))
    assert f"{mounted[folder]}{written.removeprefix(folder)}" == on_node


def _installer(kind: str) -> tuple[str, dict[str, str]]:
    """The script of the installer, and the mounts of its container: path -> path of the node."""
    daemon_set = recorded(kind).one("kubernetes:apps/v1:DaemonSet", "gpu-nccl-installer")
    spec = daemon_set.inputs["spec"]["template"]["spec"]
    container = spec["initContainers"][-1]
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
    return container["command"][-1], {
        mount["mountPath"]: paths[mount["name"]] for mount in container["volumeMounts"]
    }


def test_pods_wait_for_nothing_that_others_install() -> None:
    requirements = recorded("tcpx", gpudirect_installers=False).result.outputs["pod_requirements"]
    assert "ready_file" not in requirements
    assert "ready_file" not in outputs("efa")["pod_requirements"]


@pytest.mark.parametrize("kind", GPUDIRECT)
def test_file_of_another_version_is_removed_before_an_installation(kind: str) -> None:
    script, _ = _installer(kind)
    assert script.startswith("rm -f ")
    assert script.index("rm -f") < script.index("install") < script.index("touch")
