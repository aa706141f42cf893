"""Copies of stopped instances."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from twin import copying, environment, instances, lifecycle
from twin.instances import Instance, InstanceError


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """A stopped instance with a cluster's data, a kubeconfig and a stack, as an `up` leaves them."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    instance = instances.create("one", account="111122223333")
    environment.prepare(instance)
    server = f"https://127.0.0.1:{instance.ports['kube-apiserver']}"
    instance.kubeconfig.write_text(f"server: {server}\n")
    (instance.folder / "kubeconfig").write_text(f"server: {server}\n")
    stack = instance.folder / "state" / ".pulumi" / "stacks" / "project" / "dev.json"
    stack.parent.mkdir(parents=True)
    stack.write_text(json.dumps({"endpoint": server, "other": "https://127.0.0.1:1"}))
    (instance.folder / "kubernetes" / "etcd").mkdir()
    (instance.folder / "kubernetes" / "etcd" / "db").write_bytes(b"\x00data")
    (instance.folder / "run" / "etcd.pid").write_text("1")
    (instance.folder / "aws" / "history").mkdir()  # a name that the engine has, too
    return instance


def test_a_copy_has_the_state_on_other_ports(source: Instance) -> None:
    copied = copying.copy(source, "two")
    assert instances.load("two") == copied
    assert (copied.cloud, copied.account, copied.region) == (source.cloud, source.account, source.region)
    assert not set(copied.ports.values()) & set(source.ports.values()), "both run at the same time"
    assert (copied.folder / "kubernetes" / "etcd" / "db").read_bytes() == b"\x00data"
    assert (copied.folder / "aws" / "history").is_dir()
    assert not (copied.folder / "run").exists(), "it would take the source's processes for its own"
    server = f"https://127.0.0.1:{copied.ports['kube-apiserver']}"
    stack = copied.folder / "state" / ".pulumi" / "stacks" / "project" / "dev.json"
    assert json.loads(stack.read_text()) == {"endpoint": server, "other": "https://127.0.0.1:1"}
    for file in (copied.kubeconfig, copied.folder / "kubeconfig"):
        assert file.read_text() == f"server: {server}\n"
    assert source.kubeconfig.read_text() != copied.kubeconfig.read_text(), "the source is as it was"
    assert stat.S_IMODE(copied.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in (stack, copied.folder / "passphrase")} == {
        0
    }


def test_an_instance_that_runs_is_not_copied(source: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    status = lifecycle.status(source)
    running = lifecycle.ProcessStatus("etcd", 1, 1, 1, source.logs / "etcd.log")
    monkeypatch.setattr(lifecycle, "status", lambda _: lifecycle.Status(source, (*status.processes, running)))
    with pytest.raises(InstanceError, match="twin stop --name one"):
        copying.copy(source, "two")
    assert instances.load("two") is None


@pytest.mark.parametrize(("name", "message"), [("one", "twin one exists"), ("Two", "expected 2 to 40")])
def test_a_name_that_is_taken_or_wrong_is_refused(source: Instance, name: str, message: str) -> None:
    with pytest.raises(InstanceError, match=message):
        copying.copy(source, name)
    assert instances.load("one") == source


def test_an_interrupted_copy_counts_as_none_and_is_repeated(
    source: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(copying, "write_private", full)
        with pytest.raises(OSError, match="No space left"):
            copying.copy(source, "two")
    assert not (source.folder.parent / "two").exists()
    (source.folder.parent / "two" / "kubernetes").mkdir(parents=True)  # what a kill leaves
    assert copying.copy(source, "two") == instances.load("two")
