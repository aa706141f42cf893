"""The command lines of the control plane, and kwok's stages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from twin import instances
from twin.instances import Instance
from twin.kubernetes import certificates, commands, control_plane, egress, kwok
from twin.kubernetes.certificates import Pki
from twin.kubernetes.commands import Settings


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return certificates.ensure(tmp_path_factory.mktemp("instance") / "pki")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    return instances.create("one")


@pytest.fixture
def lines(instance: Instance, pki: Pki) -> dict[str, list[str]]:
    return commands.command_lines(
        instance, pki, Settings(service_cidr="10.100.0.0/16", issuer="https://oidc.x/1")
    )


def setting(flag: str, lines: dict[str, list[str]]) -> Any:
    """What is in the file that a flag of the API server names."""
    [file] = (
        word.removeprefix(f"{flag}=") for word in lines["kube-apiserver"] if word.startswith(f"{flag}=")
    )
    return YAML(typ="safe").load(Path(file).read_text())


def test_nothing_listens_beyond_loopback(lines: dict[str, list[str]]) -> None:
    places = [
        word
        for line in lines.values()
        for word in line
        if re.match(r"--(bind-address|advertise-address|server-address|listen-\w+-urls)=", word)
    ]
    assert len(places) == 7
    assert all("127.0.0.1" in place for place in places), places


def test_every_port_of_the_control_plane_is_served(instance: Instance, lines: dict[str, list[str]]) -> None:
    for name, line in lines.items():
        assert any(str(instance.ports[name]) in word for word in line), name


def test_a_cluster_decides_its_service_range_and_issuer(lines: dict[str, list[str]]) -> None:
    assert "--service-cluster-ip-range=10.100.0.0/16" in lines["kube-apiserver"]
    assert "--service-cluster-ip-range=10.100.0.0/16" in lines["kube-controller-manager"]
    assert "--service-account-issuer=https://oidc.x/1" in lines["kube-apiserver"]


def test_nobody_unknown_gets_more_than_the_health(lines: dict[str, list[str]]) -> None:
    anonymous = setting("--authentication-config", lines)["anonymous"]
    assert {condition["path"] for condition in anonymous["conditions"]} == {"/livez", "/readyz", "/healthz"}
    assert not any(word.startswith("--anonymous-auth") for word in lines["kube-apiserver"])


def test_the_token_webhook_is_the_instances_own(lines: dict[str, list[str]]) -> None:
    config = setting("--authentication-token-webhook-config-file", lines)
    host, port = egress.TOKEN_WEBHOOK
    assert config["clusters"][0]["cluster"]["server"] == f"http://{host}:{port}/authenticate"
    assert host.endswith(".invalid"), "no resolver may know it: the relay alone has a backend for it"


def test_the_api_server_dials_nothing_but_etcd_without_the_relay(lines: dict[str, list[str]]) -> None:
    selections = setting("--egress-selector-config-file", lines)["egressSelections"]
    assert {selection["name"] for selection in selections} == {"cluster", "controlplane"}
    for selection in selections:
        path = selection["connection"]["transport"]["uds"]["udsName"]
        assert path == egress.SOCKET
        assert not Path(path).is_absolute(), "a long path of a twin's folder would not fit a socket's address"


def test_kwok_does_not_read_the_users_own_configuration(instance: Instance) -> None:
    home = control_plane._environment(instance, "kwok")["HOME"]
    assert Path(home).is_relative_to(instance.folder)


def test_the_memory_limits_stay_under_what_a_twin_may_take() -> None:
    limits = {name: int(limit.removesuffix("MiB")) for name, (_, limit) in control_plane.MEMORY.items()}
    assert set(limits) == set(control_plane.PROCESSES)
    assert limits.pop("kube-apiserver") >= 1000, "with the definitions of add-ons it needs 0.9 GiB"
    assert sum(limits.values()) < 600


def test_settings_that_cannot_be_read_are_the_defaults(instance: Instance) -> None:
    assert control_plane.settings_of(instance) == Settings()
    file = instance.folder / "kubernetes" / "settings.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"service_cidr": "10.1.0.0/16", "issuer": "https://x"}')
    assert control_plane.settings_of(instance).service_cidr == "10.1.0.0/16"
    file.write_text("{")
    assert control_plane.settings_of(instance) == Settings()


def stages() -> list[dict[str, Any]]:
    documents = YAML(typ="safe").load_all(kwok.STAGES.read_text())
    return [document for document in documents if document["kind"] == "Stage"]


def test_every_stage_is_of_a_node_or_a_pod_and_does_something() -> None:
    names = [stage["metadata"]["name"] for stage in stages()]
    assert len(names) == len(set(names))
    for stage in stages():
        assert stage["apiVersion"] == "kwok.x-k8s.io/v1alpha1"
        assert stage["spec"]["resourceRef"]["kind"] in ("Node", "Pod")
        assert stage["spec"]["steps"]


def test_what_a_running_pod_does_depends_on_whether_it_is_deleted() -> None:
    """Two stages that fit one object would be drawn by lot."""

    def deleted(stage: dict[str, Any]) -> str:
        rules = {rule["key"]: rule["operator"] for rule in stage["spec"]["selector"]["matchExpressions"]}
        return rules[".metadata.deletionTimestamp"]

    by_name = {stage["metadata"]["name"]: stage for stage in stages()}
    assert deleted(by_name["pod-start"]) == deleted(by_name["pod-end"]) == "DoesNotExist"
    assert deleted(by_name["pod-stop"]) == deleted(by_name["pod-delete"]) == "Exists"


def test_the_annotations_stand_in_the_stages() -> None:
    text = kwok.STAGES.read_text()
    for annotation in (kwok.START_AFTER, kwok.RUN_FOR, kwok.EXIT_CODE):
        assert f'"{annotation}"' in text
