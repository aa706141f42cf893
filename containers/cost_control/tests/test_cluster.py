"""What is sent to the API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from conftest import queue
from kubernetes import client

from cost_control.cluster import Cluster
from cost_control.errors import RefusedError
from cost_control.queues import Held


class Server(ThreadingHTTPServer):
    """An API server with one ClusterQueue. answers: status of each PATCH in turn; else 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: dict[str, Any] = {"shared": queue("shared")}
        self.answers: list[int] = []
        self.sent: list[tuple[str, str, str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers its requests."""

    server: Server

    def do_GET(self) -> None:
        item = self.server.items.get(self.path.rpartition("/")[2])
        self._answer(200 if item else 404, item or {"message": "not found"})

    def do_PATCH(self) -> None:
        self._record("PATCH")
        status = self.server.answers.pop(0) if self.server.answers else 200
        self._answer(status, {"message": f"status {status}"})

    def do_POST(self) -> None:
        self._answer(201, self._record("POST"))

    def _record(self, verb: str) -> Any:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sent.append((verb, self.path, self.headers["Content-Type"], body))
        return body

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def cluster(server: Server) -> Cluster:
    configuration = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    return Cluster(client.ApiClient(configuration))


def hold(state: Held, _: Any) -> Held:
    return state.by_budget("2026-11", "spent")


def test_hold_is_a_server_side_apply_of_one_manager(cluster: Cluster, server: Server) -> None:
    changed = cluster.change("shared", hold)
    assert changed is not None
    assert changed[1].policy == "Hold"
    [(verb, path, kind, body)] = server.sent
    assert (verb, kind) == ("PATCH", "application/apply-patch+yaml")
    assert path.partition("?")[0] == "/apis/kueue.x-k8s.io/v1beta2/clusterqueues/shared"
    assert "fieldManager=ai-platform-cost" in path
    assert "force=True" in path or "force=true" in path
    assert body["kind"] == "ClusterQueue"
    assert body["spec"] == {"stopPolicy": "Hold"}


def test_queue_that_changes_meanwhile_is_read_again(cluster: Cluster, server: Server) -> None:
    server.answers = [409]
    assert cluster.change("shared", hold) is not None
    assert len(server.sent) == 2


def test_queue_that_stays_as_it_is_is_not_sent(cluster: Cluster, server: Server) -> None:
    cluster.change("shared", lambda state, _: state)
    assert server.sent == []


def test_queue_that_does_not_exist_is_none(cluster: Cluster) -> None:
    assert cluster.change("other", hold) is None


def test_missing_right_is_refused(cluster: Cluster, server: Server) -> None:
    server.answers = [403]
    with pytest.raises(RefusedError, match="status 403"):
        cluster.change("shared", hold)


def test_event_is_about_the_queue_in_the_namespace_of_events_without_one(
    cluster: Cluster, server: Server
) -> None:
    cluster.report("shared", "HeldByBudget", "spent", warning=True)
    [(verb, path, _, body)] = server.sent
    assert (verb, path) == ("POST", "/api/v1/namespaces/default/events")
    assert body["involvedObject"] == {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "ClusterQueue",
        "name": "shared",
        "uid": "uid-shared",
    }
    assert (body["type"], body["reason"]) == ("Warning", "HeldByBudget")
