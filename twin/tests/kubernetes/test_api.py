"""The thin client of the API server, against a small server over plain HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from twin.kubernetes.api import ApiError, Kube, Unreachable, path

seen: list[tuple[str, str, str]] = []
tokens: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen.append((self.command, self.path, self.headers.get("Content-Type") or ""))
        tokens.append(self.headers.get("Authorization") or "")
        body = json.loads(self.rfile.read(length)) if length else {}
        if "watch=true" in self.path:
            lines = [{"type": "ADDED", "object": {"n": n}} for n in range(3)]
            self._say(200, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        elif "missing" in self.path:
            self._say(404, json.dumps({"message": "pods missing not found", "reason": "NotFound"}).encode())
        elif "secret" in self.path and tokens[-1] != "Bearer second":
            self._say(401, json.dumps({"message": "Unauthorized", "reason": "Unauthorized"}).encode())
        elif "broken" in self.path:
            self._say(503, b"upstream")
        else:
            self._say(200, json.dumps({"got": body}).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - the names of the base class

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def kubeconfig(folder: Path, server: str, token_file: Path | None = None) -> Path:
    file = folder / "admin.kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"tokenFile": str(token_file)} if token_file else {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(json.dumps(document))
    return file


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory, address: str) -> Kube:
    return Kube(kubeconfig(tmp_path_factory.mktemp("kube"), address))


def test_paths_follow_group_and_namespace() -> None:
    assert path("v1", "nodes", name="a") == "/api/v1/nodes/a"
    assert path("apps/v1", "deployments", "kube-system", "coredns") == (
        "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    )


def test_objects_travel_as_they_are(kube: Kube) -> None:
    body = {"metadata": {"name": "a", "labels": {"x": None}}}
    assert kube.create("/api/v1/nodes", body) == {"got": body}
    assert kube.merge("/api/v1/nodes/a", body) == {"got": body}
    assert seen[-1][2] == "application/merge-patch+json"
    assert kube.apply("/api/v1/nodes/a", body, "eks") == {"got": body}
    assert seen[-1] == (
        "PATCH",
        "/api/v1/nodes/a?fieldManager=eks&force=true",
        "application/apply-patch+yaml",
    )


def test_what_is_not_there_is_none_and_a_refusal_says_what_the_server_said(kube: Kube) -> None:
    assert kube.find("/missing") is None
    assert kube.delete("/missing") is False
    assert kube.delete("/there", grace=0) is True
    assert "gracePeriodSeconds=0" in seen[-1][1]
    with pytest.raises(ApiError, match="404 NotFound: pods missing not found") as refused:
        kube.get("/missing")
    assert refused.value.status == 404
    with pytest.raises(ApiError, match="503"):
        kube.get("/broken")


def test_a_watch_yields_its_events_and_ends(kube: Kube) -> None:
    assert [event["object"]["n"] for event in kube.watch("/api/v1/pods", "7")] == [0, 1, 2]
    assert "resourceVersion=7" in seen[-1][1]


def test_no_server_and_no_kubeconfig_yet_are_one_state(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no kubeconfig yet"):
        Kube(tmp_path / "none").get("/version")
    with pytest.raises(Unreachable):
        Kube(kubeconfig(tmp_path, "http://127.0.0.1:9")).get("/version")


def test_a_kubeconfig_that_is_half_written_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "half"
    file.write_text("apiVersion: v1\nkind: Config\n")
    with pytest.raises(Unreachable, match="cannot be used yet"):
        Kube(file).get("/version")


def test_the_token_of_a_file_is_sent_and_read_again_once_it_is_refused(tmp_path: Path, address: str) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    pod = Kube(kubeconfig(tmp_path, address, file))
    with pytest.raises(ApiError) as refused:
        pod.get("/api/v1/secret")
    assert refused.value.status == 401
    assert tokens[-1] == "Bearer first"
    file.write_text("second")
    pod.get("/api/v1/secret")
    assert tokens[-1] == "Bearer second", "the kubelet writes another token before the first one expires"


def test_without_a_token_there_is_no_header_of_one(kube: Kube) -> None:
    kube.get("/api/v1/nodes")
    assert tokens[-1] == ""
