"""The files of a container, as a kubelet would mount them."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.twin.kubernetes.builders import pod
from tests.twin.kubernetes.fakes import FakeKube
from twin.kubernetes.controllers.volumes import (
    NotMountedError,
    Volumes,
    environment,
    localized,
)
from twin.kubernetes.processes.variables import expand

NAMESPACE = "kueue-system"


class Kube(FakeKube):
    """An API server that issues numbered tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[Mapping[str, Any]] = []

    def create(self, where: str, body: Mapping[str, Any]) -> Any:
        """Issue a token, or create an object."""
        if not where.endswith("/token"):
            return super().create(where, body)
        self.tokens.append({"where": where, **body["spec"]})
        return {"status": {"token": f"token-{len(self.tokens)}"}}


@pytest.fixture
def kube() -> Kube:
    return Kube()


@pytest.fixture
def volumes(kube: Any, tmp_path: Path) -> Volumes:
    return Volumes(kube, tmp_path / "volumes")


def put(kube: FakeKube, kind: str, name: str, **contents: str) -> None:
    plural = {"ConfigMap": "configmaps", "Secret": "secrets"}[kind]
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in contents.items()}
    kube.objects[f"/api/v1/namespaces/{NAMESPACE}/{plural}/{name}"] = {
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": encoded if kind == "Secret" else contents,
    }


def mounting(source: Mapping[str, Any], **mount: str) -> tuple[Any, Any]:
    """A Pod with one volume, and its container, which mounts it at /etc/thing."""
    item = pod("kueue", namespace=NAMESPACE, volumes=[{"name": "thing", **source}])
    container = item["spec"]["containers"][0]
    container["volumeMounts"] = [{"name": "thing", "mountPath": "/etc/thing", **mount}]
    return item, container


def test_files_of_a_secret_change_all_at_once(kube: Kube, volumes: Volumes) -> None:
    source = {"secret": {"secretName": "certificate"}}
    put(kube, "Secret", "certificate", **{"tls.crt": "one", "tls.key": "key of one"})
    place = volumes.write(*mounting(source))["/etc/thing"]
    assert (place / "tls.crt").read_text() == "one"
    before = (place / "..data").readlink()
    volumes.write(*mounting(source))
    assert (place / "..data").readlink() == before, "what did not change is not written again"
    put(kube, "Secret", "certificate", **{"tls.crt": "two", "tls.key": "key of two"})
    volumes.write(*mounting(source))
    assert {file.name: file.read_text() for file in place.glob("tls.*")} == {
        "tls.crt": "two",
        "tls.key": "key of two",
    }
    assert (place / "tls.crt").readlink() == Path("..data/tls.crt")
    assert not (place / before).exists(), "nothing of the old content stays"


def test_key_that_left_a_config_map_leaves_its_folder(kube: Kube, volumes: Volumes) -> None:
    source = {"configMap": {"name": "settings"}}
    put(kube, "ConfigMap", "settings", a="1", b="2")
    place = volumes.write(*mounting(source))["/etc/thing"]
    put(kube, "ConfigMap", "settings", a="1")
    volumes.write(*mounting(source))
    assert [file.name for file in place.iterdir() if not file.name.startswith("..")] == ["a"]


def test_files_are_for_their_owner_only(kube: Kube, volumes: Volumes) -> None:
    put(kube, "Secret", "certificate", key="secret")
    place = volumes.write(*mounting({"secret": {"secretName": "certificate"}}))["/etc/thing"]
    assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_container_waits_for_a_secret_that_does_not_exist(kube: Kube, volumes: Volumes) -> None:
    source = {"secret": {"secretName": "certificate"}}
    with pytest.raises(NotMountedError, match="waits for the Secret kueue-system/certificate"):
        volumes.write(*mounting(source))
    source["secret"]["optional"] = True  # type: ignore[assignment]
    assert not list(volumes.write(*mounting(source))["/etc/thing"].glob("[!.]*"))


def test_items_choose_and_rename_files(kube: Kube, volumes: Volumes) -> None:
    put(kube, "ConfigMap", "settings", a="1", b="2")
    items = [{"key": "b", "path": "below/c"}]
    place = volumes.write(*mounting({"configMap": {"name": "settings", "items": items}}))["/etc/thing"]
    assert (place / "below" / "c").read_text() == "2"
    assert not (place / "a").exists()


def test_single_file_stays_as_it_was_when_the_container_began(kube: Kube, volumes: Volumes) -> None:
    source = {"configMap": {"name": "settings"}}
    put(kube, "ConfigMap", "settings", **{"manager.yaml": "one"})
    mount = {"subPath": "manager.yaml", "mountPath": "/manager.yaml"}
    file = volumes.write(*mounting(source, **mount))["/manager.yaml"]
    put(kube, "ConfigMap", "settings", **{"manager.yaml": "two"})
    assert volumes.write(*mounting(source, **mount))["/manager.yaml"].read_text() == "one"
    volumes.clear()
    assert not file.exists()
    assert volumes.write(*mounting(source, **mount))["/manager.yaml"].read_text() == "two"


def test_token_is_bound_to_the_pod_and_renewed_before_it_expires(
    kube: Kube, volumes: Volumes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kube, "ConfigMap", "kube-root-ca.crt", **{"ca.crt": "authority"})
    downward = {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 1000}},
        {"configMap": {"name": "kube-root-ca.crt"}},
        {"downwardAPI": downward},
    ]
    item, container = mounting({"projected": {"sources": sources}})
    item["spec"]["serviceAccountName"] = "manager"
    place = volumes.write(item, container)["/etc/thing"]
    files = {name: (place / name).read_text() for name in ("token", "ca.crt", "namespace")}
    assert files == {"token": "token-1", "ca.crt": "authority", "namespace": NAMESPACE}
    (request,) = kube.tokens
    assert request["where"].endswith(f"/namespaces/{NAMESPACE}/serviceaccounts/manager/token")
    assert request["boundObjectRef"]["uid"] == item["metadata"]["uid"]
    volumes.write(item, container)
    assert len(kube.tokens) == 1
    now = volumes_time(monkeypatch)
    now.append(now[-1] + 801)
    volumes.write(item, container)
    assert (place / "token").read_text() == "token-2"


def volumes_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the module; the last number is its time."""
    from twin.kubernetes.controllers import volumes as module

    now = [module.time.time()]
    monkeypatch.setattr(module.time, "time", lambda: now[-1])
    return now


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--config=/etc/thing/a.yaml", "--config=/here/a.yaml"),
        ("/etc/thing", "/here"),
        ("/etc/thing-other", "/etc/thing-other"),
        ("/var/etc/thing", "/var/etc/thing"),
        ("certDir: /etc/thing/certs\n", "certDir: /inner\n"),
    ],
)
def test_only_paths_of_mounts_are_replaced(text: str, expected: str) -> None:
    assert localized(text, {"/etc/thing": Path("/here"), "/etc/thing/certs": Path("/inner")}) == expected


def test_variables_come_from_values_fields_and_objects(kube: Any) -> None:
    put(kube, "ConfigMap", "settings", level="debug", color="blue")
    put(kube, "Secret", "password", value="hunter2")
    item, container = mounting({"emptyDir": {}})
    container["envFrom"] = [{"configMapRef": {"name": "settings"}, "prefix": "SET_"}]
    container["env"] = [
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "password", "key": "value"}}},
        {"name": "ADDRESS", "value": "service.$(NAMESPACE).svc"},
        {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y", "optional": True}}},
    ]
    assert environment(kube, item, container) == {
        "SET_level": "debug",
        "SET_color": "blue",
        "NAMESPACE": NAMESPACE,
        "PASSWORD": "hunter2",
        "ADDRESS": f"service.{NAMESPACE}.svc",
    }
    assert expand("--namespace=$(NAMESPACE) $(OTHER)", {"NAMESPACE": "a"}) == "--namespace=a $(OTHER)"
