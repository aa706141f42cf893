"""Variables, commands and volumes of containers."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from twin.kubernetes.api import Object
from twin.kubernetes.processes import variables
from twin.kubernetes.processes.images import Image
from twin.kubernetes.processes.sources import MissingSourceError, Sources
from twin.kubernetes.processes.volumes import Volumes
from twin.tests.kubernetes.builders import ago, pod
from twin.tests.kubernetes.fakes import FakeKube

IMAGE = Image("app", Path(), entrypoint=("run", "$(MODE)"), arguments=("--default",))


class Kube(FakeKube):
    """An API server with a ConfigMap and a Secret, which issues tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.issued: list[Object] = []
        self.life = 3600.0
        here = "/api/v1/namespaces/default"
        self.objects[f"{here}/configmaps/settings"] = {
            "metadata": {"name": "settings"},
            "data": {"mode": "fast", "file.yaml": "a: 1\n"},
            "binaryData": {"raw": base64.b64encode(b"\x00\x01").decode()},
        }
        self.objects[f"{here}/secrets/login"] = {
            "metadata": {"name": "login"},
            "data": {"password": base64.b64encode(b"hunter2").decode()},
        }

    def create(self, where: str, body: Mapping[str, Any]) -> Object:
        if where.endswith("/token"):
            self.issued.append({"where": where, **body["spec"]})
            expires = ago(-self.life)
            return {"status": {"token": f"token-{len(self.issued)}", "expirationTimestamp": expires}}
        return super().create(where, body)


@pytest.fixture
def kube() -> Kube:
    return Kube()


def sources(kube: Kube, pod: Object) -> Sources:
    return Sources(kube, pod, {"memory": "8Gi"})  # pyright: ignore[reportArgumentType]


def container(**spec: Any) -> Object:
    return {"name": "main", "image": "app:1", **spec}


def declared(kube: Kube, **spec: Any) -> dict[str, str]:
    labelled = pod(labels={"team": "red"}, node="node-1", serviceAccountName="trainer")
    labelled["status"] = {"podIP": "127.96.0.9", "hostIP": "10.0.0.4"}
    return variables.declared(sources(kube, labelled), container(**spec))


def test_variables_come_from_all_sources_in_order(kube: Kube) -> None:
    entries = [
        {"name": "mode", "value": "slow"},
        {"name": "SAME", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        {"name": "URL", "value": "http://$(SAME)/$$(SAME)/$(UNKNOWN)"},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "a", "optional": True}}},
    ]
    values = declared(kube, envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "X_"}], env=entries)
    assert values["X_mode"] == "fast"
    assert values["mode"] == "slow"
    assert values["PASSWORD"] == "hunter2"
    assert values["URL"] == "http://fast/$(SAME)/$(UNKNOWN)"
    assert "ABSENT" not in values


def test_the_downward_api_gives_fields_and_resources(kube: Kube) -> None:
    paths = {
        "NAME": "metadata.name",
        "TEAM": "metadata.labels['team']",
        "NODE": "spec.nodeName",
        "ACCOUNT": "spec.serviceAccountName",
        "IP": "status.podIP",
        "HOST": "status.hostIP",
    }
    entries: list[Object] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in paths.items()
    ]
    for name, resource, divisor in (
        ("CPU", "limits.cpu", "1m"),
        ("MEMORY", "limits.memory", "1Mi"),
        ("WHOLE", "limits.cpu", ""),
    ):
        reference = {"resource": resource, **({"divisor": divisor} if divisor else {})}
        entries.append({"name": name, "valueFrom": {"resourceFieldRef": reference}})
    values = declared(kube, env=entries, resources={"limits": {"cpu": "1500m"}})
    assert values == {
        "NAME": "train",
        "TEAM": "red",
        "NODE": "node-1",
        "ACCOUNT": "trainer",
        "IP": "127.96.0.9",
        "HOST": "10.0.0.4",
        "CPU": "1500",
        "MEMORY": "8192",
        "WHOLE": "2",
    }, "a missing limit is the node's allocatable"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "a"}}, 'configmap "none" not found'),
        (
            {"secretKeyRef": {"name": "login", "key": "user"}},
            "couldn't find key user in Secret default/login",
        ),
    ],
)
def test_a_missing_source_is_reported_as_by_a_kubelet(kube: Kube, entry: Object, message: str) -> None:
    with pytest.raises(MissingSourceError, match=message):
        declared(kube, env=[{"name": "A", "valueFrom": entry}])


def test_the_command_replaces_the_entrypoint_and_its_arguments() -> None:
    known = {"MODE": "fast"}
    assert variables.command(container(), IMAGE, known) == ["run", "fast", "--default"]
    assert variables.command(container(args=["--x=$(MODE)"]), IMAGE, known) == ["run", "fast", "--x=fast"]
    assert variables.command(container(command=["sh"]), IMAGE, known) == ["sh"], "the image's CMD is dropped"


def volumes(kube: Kube, folder: Path, *specs: Object) -> tuple[Volumes, Sources]:
    read = sources(kube, pod(volumes=[{"name": f"v{n}", **spec} for n, spec in enumerate(specs)]))
    return Volumes(read, folder / "pod", folder / "claims"), read


def mounted(pod_volumes: Volumes, number: int = 0, **mount: Any) -> Path:
    mount = {"name": f"v{number}", "mountPath": "/there", **mount}
    return pod_volumes.mounts(container(volumeMounts=[mount]), {"PART": "b"})["/there"]


def test_volumes_hold_their_files_for_one_user_only(kube: Kube, tmp_path: Path) -> None:
    projected = {
        "sources": [
            {"serviceAccountToken": {"path": "token", "audience": "api", "expirationSeconds": 600}},
            {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"secret": {"name": "login", "items": [{"key": "password", "path": "in/it"}]}},
        ]
    }
    script = {"name": "settings", "defaultMode": 0o755, "items": [{"key": "mode", "path": "run.sh"}]}
    pod_volumes, _ = volumes(
        kube, tmp_path, {"configMap": {"name": "settings"}}, {"projected": projected}, {"configMap": script}
    )
    pod_volumes.write()
    assert (mounted(pod_volumes) / "raw").read_bytes() == b"\x00\x01"
    everything = mounted(pod_volumes, 1)
    assert (everything / "token").read_text() == "token-1"
    assert (everything / "name").read_text() == "train"
    assert (everything / "in/it").read_text() == "hunter2"
    assert kube.issued[0]["audiences"] == ["api"]
    assert kube.issued[0]["boundObjectRef"]["uid"] == "uid-default-train", "the token ends with the Pod"
    assert stat.S_IMODE((everything / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(everything.stat().st_mode) == 0o700
    assert (mounted(pod_volumes, 2) / "run.sh").stat().st_mode & stat.S_IXUSR


def test_volumes_follow_their_sources(kube: Kube, tmp_path: Path) -> None:
    token = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
    pod_volumes, _ = volumes(kube, tmp_path, {"configMap": {"name": "settings"}}, {"projected": token})
    pod_volumes.write()
    settings = kube.objects["/api/v1/namespaces/default/configmaps/settings"]
    settings["data"] = {"mode": "slow", "new": "1"}
    pod_volumes.write()
    names = sorted(path.name for path in mounted(pod_volumes).iterdir())
    assert [name for name in names if not name.startswith("..")] == ["mode", "new", "raw"]
    assert (mounted(pod_volumes) / "mode").read_text() == "slow"
    assert len(kube.issued) == 1, "a token that is valid for long is not issued again"
    kube.life = -1
    fresh, _ = volumes(kube, tmp_path, {"projected": token})
    fresh.write()
    fresh.write()
    assert len(kube.issued) == 3, "one late in its life is replaced"


def test_files_of_a_volume_change_all_at_once(kube: Kube, tmp_path: Path) -> None:
    pod_volumes, _ = volumes(kube, tmp_path, {"configMap": {"name": "settings"}})
    pod_volumes.write()
    folder = mounted(pod_volumes)
    before = (folder / "..data").readlink()
    pod_volumes.write()
    assert (folder / "..data").readlink() == before, "what did not change is not written again"
    kube.objects["/api/v1/namespaces/default/configmaps/settings"]["data"] = {"mode": "slow"}
    pod_volumes.write()
    assert (folder / "mode").readlink() == Path("..data/mode"), "it changes with the folder of all files"
    assert not (folder / before).exists(), "nothing of the old content stays"


def test_other_volumes_begin_empty_and_claims_outlive_the_pod(kube: Kube, tmp_path: Path) -> None:
    claim = {"persistentVolumeClaim": {"claimName": "data"}}
    pod_volumes, _ = volumes(kube, tmp_path, {"emptyDir": {}}, {"hostPath": {"path": "/etc"}}, claim)
    pod_volumes.write()
    assert list(mounted(pod_volumes).iterdir()) == []
    assert list(mounted(pod_volumes, 1).iterdir()) == [], "nothing of this machine is in it"
    assert mounted(pod_volumes, 2) == tmp_path / "claims" / "data"
    assert mounted(pod_volumes, subPathExpr="a-$(PART)").name == "a-b"
    assert mounted(pod_volumes, subPath="sub").is_dir()


def test_a_volume_without_its_source_is_refused_unless_it_is_optional(kube: Kube, tmp_path: Path) -> None:
    pod_volumes, _ = volumes(kube, tmp_path, {"secret": {"secretName": "none", "optional": True}})
    pod_volumes.write()
    pod_volumes, _ = volumes(kube, tmp_path, {"secret": {"secretName": "none"}})
    with pytest.raises(MissingSourceError, match='secret "none" not found'):
        pod_volumes.write()
    items = {"configMap": {"name": "settings", "items": [{"key": "nothing", "path": "x"}]}}
    pod_volumes, _ = volumes(kube, tmp_path, items)
    with pytest.raises(MissingSourceError, match="couldn't find key nothing in ConfigMap default/settings"):
        pod_volumes.write()
