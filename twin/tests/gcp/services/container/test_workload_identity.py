"""The metadata server of Pods on GKE."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth import compute_engine
from google.auth.transport import requests as transport

from twin.gcp.services.container import workload_identity
from twin.gcp.services.container.workload_identity import ANNOTATION, MetadataServer
from twin.instances import Instance
from twin.tests.kubernetes.builders import pod
from twin.tests.kubernetes.fakes import FakeKube

ACCOUNT = "trainer@acme-ml.iam.gserviceaccount.com"


class View:
    """A cloud in which one IAM service account may be impersonated."""

    def ask(self, name: str, **audience: str) -> dict[str, Any]:
        assert name == "workload_token"
        if audience["account"] == "":
            return {"token": f"federated-{audience['namespace']}-{audience['service_account']}"}
        return {"token": "impersonated" if audience["account"] == ACCOUNT else None}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MetadataServer]:
    kube = FakeKube()
    for name, account in (("trainer", ACCOUNT), ("denied", "other@x"), ("plain", "")):
        metadata = {"name": name, "annotations": {ANNOTATION: account} if account else {}}
        kube.objects[f"/api/v1/namespaces/default/serviceaccounts/{name}"] = {"metadata": metadata}
    monkeypatch.setattr(workload_identity, "Kube", lambda _: kube)
    view: Any = View()
    metadata_server = MetadataServer(Instance("test", "gcp", account="acme-ml", ports={"cloud": 4567}), view)
    yield metadata_server
    metadata_server.close()


def ask(place: str, key: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://{place}/computeMetadata/v1/{key}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - of this test
            assert answer.headers["Metadata-Flavor"] == "Google"
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def place_of(server: MetadataServer, account: str) -> str:
    body = pod(serviceAccountName=account)
    assert server.extended(body) is body
    return server.variables(body)["GCE_METADATA_HOST"]


def token(place: str) -> Any:
    status, body = ask(place, "instance/service-accounts/default/token")
    return json.loads(body)["access_token"] if status == 200 else status


def test_a_pod_gets_a_token_of_its_own_account(server: MetadataServer) -> None:
    trainer = place_of(server, "trainer")
    assert token(trainer) == "impersonated"
    assert ask(trainer, "instance/service-accounts/default/email") == (200, ACCOUNT)
    assert ask(trainer, "project/project-id") == (200, "acme-ml")
    plain = place_of(server, "plain")
    assert token(plain) == "federated-default-plain"
    assert ask(plain, "instance/service-accounts/default/email") == (200, "acme-ml.svc.id.goog")


def test_an_account_that_may_not_be_impersonated_gives_no_token(server: MetadataServer) -> None:
    assert token(place_of(server, "denied")) == 404


def test_another_user_of_the_machine_gets_nothing(server: MetadataServer) -> None:
    place_of(server, "trainer")
    bare = f"127.0.0.1:{server.ports[1]}"
    assert token(bare) == 404
    assert token(f"{bare}/guess") == 404


def test_googles_library_reads_its_credentials_there(
    server: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.auth.compute_engine import _metadata

    place = place_of(server, "trainer")
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", place, raising=False)
    monkeypatch.setattr(_metadata, "_METADATA_ROOT", f"http://{place}/computeMetadata/v1/", raising=False)
    credentials: Any = compute_engine.Credentials()
    credentials.refresh(transport.Request())
    assert credentials.token == "impersonated"
    assert credentials.service_account_email == ACCOUNT
