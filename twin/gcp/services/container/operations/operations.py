"""The container API's operations: RUNNING until what they wait for is there, then DONE.

A cluster is there when its control plane answers and its node pools' nodes are Ready; a node pool when its
nodes are; both are gone when nothing of them is left. The simulation around the control plane says so
(twin/gcp/services/container/operations/controller_api.py).
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from twin.gcp.api_server.errors import not_found, precondition
from twin.gcp.api_server.operations import rfc3339
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.container.operations import resource_names
from twin.gcp.services.container.operations.defaults import kind
from twin.gcp.services.container.operations.resource_names import ROOT, Place, answers

WAITING: Final = ("RUNNING", "PENDING")
_COMPATIBLE: Final = frozenset({"CREATE_NODE_POOL", "DELETE_NODE_POOL", "SET_NODE_POOL_SIZE"})


def begin(call: Call, place: Place, operation: str, *, done: bool = True) -> Body:
    """A new operation on a cluster or node pool. done: whether it is over at once."""
    number = call.project_number
    name = f"operation-{int(call.at * 1000)}-{uuid.uuid4()}"
    where = f"{ROOT}/projects/{number}/{kind(place)}/{place.location}"
    target = f"{where}/clusters/{place.cluster}"
    body: Body = {
        "name": name,
        "zone": place.location,
        "location": place.location,
        "operationType": operation,
        "status": "DONE" if done else "RUNNING",
        "selfLink": f"{where}/operations/{name}",
        "targetLink": f"{target}/nodePools/{place.pool}" if place.pool else target,
        "startTime": rfc3339(call.at),
    }
    if done:
        body["endTime"] = rfc3339(time.time())
    return call.state.put_operation(f"container/{place.parent}/operations/{name}", body, call.at)


def end(state: State, place: Place, *kinds: str, error: str = "") -> None:
    """What ran on a cluster or node pool is done, or failed."""
    for name, body in running(state, place):
        if kinds and body["operationType"] not in kinds:
            continue
        body.update(status="DONE", endTime=rfc3339(time.time()))
        if error:
            body["statusMessage"] = error
            body["error"] = {"code": 9, "message": error}
        state.put_operation(name, body, started(body))


def started(body: Body) -> float:
    """When an operation began, in Unix time."""
    return int(body["name"].split("-")[1]) / 1000


def running(state: State, place: Place) -> list[tuple[str, Body]]:
    """The operations that run on exactly that cluster or node pool."""
    tail = f"/clusters/{place.cluster}" + (f"/nodePools/{place.pool}" if place.pool else "")
    return [
        (name, body)
        for name, body in state.operations(f"container/{place.parent}/operations/")
        if body["status"] in WAITING and body["targetLink"].endswith(tail)
    ]


def free(state: State, place: Place, wanted: str) -> None:
    """Refuse what cannot run next to what runs on the cluster or the pool, in GKE's words.

    Operations on different node pools run next to each other; one on the cluster runs alone.
    """
    cluster = resource_names.cluster(state, Place(place.project, place.location, place.cluster))
    if cluster["status"] in ("PROVISIONING", "STOPPING") or cluster.get("status") == "ERROR":
        if wanted == "DELETE_CLUSTER" and cluster["status"] != "STOPPING":
            return
        raise precondition(
            f"Cluster {place.cluster} is not running: its status is {cluster['status']}.",
        )
    busy = list(running(state, Place(place.project, place.location, place.cluster)))
    if place.pool:
        busy += running(state, place)
    else:
        for pool_place, _ in resource_names.pools(state, place):
            busy += running(state, pool_place)
        if wanted == "DELETE_CLUSTER":
            busy = [operation for operation in busy if operation[1]["operationType"] not in _COMPATIBLE]
    for _, body in busy:
        raise precondition(
            f"Cluster is running incompatible operation {body['name']}.",
        )


@answers("operations.get")
def get(call: Call) -> dict[str, Any]:
    """operations.get"""
    place = resource_names.of_call(call)
    operation = call.state.operation(f"container/{place.parent}/operations/{place.operation}")
    if operation is None:
        raise not_found(f"Not found: {place.parent}/operations/{place.operation}.")
    return operation
