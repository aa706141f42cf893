"""The server: a port, and what a kill -9 leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from twin import credential, instances
from twin.gcp.credentials import deployer
from twin.instances import Instance
from twin.tests.gcp.api_servers import PROJECT, REGION


@contextmanager
def serving(instance: Instance) -> Iterator[subprocess.Popen[bytes]]:
    """The server's process, answering."""
    command = [sys.executable, "-m", "twin.gcp.server", "--instance", instance.name]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                try:
                    ask(instance, "/_twin/health")
                    break
                except (OSError, urllib.error.URLError):
                    time.sleep(0.05)
            yield process
        finally:
            process.kill()


def ask(instance: Instance, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request."""
    google = {"Authorization": f"Bearer {deployer(instance).access_token}"}
    authorization = credential.headers(instance) if path.startswith("/_twin/") else google
    headers = {**authorization, "Content-Type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(  # noqa: S310 - loopback
        urllib.request.Request(instance.url("cloud") + path, raw, headers),  # noqa: S310
        timeout=30,
    ) as answer:
        return json.loads(answer.read())


def test_a_killed_server_has_every_id_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    instance = instances.create("srv", cloud="gcp", region=REGION, account=PROJECT)
    networks = f"/compute.googleapis.com/compute/v1/projects/{PROJECT}/global/networks"
    with serving(instance):
        services = f"/serviceusage.googleapis.com/v1/projects/{PROJECT}/services:batchEnable"
        ask(instance, services, {"serviceIds": ["compute.googleapis.com"]})
        ask(instance, networks, {"name": "net", "autoCreateSubnetworks": False})
        before = ask(instance, f"{networks}/net")
    with serving(instance) as process:
        assert ask(instance, f"{networks}/net") == before
        assert ask(instance, "/_twin/inventory") == {
            "compute.networks": [f"projects/{PROJECT}/global/networks/net"]
        }
        process.terminate()
        assert process.wait(timeout=20) == 0, "asked to end, it ends well"
