"""The real control plane: nodes and Pods, access to it, and its recovery from a kill."""

from __future__ import annotations

import http.client
import http.server
import json
import shutil
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kubernetes import client, config

from aiplatform._shared.kubernetes.node_labels import GPU_CLASS
from aiplatform.addons import device_classes
from aiplatform.teams import claims
from tests.end_to_end.guardrails import definition
from tests.end_to_end.plane_objects import (
    claiming,
    core_of,
    hooked,
    make_node,
    phase,
    pod,
    ready_nodes,
    refusal,
    until,
)
from twin import environment, instances, processes
from twin.instances import Instance
from twin.kubernetes import control_plane, egress, kwok
from twin.kubernetes.api import Kube
from twin.kubernetes.backends import Backends
from twin.kubernetes.certificates import Pki
from twin.kubernetes.commands import Settings
from twin.kubernetes.controllers.absent import Absent
from twin.kubernetes.resource_slices import ResourceSlices
from twin.tests.kubernetes.test_resource_slices import MACHINE, driver

pytestmark = pytest.mark.end_to_end
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        instance = instances.create("plane")
        environment.prepare(instance)
        try:
            control_plane.start(instance)
            yield instance
        finally:
            control_plane.stop(instance)


@pytest.fixture
def api(instance: Instance) -> client.ApiClient:
    return config.new_client_from_config(str(instance.kubeconfig))


def test_memory_stays_within_the_limit_of_a_twin(instance: Instance) -> None:
    sizes = processes.memory_bytes(control_plane.daemons(instance).values())
    assert set(sizes) == set(control_plane.PROCESSES)
    assert sum(sizes.values()) < 600 * MEBIBYTE, f"an empty control plane uses some 400 MiB: {sizes}"


def test_nodes_become_ready_and_pods_start_end_and_are_deleted(
    instance: Instance, api: client.ApiClient
) -> None:
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


def test_a_job_completes_by_itself(instance: Instance, api: client.ApiClient) -> None:
    batch: Any = client.BatchV1Api(api)
    if "first" not in ready_nodes(api):
        make_node(api, "first")
    template = {"spec": pod("x")["spec"]}
    batch.create_namespaced_job("default", {"metadata": {"name": "job"}, "spec": {"template": template}})
    assert until(lambda: bool(batch.read_namespaced_job("job", "default").status.succeeded))


def test_claims_of_pods_are_allocated_from_the_gpus_of_a_node_until_none_is_left(
    instance: Instance, api: client.ApiClient
) -> None:
    core, resources, kube = core_of(api), client.ResourceV1Api(api), Kube(instance.kubeconfig)
    make_node(api, "claimed")
    node = kube.get("/api/v1/nodes/claimed")
    selectors = [{"cel": {"expression": device_classes.WHOLE_GPU}}]
    kube.create(
        "/apis/resource.k8s.io/v1/deviceclasses",
        {"metadata": {"name": GPU_CLASS}, "spec": {"selectors": selectors}},
    )
    for number in (1, 2):
        kube.create(
            "/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates",
            {
                "metadata": {"name": f"gpu-{number}"},
                "spec": {"spec": {"devices": {"requests": [claims.request(number)]}}},
            },
        )
    slices = ResourceSlices(kube)
    machine = replace(MACHINE, name="claimed")
    core.create_namespaced_pod("default", claiming("first-claim", "gpu-2"))
    time.sleep(2)
    assert phase(api, "first-claim") == "Pending", "without the driver no node has a GPU to claim"
    slices.step([machine], {"claimed": node}, {"claimed": [driver()]})
    assert until(lambda: phase(api, "first-claim") == "Running")
    core.create_namespaced_pod("default", claiming("second-claim", "gpu-2"))
    core.create_namespaced_pod("default", claiming("third-claim", "gpu-1"))
    assert until(lambda: phase(api, "third-claim") == "Running"), "the node has three GPUs"
    assert phase(api, "second-claim") == "Pending", "the node has no two GPUs left"
    allocated: Any = resources.list_namespaced_resource_claim("default").items
    devices = [
        result.device
        for claim in allocated
        if claim.status and claim.status.allocation
        for result in claim.status.allocation.devices.results
    ]
    assert sorted(devices) == ["gpu-0", "gpu-1", "gpu-2"], "each GPU belongs to one claim"
    core.delete_namespaced_pod("first-claim", "default")
    assert until(lambda: phase(api, "second-claim") == "Running"), "the GPUs of an ended Pod are free again"


def test_an_anonymous_client_reads_only_the_health(instance: Instance) -> None:
    context = ssl.create_default_context(cafile=str(instance.folder / "kubernetes" / "pki" / "ca.crt"))

    def status(path: str, **headers: str) -> int:
        url = control_plane.endpoint(instance) + path
        request = urllib.request.Request(url, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert status("/livez") == 200
    assert status("/api") == 401
    assert status("/api/v1/nodes", Authorization="Bearer k8s-aws-v1.stranger") == 401, (
        "the webhook does not answer: its tokens are refused, and nothing else fails"
    )


def _status(instance: Instance, port: str, path: str) -> int:
    """Return the status that a client without a certificate gets from a port; 0 where it cannot connect."""
    context = ssl.create_default_context(cafile=str(instance.folder / "kubernetes" / "pki" / "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", instance.ports[port], context=context, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (ssl.SSLError, OSError):
        return 0  # the handshake fails
    finally:
        connection.close()


@pytest.mark.parametrize("port", [name for name in instances.PORTS if name not in ("cloud", "webhook")])
def test_another_user_of_the_machine_reads_at_most_the_health_of_a_port(
    instance: Instance, port: str
) -> None:
    paths = (
        "/metrics",
        "/debug/pprof/heap",
        "/configz",
        "/version",
        "/v2/keys",
        "/containerLogs/default/a/b",
    )
    paths = (*paths, "/exec/default/a/b", "/logs/", "/discovery/prometheus", "/api/v1/secrets")
    answered = {path: _status(instance, port, path) for path in paths}
    if port == "kwok":
        # Counters of the Go runtime, which kwok cannot disable.
        del answered["/metrics"], answered["/discovery/prometheus"]
    assert not {path: code for path, code in answered.items() if code == 200}, answered


@pytest.fixture
def backends(instance: Instance) -> Iterator[Backends]:
    """The relay, as the controller runs it."""
    kube = Kube(instance.kubeconfig)
    backends = Backends(kube, Absent(instance, kube).serve)
    relay = egress.Relay(instance.folder / egress.SOCKET, backends.resolve)
    relay.start()
    yield backends
    relay.stop()


@pytest.fixture
def neighbour() -> Iterator[list[str]]:
    """Another program of the machine, which accepts every connection. First entry: its port; then clients."""
    listener = socket.create_server(("127.0.0.1", 0))
    came = [str(listener.getsockname()[1])]

    def serve() -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            came.append(str(address))
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield came
    listener.close()


def test_a_webhook_without_a_backend_is_refused_at_once_with_its_service(
    instance: Instance, api: client.ApiClient, backends: Backends
) -> None:
    core = core_of(api)
    ports = [{"port": 443, "targetPort": 9443}]
    core.create_namespaced_service("default", {"metadata": {"name": "gate"}, "spec": {"ports": ports}})
    hooked(api, "service", service={"namespace": "default", "name": "gate", "path": "/validate"})
    words = refusal(api, "service")
    assert "Service default/gate port 443 has no backend" in words
    assert str(instance.folder) not in words


def test_no_other_program_of_the_machine_is_called(
    api: client.ApiClient, backends: Backends, neighbour: list[str]
) -> None:
    # A Service at the address of that program, and a webhook by URL.
    port = int(neighbour[0])
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    core_of(api).create_namespaced_service("default", {"metadata": {"name": "near"}, "spec": spec})
    hooked(api, "named", service={"namespace": "default", "name": "near", "port": port})
    assert f"localhost:{port} is outside the twin" in refusal(api, "named")
    hooked(api, "url", url=f"https://127.0.0.1:{port}/validate")
    assert f"127.0.0.1:{port} is no Service" in refusal(api, "url")
    assert neighbour[1:] == []


def test_webhook_of_a_simulated_pod_admits_everything(api: client.ApiClient, backends: Backends) -> None:
    core, labels = core_of(api), {"app": "aside"}
    spec = {"selector": labels, "ports": [{"port": 443, "targetPort": 9443}]}
    core.create_namespaced_service("default", {"metadata": {"name": "aside"}, "spec": spec})
    hooked(api, "aside", service={"namespace": "default", "name": "aside", "path": "/validate"})
    assert "has no backend" in refusal(api, "aside"), "without a Pod it refuses, as in a cluster"
    simulated: Any = pod("aside")
    simulated["metadata"]["labels"] = labels
    core.create_namespaced_pod("default", simulated)
    ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    core.patch_namespaced_pod_status("aside", "default", ready)
    created = core.create_namespaced_config_map("hooked-aside", {"metadata": {"name": "a"}})
    assert created.metadata.uid
    core.delete_namespaced_pod("aside", "default", grace_period_seconds=0)


def test_an_aggregated_api_without_a_backend_is_unavailable_with_the_reason(
    api: client.ApiClient, backends: Backends
) -> None:
    core = core_of(api)
    service = {"metadata": {"name": "metrics"}, "spec": {"ports": [{"port": 443}]}}
    core.create_namespaced_service("default", service)
    # An endpoint as its Pods would have it: without one the API server does not call.
    labels = {"kubernetes.io/service-name": "metrics"}
    discovery: Any = client.DiscoveryV1Api(api)
    ends = {"addressType": "IPv4", "endpoints": [{"addresses": ["100.64.0.9"]}], "ports": [{"port": 443}]}
    discovery.create_namespaced_endpoint_slice(
        "default", {"metadata": {"name": "metrics-1", "labels": labels}, **ends}
    )
    registration: Any = client.ApiregistrationV1Api(api)
    spec = {
        "group": "metrics.example.com",
        "version": "v1",
        "service": {"namespace": "default", "name": "metrics"},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    registration.create_api_service({"metadata": {"name": "v1.metrics.example.com"}, "spec": spec})

    def reason() -> str:
        status = registration.read_api_service("v1.metrics.example.com").status
        return " ".join(f"{condition.reason}: {condition.message}" for condition in status.conditions or [])

    assert until(lambda: "FailedDiscoveryCheck" in reason()), reason()
    assert "Service default/metrics port 443 has no backend" in reason()
    registration.delete_api_service("v1.metrics.example.com")


def test_clients_of_both_forms_of_the_openapi_document_read_new_definitions(api: client.ApiClient) -> None:
    protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    def has_widgets(form: str) -> bool:
        request = api.param_serialize("GET", "/openapi/v2", header_params={"Accept": form})
        return b"com.example.v1.Widget" in api.call_api(*request).read()

    assert not has_widgets(protobuf)
    definitions: Any = client.ApiextensionsV1Api(api)
    definitions.create_custom_resource_definition(definition("example.com", "v1", "Widget", "widgets"))
    assert until(lambda: has_widgets("application/json"), 5)
    assert until(lambda: has_widgets(protobuf), 12), "the twin makes it once in ten seconds at most"
    definitions.delete_custom_resource_definition("widgets.example.com")


def test_a_registered_backend_is_called_under_its_services_name(
    instance: Instance, api: client.ApiClient, backends: Backends
) -> None:
    pki = Pki(instance.folder / "kubernetes" / "pki")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate("kube-apiserver"), pki.key("kube-apiserver"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    spec = {"ports": [{"port": 8443}]}
    core_of(api).create_namespaced_service("default", {"metadata": {"name": "served"}, "spec": spec})
    backends.register_service("default", "served", 8443, egress.to_loopback(server.server_address[1]))
    service = {"namespace": "default", "name": "served", "port": 8443}
    hooked(api, "served", service=service, caBundle=control_plane.certificate_authority(instance))
    words = refusal(api, "served")
    assert "certificate is valid for localhost" in words, (
        "the process that is registered for the Service answers"
    )
    assert "not served.default.svc" in words, (
        "its certificate is checked for the Service's name, as in a cluster"
    )
    server.shutdown()


@pytest.mark.parametrize("victim", control_plane.PROCESSES)
def test_a_killed_process_comes_back_and_nothing_is_lost(
    instance: Instance, api: client.ApiClient, victim: str
) -> None:
    core = core_of(api)
    name = f"before-{victim}"
    core.create_namespaced_config_map("default", {"metadata": {"name": name}, "data": {"a": "1"}})
    process = control_plane.daemons(instance)[victim].process()
    assert process is not None
    process.kill()
    assert until(lambda: control_plane.daemons(instance)[victim].process() is None)
    control_plane.start(instance)
    api = config.new_client_from_config(str(instance.kubeconfig))
    assert core_of(api).read_namespaced_config_map(name, "default").data == {"a": "1"}


def test_a_start_with_damaged_data_fails_at_once_with_the_cause(instance: Instance) -> None:
    data = instance.folder / "kubernetes" / "etcd"
    control_plane.stop(instance)
    saved = data.with_name("kept")
    shutil.copytree(data, saved)
    try:
        for file in data.rglob("*.wal"):
            file.write_text("damaged")
        began = time.monotonic()
        with pytest.raises(processes.ProcessError) as caught:
            control_plane.start(instance)
        assert time.monotonic() - began < 30, "the start does not wait for an API server that cannot start"
        assert "etcd" in str(caught.value)
        assert "exit status 2" in str(caught.value)
        assert str(control_plane.daemons(instance)["etcd"].log) in str(caught.value)
    finally:
        control_plane.stop(instance, kill=True)
        shutil.rmtree(data)
        saved.rename(data)
    control_plane.start(instance)


def test_a_process_that_runs_with_other_flags_is_restarted_and_no_other(instance: Instance) -> None:
    before = {name: daemon.process() for name, daemon in control_plane.daemons(instance).items()}
    file = control_plane.daemons(instance)["kwok"].pid_file
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "command": [*known["command"], "--as-before-an-update"]}))
    control_plane.start(instance)
    after = {name: daemon.process() for name, daemon in control_plane.daemons(instance).items()}
    assert {name for name in before if before[name] != after[name]} == {"kwok"}


def test_a_restarted_kwok_manages_the_nodes_of_the_former_one_at_once(
    instance: Instance, api: client.ApiClient
) -> None:
    core = core_of(api)
    if "first" not in ready_nodes(api):
        make_node(api, "first")
    core.create_namespaced_pod("default", pod("held"))
    assert until(lambda: phase(api, "held") == "Running")
    process = control_plane.daemons(instance)["kwok"].process()
    assert process is not None
    process.kill()
    control_plane.start(instance)
    core.delete_namespaced_pod("held", "default")
    core.create_namespaced_pod("default", pod("new"))
    assert until(lambda: phase(api, "new") == "Running", 10), (
        "and not only when the leases of the former one expire"
    )
    names = lambda: {item.metadata.name for item in core.list_namespaced_pod("default").items}  # noqa: E731
    assert until(lambda: "held" not in names(), 10), "and not only after the grace period of 30 s"


def test_a_wipe_creates_an_empty_cluster_with_the_requested_settings(
    instance: Instance, api: client.ApiClient
) -> None:
    core_of(api).create_namespace({"metadata": {"name": "old"}})
    authority = control_plane.certificate_authority(instance)
    control_plane.wipe(instance, settings=Settings(service_cidr="10.100.0.0/16"))
    fresh = config.new_client_from_config(str(instance.kubeconfig))
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
    assert control_plane.certificate_authority(instance) == authority, "kubeconfigs remain valid"
    control_plane.wipe(instance)
    assert control_plane.settings_of(instance).service_cidr == "10.100.0.0/16", (
        "unchanged where no settings are passed"
    )
