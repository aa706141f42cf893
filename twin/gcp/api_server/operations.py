"""Long-running operations as each family of APIs shows them, and how they are asked for again."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State

COMPUTE_ROOT: Final = "https://www.googleapis.com/compute/v1"
_PACIFIC: Final = timezone(timedelta(hours=-8))


def numeric_id() -> str:
    """A new id of Compute's kind: 19 digits."""
    return str(secrets.randbelow(8 * 10**18) + 10**18)


def compute_time(at: float) -> str:
    """A time as Compute writes it: milliseconds, Pacific time."""
    return datetime.fromtimestamp(at, _PACIFIC).isoformat(timespec="milliseconds")


def rfc3339(at: float) -> str:
    """A time as the gRPC services write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def compute(call: Call, target: str, kind: str, target_id: str = "") -> Body:
    """A Compute operation.

    target: the relative name of what it worked on (`projects/p/regions/r/subnetworks/s`). kind: `insert`,
    `delete`, `patch`...
    """
    scope = _scope(target)
    millis = int(call.at * 1000)
    name = f"operation-{millis}-{uuid.uuid4().hex[:13]}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    place = f"projects/{call.project}/{scope}"
    started = compute_time(call.at)
    resource: Body = {
        "kind": "compute#operation",
        "id": numeric_id(),
        "name": name,
        "operationType": kind,
        "targetLink": f"{COMPUTE_ROOT}/{target}",
        "targetId": target_id or numeric_id(),
        "status": "DONE",
        "user": call.principal.partition(":")[2],
        "progress": 100,
        "insertTime": started,
        "startTime": started,
        "endTime": compute_time(time.time()),
        "selfLink": f"{COMPUTE_ROOT}/{place}/operations/{name}",
    }
    if scope != "global":
        field = scope.partition("/")[0].removesuffix("s")
        resource[field] = f"{COMPUTE_ROOT}/{place}"
    return begin(call, f"compute/{place}/operations/{name}", resource)


def long_running(
    call: Call, name: str, response: Body, *, kind: str = "", metadata: Body | None = None
) -> Body:
    """A google.longrunning.Operation.

    name: without the API (`operations/acf.p2-...`). kind: the response's type
    (`google.api.serviceusage.v1.EnableServiceResponse`).
    """
    answer = {"@type": f"type.googleapis.com/{kind}", **response} if kind else response
    resource: Body = {"name": name, "done": True, "response": answer}
    if metadata is not None:
        resource["metadata"] = metadata
    return begin(call, f"{call.method.api}/{name}", resource)


def begin(call: Call, name: str, done: Body) -> Body:
    """Begin an operation that runs for `call.lasts` seconds. done: as it is at its end."""
    return call.state.put_operation(name, done, call.at + call.lasts)


def find(state: State, api: str, name: str) -> Body | None:
    """An operation by the API and its relative name."""
    return state.operation(f"{api}/{name}")


def new_name(number: str) -> str:
    """A name for an operation of the services around Service Usage: `operations/acf.p2-NUMBER-UUID`."""
    return f"operations/acf.p2-{number}-{uuid.uuid4()}"


def _scope(target: str) -> str:
    parts = target.split("/")
    if len(parts) > 3 and parts[2] in ("regions", "zones"):
        return f"{parts[2]}/{parts[3]}"
    return "global"
