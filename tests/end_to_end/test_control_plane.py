"""The real control plane: what it runs, whom it lets in, and what a kill does to it."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config

from twin import environment, processes
from twin import world as worlds
from twin.kubernetes import control_plane, kwok
from twin.kubernetes.commands import Settings
from twin.world import World

pytestmark = pytest.mark.end_to_end
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        made = worlds.create("plane")
        environment.prepare(made)
        try:
            control_plane.start(made)
            yield made
        finally:
            control_plane.stop(made)


@pytest.fixture
def api(world: World) -> client.ApiClient:
    return config.new_client_from_config(str(world.kubeconfig))


def core_of(api: client.ApiClient) -> Any:
    """The core API; its stubs know no plain dictionaries."""
    return client.CoreV1Api(api)


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()


def make_node(api: client.ApiClient, name: str) -> None:
    has = {"cpu": "8", "memory": "32Gi", "pods": "50", "nvidia.com/gpu": "1"}
    core_of(api).create_node(
        {
            "metadata": {"name": name, "annotations": {kwok.MANAGED[0]: kwok.MANAGED[1]}},
            "status": {"capacity": has, "allocatable": has},
        }
    )


def pod(name: str, **annotations: str) -> dict[str, object]:
    limits = {"cpu": "100m"}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "any", "resources": {"limits": limits}}],
        },
    }


def phase(api: client.ApiClient, name: str) -> str:
    return core_of(api).read_namespaced_pod(name, "default").status.phase


def ready_nodes(api: client.ApiClient) -> set[str]:
    return {
        node.metadata.name
        for node in core_of(api).list_node().items
        if any(each.type == "Ready" and each.status == "True" for each in node.status.conditions or [])
    }


def test_it_takes_less_memory_than_a_twin_may(world: World) -> None:
    sizes = processes.resident_bytes(control_plane.daemons(world).values())
    assert set(sizes) == set(control_plane.PROCESSES)
    assert sum(sizes.values()) < 1228 * MEBIBYTE, sizes


def test_nodes_become_ready_and_pods_start_end_and_go(world: World, api: client.ApiClient) -> None:
    core = core_of(api)
    make_node(api, "first")
    assert until(lambda: "first" in ready_nodes(api))
    core.create_namespaced_pod("default", pod("stays"))
    core.create_namespaced_pod("default", pod("ends", **{kwok.RUN_FOR: "1s"}))
    core.create_namespaced_pod("default", pod("fails", **{kwok.RUN_FOR: "1s", kwok.EXIT_CODE: "3"}))
    assert until(lambda: phase(api, "ends") == "Succeeded")
    assert until(lambda: phase(api, "fails") == "Failed")
    status = core.read_namespaced_pod("fails", "default").status.container_statuses[0]
    assert status.state.terminated.exit_code == 3
    assert phase(api, "stays") == "Running"
    core.delete_namespaced_pod("stays", "default")
    assert until(
        lambda: not [p for p in core.list_namespaced_pod("default").items if p.metadata.name == "stays"]
    )


def test_a_job_completes_by_itself(world: World, api: client.ApiClient) -> None:
    batch: Any = client.BatchV1Api(api)
    if "first" not in ready_nodes(api):
        make_node(api, "first")
    template = {"spec": pod("x")["spec"]}
    batch.create_namespaced_job("default", {"metadata": {"name": "job"}, "spec": {"template": template}})
    assert until(lambda: bool(batch.read_namespaced_job("job", "default").status.succeeded))


def test_who_is_nobody_sees_the_health_and_nothing_else(world: World) -> None:
    context = ssl.create_default_context(cafile=str(world.folder / "kubernetes" / "pki" / "ca.crt"))

    def status(path: str, **headers: str) -> int:
        url = control_plane.endpoint(world) + path
        request = urllib.request.Request(url, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert status("/livez") == 200
    assert status("/api") == 401
    assert status("/api/v1/nodes", Authorization="Bearer k8s-aws-v1.nobody") == 401, (
        "the webhook does not answer: its tokens are refused, and nothing else is disturbed"
    )


@pytest.mark.parametrize("victim", control_plane.PROCESSES)
def test_a_killed_process_comes_back_and_nothing_is_lost(
    world: World, api: client.ApiClient, victim: str
) -> None:
    core = core_of(api)
    name = f"before-{victim}"
    core.create_namespaced_config_map("default", {"metadata": {"name": name}, "data": {"a": "1"}})
    process = control_plane.daemons(world)[victim].process()
    assert process is not None
    process.kill()
    assert until(lambda: control_plane.daemons(world)[victim].process() is None)
    control_plane.start(world)
    api = config.new_client_from_config(str(world.kubeconfig))
    assert core_of(api).read_namespaced_config_map(name, "default").data == {"a": "1"}


def test_a_new_kwok_takes_the_nodes_of_the_old_one_at_once(world: World, api: client.ApiClient) -> None:
    core = core_of(api)
    if "first" not in ready_nodes(api):
        make_node(api, "first")
    core.create_namespaced_pod("default", pod("held"))
    assert until(lambda: phase(api, "held") == "Running")
    process = control_plane.daemons(world)["kwok"].process()
    assert process is not None
    process.kill()
    control_plane.start(world)
    core.delete_namespaced_pod("held", "default")
    core.create_namespaced_pod("default", pod("new"))
    assert until(lambda: phase(api, "new") == "Running", 10), "not when the leases of the old one run out"
    names = lambda: {item.metadata.name for item in core.list_namespaced_pod("default").items}  # noqa: E731
    assert until(lambda: "held" not in names(), 10), "not at the end of its grace of 30 s"


def test_a_wipe_gives_an_empty_cluster_with_the_settings_asked_for(
    world: World, api: client.ApiClient
) -> None:
    core_of(api).create_namespace({"metadata": {"name": "old"}})
    authority = control_plane.certificate_authority(world)
    control_plane.wipe(world, settings=Settings(service_cidr="10.100.0.0/16"))
    fresh = config.new_client_from_config(str(world.kubeconfig))
    core = core_of(fresh)
    assert not core.list_node().items
    assert "old" not in {space.metadata.name for space in core.list_namespace().items}
    assert until(
        lambda: (
            core.list_namespaced_service("default").items[0].spec.cluster_ip.startswith("10.100.")
            if core.list_namespaced_service("default").items
            else False
        )
    )
    assert control_plane.certificate_authority(world) == authority, "kubeconfigs keep working"
    control_plane.wipe(world)
    assert control_plane.settings_of(world).service_cidr == "10.100.0.0/16", "as before, where none are given"
