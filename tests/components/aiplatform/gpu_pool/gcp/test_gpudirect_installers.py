"""The DaemonSets that prepare nodes for GPUDirect."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.fabric_pools import recorded

DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
DIGEST = "@sha256:4c9f0de3f39455a2ea35e844e0fc92564ca5629f6b03250fde40e8160719dae4"


def daemon_sets(kind: str, **more: Any) -> dict[str, Any]:
    """Name -> specification of Pods."""
    return {
        resource.inputs["metadata"]["name"]: resource.inputs["spec"]["template"]["spec"]
        for resource in recorded(kind, **more).all(DAEMON_SET)
    }


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("tcpx", {"gpu-nccl-tcpx-installer", "gpu-device-injector"}),
        ("tcpxo", {"gpu-nccl-tcpxo-installer", "gpu-device-injector"}),
        ("rdma", {"gpu-nccl-rdma-installer"}),
        ("efa", set[str]()),
    ],
)
def test_the_network_decides_what_is_installed(kind: str, names: set[str]) -> None:
    assert daemon_sets(kind).keys() == names


@pytest.mark.parametrize("kind", ["tcpx", "tcpxo", "rdma"])
def test_they_run_on_the_nodes_of_their_pool_with_any_taint(kind: str) -> None:
    for spec in daemon_sets(kind).values():
        assert spec["nodeSelector"] == {"ai-platform/pool": "gpu"}
        assert spec["tolerations"] == [{"operator": "Exists"}]
        assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize("kind", ["tcpx", "tcpxo", "rdma"])
def test_the_plugin_is_installed_before_the_container_that_stays(kind: str) -> None:
    spec = daemon_sets(kind)[f"gpu-nccl-{kind}-installer"]
    assert spec["initContainers"][-1]["securityContext"]["privileged"] is True
    (stays,) = spec["containers"]
    assert stays["securityContext"]["allowPrivilegeEscalation"] is False
    assert stays["image"] == spec["initContainers"][-1]["image"], "the node has it already"
    assert bool(spec.get("hostPID")) is (kind == "tcpxo"), "only its first step enters the node"


def test_nodes_are_created_after_the_software() -> None:
    recording = recorded("tcpxo")
    pool = recording.one("gcp:container/nodePool:NodePool")
    before = {urn.rpartition("::")[2] for urn in pool.depends_on}
    assert {"gpu-nccl-installer", "gpu-device-injector"} <= before


def test_images_have_digests_and_come_from_mirrors() -> None:
    spec = daemon_sets("tcpxo")["gpu-nccl-tcpxo-installer"]
    image = spec["containers"][0]["image"]
    assert image.endswith(f"nccl-plugin-gpudirecttcpx-dev:v1.0.15{DIGEST}")
    mirrors = {"us-docker.pkg.dev": "registry.acme.com/google"}
    recording = recorded("tcpxo", mirrors=mirrors)
    spec = daemon_sets("tcpxo", mirrors=mirrors)["gpu-nccl-tcpxo-installer"]
    assert spec["containers"][0]["image"] == image.replace("us-docker.pkg.dev", "registry.acme.com/google")
    sidecar = recording.result.outputs["pod_requirements"]["sidecar"]
    assert sidecar["image"].startswith("registry.acme.com/google/gce-ai-infra/")


def test_others_may_install_the_software() -> None:
    recording = recorded("tcpx", gpudirect_installers=False)
    assert not recording.all(DAEMON_SET)
    assert recording.result.outputs["pod_requirements"]["fabric"] == "tcpx"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"gpudirect_installers": True}, "gpudirect_installers"),
        ({"mirrors": {"nvcr.io": "registry.acme.com"}}, "mirrors"),
    ],
)
def test_on_aws_there_is_nothing_to_install(arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(ArgumentError, match=error):
        recorded("efa", **arguments)


def test_a_mirror_that_is_no_registry_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"mirrors: .*'x y' is no registry"):
        recorded("tcpx", mirrors={"x y": "registry.acme.com"})
