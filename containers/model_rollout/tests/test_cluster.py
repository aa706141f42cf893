"""Requests to the API server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes import client

from model_rollout.cluster import Cluster
from model_rollout.errors import RefusedError


class Server(ThreadingHTTPServer):
    """An API server. answers: statuses of the next requests; 200 after them."""

    answers: list[int]
    requests: list[tuple[str, str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers.get("Content-Type", "")))
        status = self.server.answers.pop(0) if self.server.answers else 200
        body = json.dumps({"items": [], "metadata": {"uid": "u"}, "message": f"status {status}"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server(("127.0.0.1", 0), Handler)
    started.answers, started.requests = [], []
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def cluster(server: Server) -> Cluster:
    configuration: Any = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_port}"
    configuration.retries = False
    return Cluster("pricing", client.ApiClient(configuration))


def test_object_that_is_missing_is_none(server: Server, cluster: Cluster) -> None:
    server.answers = [404, 404]
    assert cluster.service("fares-blue") is None
    assert cluster.route("fares") is None
    assert [path for _, path, _ in server.requests] == [
        "/apis/serving.kserve.io/v1beta1/namespaces/pricing/inferenceservices/fares-blue",
        "/apis/gateway.networking.k8s.io/v1/namespaces/pricing/httproutes/fares",
    ]


def test_route_is_patched_by_merging_and_a_conflict_is_no_error(server: Server, cluster: Cluster) -> None:
    server.answers = [409]
    assert cluster.change_route("fares", {"metadata": {"resourceVersion": "1"}}) is False
    assert cluster.change_route("fares", {"metadata": {"resourceVersion": "2"}}) is True
    assert {kind for _, _, kind in server.requests} == {"application/merge-patch+json"}


def test_service_account_is_deleted_after_what_it_owns(cluster: Cluster) -> None:
    owner = cluster.owner("serving")
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ServiceAccount", "serving", "u")
    assert owner["blockOwnerDeletion"] is True


def test_what_exists_or_is_gone_is_no_error(server: Server, cluster: Cluster) -> None:
    server.answers = [409, 409, 404]
    cluster.create_service({"metadata": {"name": "fares-blue"}})
    assert cluster.create_route({"metadata": {"name": "fares"}}) is False
    cluster.delete_service("fares-blue")


def test_api_server_that_does_not_answer_is_requested_again(server: Server, cluster: Cluster) -> None:
    server.answers = [503, 429]
    assert cluster.routes() == []
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 403, 422])
def test_refusal_of_the_api_server_is_final(server: Server, cluster: Cluster, status: int) -> None:
    server.answers = [status]
    with pytest.raises(RefusedError, match=f"the API server refuses it: status {status}"):
        cluster.create_service({"metadata": {"name": "fares-blue"}})
    assert len(server.requests) == 1
