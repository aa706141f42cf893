"""What is sent to the API server, and what is read of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from conftest import queue
from kubernetes import client

from cost_control.cluster import Cluster
from cost_control.errors import RefusedError
from cost_control.queues import Held
from cost_control.reaper import Pod, Reference


class Server(ThreadingHTTPServer):
    """An API server with one ClusterQueue. answers: status of each PATCH in turn; else 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: dict[str, Any] = {"shared": queue("shared")}
        self.pods: list[Any] = []
        self.answers: list[int] = []
        self.sent: list[tuple[str, str, str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers its requests."""

    server: Server

    def do_GET(self) -> None:
        if self.path.startswith("/api/v1/pods?"):
            self._answer(200, self.server.pods.pop(0))
            return
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


WORKLOAD = {
    "apiVersion": "kueue.x-k8s.io/v1beta2",
    "kind": "Workload",
    "metadata": {"namespace": "vision", "name": "job-train", "resourceVersion": "9", "uid": "w"},
    "spec": {"active": True},
}


def test_workload_is_deactivated_unless_it_has_changed(cluster: Cluster, server: Server) -> None:
    server.items["job-train"] = WORKLOAD
    assert cluster.workload("vision", "job-train") == WORKLOAD
    assert cluster.workload("vision", "deleted") is None
    server.answers = [200, 409, 404]
    assert [cluster.deactivate(WORKLOAD, "idle") for _ in range(3)] == [True, False, False]
    verb, path, kind, body = server.sent[0]
    assert (verb, kind) == ("PATCH", "application/merge-patch+json")
    assert path.partition("?")[0] == "/apis/kueue.x-k8s.io/v1beta2/namespaces/vision/workloads/job-train"
    assert body["spec"] == {"active": False}
    assert body["metadata"]["resourceVersion"] == "9", "a change meanwhile is a conflict"
    assert body["metadata"]["annotations"]["ai-platform/reaped"].endswith("Z: idle")


def test_event_of_work_is_in_its_namespace(cluster: Cluster, server: Server) -> None:
    cluster.event(
        Reference("batch/v1", "Job", "vision", "train", "u"), "ReapedIdleGpus", "idle", warning=True
    )
    [(_, path, _, body)] = server.sent
    assert path == "/api/v1/namespaces/vision/events"
    about = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "vision", "name": "train", "uid": "u"}
    assert body["involvedObject"] == about


def pod(name: str, phase: str = "Running", **spec: Any) -> Any:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u", "controller": True}
    return {
        "metadata": {
            "name": name,
            "namespace": "vision",
            "uid": f"uid-{name}",
            "annotations": {"kueue.x-k8s.io/workload": "job-train"},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [container()], **spec},
        "status": {"phase": phase, "startTime": "2026-11-25T08:00:00Z"},
    }


def container(**limits: str) -> Any:
    return {"name": "main", "resources": {"limits": {"cpu": "8", **limits}}}


def test_pods_of_all_pages_are_read_with_their_gpus(cluster: Cluster, server: Server) -> None:
    gpus = [container(**{"nvidia.com/gpu": "2"}), container(**{"nvidia.com/mig-1g.5gb": "1"})]
    claim = [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]
    server.pods = [
        {"metadata": {"continue": "next"}, "items": [pod("train-0", containers=gpus)]},
        {"metadata": {}, "items": [pod("train-1", "Pending"), pod("train-2", resourceClaims=claim)]},
    ]
    first, second, third = cluster.pods()
    since = datetime(2026, 11, 25, 8, tzinfo=UTC)
    about = Reference("v1", "Pod", "vision", "train-0", "uid-train-0")
    assert first == Pod(about, "job-train", 3, since, "Job", {})
    assert (second.gpus, second.since) == (0, None)
    assert third.gpus == 1, "a claim counts, whatever its device"
