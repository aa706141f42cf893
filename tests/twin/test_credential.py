"""The twin's own interface as another user of the machine reaches it: without the twin's folder."""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cli import admin_client
from twin import credential, environment, instances
from twin.instances import Instance

PATHS = (
    ("GET", "health"),
    ("GET", "inventory"),
    ("GET", "faults"),
    ("POST", "faults"),
    ("DELETE", "faults"),
    ("POST", "view/cluster"),
    ("POST", "view/cluster_ready"),
    ("POST", "view/authenticate"),
    ("GET", "no-such-path"),
)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    return instances.create("secluded", cloud="gcp", region="us-central1", account="twin-project")


@contextmanager
def serving(instance: Instance, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The front's process, answering its owner."""
    command = [sys.executable, "-m", "twin.gcp.server", "--instance", instance.name]
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=dict(os.environ), stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                admin_client.request(instance, "GET", "health")
                break
            except (OSError, admin_client.RefusedError):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def status(instance: Instance, method: str, path: str, authorization: str | None) -> tuple[int, str]:
    """Status and body of a stranger's request."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.ports["cloud"], timeout=30)
    headers = {} if authorization is None else {"Authorization": authorization}
    connection.request(method, f"/_twin/{path}", b"{}" if method != "GET" else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_another_user_is_refused_by_the_twins_own_interface(instance: Instance, tmp_path: Path) -> None:
    log = tmp_path / "front.log"
    with serving(instance, log) as process:
        first = credential.file(instance).read_text().strip()
        assert len(first) >= 32, "it cannot be guessed"
        presented = (
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            f"Bearer {first[:-1]}",
            f"Bearer {first}x",
            f"Basic {first}",
            first,
            "Bearer ä",
        )
        for method, path in PATHS:
            for authorization in presented:
                code, text = status(instance, method, path, authorization)
                assert code == 401, f"{method} {path} with {authorization!r}: {text}"
                assert set(json.loads(text)) == {"code", "message"}, "nothing but the refusal"
                assert instance.name not in text, "not even which twin it is"
        assert admin_client.request(instance, "GET", "faults") == {"faults": []}, "the owner is answered"
        assert status(instance, "GET", "health", f"Bearer {first}")[0] == 200
        arguments = " ".join(psutil.Process(process.pid).cmdline())
        assert first not in arguments, "every user of the machine sees the process list"
    with serving(instance, log):
        assert credential.file(instance).read_text().strip() != first, "a new one at each start"
        assert status(instance, "GET", "inventory", f"Bearer {first}")[0] == 401, "the old one is void"
        assert admin_client.request(instance, "GET", "inventory") == {}
    assert first not in log.read_text(), "it is in no log"


def test_the_credential_is_its_owners_alone_whatever_the_umask_is(instance: Instance) -> None:
    before = os.umask(0)
    try:
        credential.renew(instance)
    finally:
        os.umask(before)
    file = credential.file(instance)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(instance.folder.stat().st_mode) == 0o700


def test_without_a_credential_in_the_folder_no_request_is_accepted(instance: Instance) -> None:
    assert credential.headers(instance) == {}
    assert not credential.accepts(instance, "Bearer ")
    credential.renew(instance)
    assert credential.accepts(instance, credential.headers(instance)["Authorization"])
    credential.file(instance).write_text("")
    assert not credential.accepts(instance, "Bearer "), "an empty file is no credential"


def test_a_second_front_of_a_twin_leaves_the_credential_of_the_first(
    instance: Instance, tmp_path: Path
) -> None:
    with serving(instance, tmp_path / "front.log"):
        known = credential.file(instance).read_text()
        second = subprocess.run(
            [sys.executable, "-m", "twin.gcp.server", "--instance", instance.name],
            env=dict(os.environ),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert second.returncode, "the port is taken"
        assert credential.file(instance).read_text() == known


def test_a_folder_that_others_could_enter_is_closed_at_the_next_start(instance: Instance) -> None:
    instance.folder.chmod(0o755)
    environment.prepare(instance)
    assert stat.S_IMODE(instance.folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a folder away")
def test_a_folder_that_another_user_made_is_refused(instance: Instance) -> None:
    os.chown(instance.folder, 65534, 65534)
    with pytest.raises(instances.InstanceError, match=r"secluded: belongs to another user"):
        environment.prepare(instance)
