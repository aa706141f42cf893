"""Webhooks and aggregated APIs of controllers that do not run here."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from twin import instances
from twin.instances import Instance
from twin.kubernetes import certificates
from twin.kubernetes.api import ApiError
from twin.kubernetes.backends import Backends
from twin.kubernetes.certificates import Pki
from twin.kubernetes.controllers.absent import Absent, answer
from twin.kubernetes.controllers.set_aside import INJECTED, SetAside
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube

HOST = "hooks.kueue-system.svc"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        created = instances.create("one")
        certificates.ensure(created.folder / "kubernetes" / "pki")
        yield created


@pytest.fixture
def kube() -> Any:
    return FakeKube()


def call(absent: Absent, authority: Path, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """A request as the API server makes it: over the relay, under the Service's name."""
    ours, theirs = socket.socketpair()
    serve = absent.serve("kueue-system", "hooks")
    server = threading.Thread(target=serve, args=(theirs,), daemon=True)
    server.start()
    context = ssl.create_default_context(cafile=str(authority))
    with context.wrap_socket(ours, server_hostname=HOST) as secured:
        connection = http.client.HTTPConnection(HOST)
        connection.sock = secured
        connection.request(method, path, body=None if body is None else json.dumps(body))
        response = connection.getresponse()
        content = response.read()
    server.join(5)
    assert not server.is_alive()
    return response.status, json.loads(content) if response.status == 200 else content.decode()


def review(kind: str = "AdmissionReview", **request: Any) -> dict[str, Any]:
    group = "admission" if kind == "AdmissionReview" else "apiextensions"
    return {"apiVersion": f"{group}.k8s.io/v1", "kind": kind, "request": {"uid": "7", **request}}


def test_every_object_is_admitted_unchanged(instance: Instance, kube: Any) -> None:
    authority = Pki(instance.folder / "kubernetes" / "pki").certificate("ca")
    status, answered = call(Absent(instance, kube), authority, "POST", "/mutate?timeout=10s", review())
    assert status == 200
    assert answered == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "7", "allowed": True},
    }


def test_connections_at_the_same_time_get_the_same_certificate(instance: Instance, kube: Any) -> None:
    absent = Absent(instance, kube)
    authority = Pki(instance.folder / "kubernetes" / "pki").certificate("ca")
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: call(absent, authority, "POST", "/", review())[0], range(24))
    assert set(answers) == {200}


def test_certificate_is_the_one_in_a_secret_where_the_cluster_has_one(instance: Instance, kube: Any) -> None:
    other = certificates.ensure(instance.folder / "other")
    certificates.issue(other, [HOST], instance.folder / "other.crt", instance.folder / "other.key")
    files = {"tls.crt": instance.folder / "other.crt", "tls.key": instance.folder / "other.key"}
    kube.objects["/api/v1/namespaces/kueue-system/secrets/certificate"] = {
        "metadata": {"name": "certificate"},
        "data": {name: base64.b64encode(file.read_bytes()).decode() for name, file in files.items()},
    }
    kube.objects["/api/v1/namespaces/kueue-system/secrets/empty"] = {"metadata": {"name": "empty"}}
    assert call(Absent(instance, kube), other.certificate("ca"), "POST", "/", review())[0] == 200
    twins = Pki(instance.folder / "kubernetes" / "pki").certificate("ca")
    with pytest.raises(ssl.SSLCertVerificationError):
        call(Absent(instance, kube), twins, "POST", "/", review())


def test_aggregated_api_is_served_without_resources(instance: Instance, kube: Any) -> None:
    authority = Pki(instance.folder / "kubernetes" / "pki").certificate("ca")
    absent = Absent(instance, kube)
    status, listing = call(absent, authority, "GET", "/apis/visibility.kueue.x-k8s.io/v1beta1")
    assert (status, listing["kind"], listing["resources"]) == (200, "APIResourceList", [])
    assert listing["groupVersion"] == "visibility.kueue.x-k8s.io/v1beta1"
    assert call(absent, authority, "GET", "/openapi/v2")[0] == 404


@pytest.mark.parametrize("body", [{"kind": "TokenReview", "request": {}}, {"kind": "AdmissionReview"}, "x"])
def test_other_requests_are_refused(instance: Instance, kube: Any, body: Any) -> None:
    authority = Pki(instance.folder / "kubernetes" / "pki").certificate("ca")
    assert call(Absent(instance, kube), authority, "POST", "/", body)[0] == 400


def test_objects_are_not_converted() -> None:
    conversion = review("ConversionReview", objects=[{"kind": "Workload"}])
    assert answer(conversion)["response"]["result"]["status"] == "Failure"
    assert answer(review("ConversionReview", objects=[]))["response"]["result"] == {"status": "Success"}


def test_webhooks_and_apis_are_reported_whose_pods_are_only_simulated(instance: Instance, kube: Any) -> None:
    pki = Pki(instance.folder / "kubernetes" / "pki")
    hooks = {"name": "a", "clientConfig": {"service": {"namespace": "kueue-system", "name": "hooks"}}}
    url = {"name": "b", "clientConfig": {"url": "https://hooks.example.com"}}
    admission = "/apis/admissionregistration.k8s.io/v1"
    aggregated = "/apis/apiregistration.k8s.io/v1/apiservices"
    for where, item in {
        f"{admission}/mutatingwebhookconfigurations": {"metadata": {"name": "m"}, "webhooks": [hooks, hooks]},
        f"{admission}/validatingwebhookconfigurations": {"metadata": {"name": "v"}, "webhooks": [url]},
        aggregated: {"metadata": {"name": "v1.local"}, "spec": {}},
    }.items():
        kube.objects[f"{where}/{item['metadata']['name']}"] = item
    spec = {"selector": {"app": "kueue"}, "ports": [{"port": 443}]}
    kube.objects["/api/v1/namespaces/kueue-system/services/hooks"] = {
        "metadata": {"name": "hooks", "namespace": "kueue-system"},
        "spec": spec,
    }
    backends = Backends(kube)
    assert SetAside(kube, backends, pki).names() == [], "a Service without Pods is none that the twin answers"
    simulated = pod("a", namespace="kueue-system", phase="Running", node="n", labels={"app": "kueue"})
    kube.objects["/api/v1/namespaces/kueue-system/pods/a"] = simulated
    look = SetAside(kube, backends, pki)
    assert look.names() == ["MutatingWebhookConfiguration m (Service kueue-system/hooks)"]
    injected = kube.objects[f"{admission}/mutatingwebhookconfigurations/m"]["webhooks"]
    assert [hook["clientConfig"]["caBundle"] for hook in injected] == [pki.authority_base64()] * 2, (
        "the controller would have written it, and programs wait for that"
    )
    other = kube.objects[f"{admission}/validatingwebhookconfigurations/v"]["webhooks"]
    assert other == [url], "the twin does not answer there"
    backends.register_pod("kueue-system", "a", {443: 1})
    assert SetAside(kube, backends, pki).names() == [], "a process of this machine answers"
    assert look.names(), "it looks every two seconds"


def test_what_cert_manager_would_write_is_written_where_the_program_runs(
    instance: Instance, kube: Any
) -> None:
    pki = Pki(instance.folder / "kubernetes" / "pki")
    hook = {"name": "a", "clientConfig": {"service": {"namespace": "monitoring", "name": "operator"}}}
    where = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    stated = {
        "mine": {INJECTED: "monitoring/admission"},
        "of a secret": {f"{INJECTED}-secret": "cert-manager/webhook-ca"},
        "other": {},
    }
    for name, entries in stated.items():
        metadata = {"name": name, "annotations": entries}
        kube.objects[f"{where}/{name}"] = {"metadata": metadata, "webhooks": [hook]}
    assert SetAside(kube, Backends(kube), pki).names() == []
    for name in ("mine", "of a secret"):
        (injected,) = kube.objects[f"{where}/{name}"]["webhooks"]
        assert injected["clientConfig"]["caBundle"] == pki.authority_base64(), name
    (left,) = kube.objects[f"{where}/other"]["webhooks"]
    assert "caBundle" not in left["clientConfig"], "its controller writes it"


def test_a_refused_authority_is_logged_and_others_are_written(
    instance: Instance, kube: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = {"name": "a", "clientConfig": {"service": {"namespace": "monitoring", "name": "operator"}}}
    where = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    for name in ("first", "second"):
        metadata = {"name": name, "annotations": {INJECTED: "monitoring/admission"}}
        kube.objects[f"{where}/{name}"] = {"metadata": metadata, "webhooks": [hook]}
    merge = kube.merge

    def refusing(at: str, body: Any) -> Any:
        if at.endswith("/first"):
            raise ApiError(422, "caBundle: unable to load root certificates", "Invalid")
        return merge(at, body)

    monkeypatch.setattr(kube, "merge", refusing)
    SetAside(kube, Backends(kube), Pki(instance.folder / "kubernetes" / "pki")).names()
    assert "ValidatingWebhookConfiguration first: 422 Invalid" in caplog.text
    (written,) = kube.objects[f"{where}/second"]["webhooks"]
    assert written["clientConfig"]["caBundle"]
