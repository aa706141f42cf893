"""The files in MLflow's containers, on Google Cloud; for AWS an end-to-end test runs all of them."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import google.auth
import google.auth.transport.requests
import googleapiclient
import pytest

from aiplatform.model_registry import container_files

SECRET = "projects/123456789012/secrets/acme-dev-mlflow-account-release"
DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"


class Credentials:
    """A workload identity's, as the metadata server gives them."""

    def __init__(self, scopes: list[str]) -> None:
        self.scopes = scopes
        self.valid = False
        self.token = ""

    def refresh(self, _: Any) -> None:
        """Get a token."""
        self.valid = True
        self.token = f"token for {self.scopes[0].rpartition('/')[2]}"


class Session:
    """Secret Manager, which keeps versions and knows no other method than its discovery document's."""

    versions: dict[str, list[str]]

    def __init__(self, credentials: Credentials) -> None:
        assert credentials.token == "token for cloud-platform"

    def get(self, url: str, timeout: float) -> Any:
        """AccessSecretVersion."""
        name = _called(url, "access")
        versions = self.versions.get(name.removesuffix("/versions/latest"))
        return (
            _Answer(200, {"name": name, "payload": {"data": versions[-1]}}) if versions else _Answer(404, {})
        )

    def post(self, url: str, json: Any, timeout: float) -> Any:
        """AddSecretVersion."""
        self.versions.setdefault(_called(url, "addVersion"), []).append(json["payload"]["data"])
        return _Answer(200, {})


class _Answer:
    def __init__(self, status: int, body: Any) -> None:
        self.status_code = status
        self.json = lambda: body

    def raise_for_status(self) -> None:
        assert self.status_code < 400


def _called(url: str, method: str) -> str:
    """The resource of a call, which must be one that Secret Manager's discovery document has."""
    document = json.loads((DOCUMENTS / "secretmanager.v1.json").read_text())
    secrets = document["resources"]["projects"]["resources"]["secrets"]
    known = {**secrets["methods"], **secrets["resources"]["versions"]["methods"]}[method]
    path = url.removeprefix(document["rootUrl"])
    pattern = next(iter(known["parameters"].values()))["pattern"].strip("^$")
    match = re.fullmatch(rf"v1/({pattern}):{method}", path)
    assert match, f"{path} is none of {known['path']}"
    return match[1]


@pytest.fixture
def on_google(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """registry_cloud as a Pod on GKE imports it."""
    monkeypatch.setenv("REGISTRY_CLOUD", "gcp")
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Credentials(scopes), "acme-dev-1234"))
    monkeypatch.setattr(google.auth.transport.requests, "AuthorizedSession", Session)
    monkeypatch.setattr(Session, "versions", {}, raising=False)
    file = Path(container_files.__file__).with_name("registry_cloud.py")
    specification = importlib.util.spec_from_file_location("registry_cloud", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_token_for_cloud_sql_has_only_its_scope(on_google: ModuleType) -> None:
    token = on_google.token("10.0.16.3", 5432, "acme-dev-wi-mlflow@acme-dev-1234.iam")
    assert token == "token for sqlservice.login"


def test_a_secret_is_empty_until_a_version_is_added(on_google: ModuleType) -> None:
    assert on_google.read_secret(SECRET) is None
    on_google.write_secret(SECRET, {"username": "release", "password": "x"})
    assert on_google.read_secret(SECRET) == {"username": "release", "password": "x"}
    [version] = Session.versions[SECRET]
    assert json.loads(base64.b64decode(version))["password"] == "x"


def test_every_file_has_a_path() -> None:
    paths = container_files.paths()
    assert set(paths) == set(container_files.config_map("")), "what has no path is not mounted"
    assert len(json.dumps(dict(container_files.config_map("x" * 5000)))) < 1024**2, "Kubernetes takes no more"
