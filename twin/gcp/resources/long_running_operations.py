"""Long-running operations: asked for until they are done, their errors in the provider's words."""

from __future__ import annotations

import time
from typing import Any

from twin.core.backoff import growing_pauses
from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError, Props, pause


class FailedOperation(CloudError):  # noqa: N818 - the cloud's refusal
    """An operation that ended with an error."""


def finished(context: GcpContext, api: str, answer: Props, action: str, seconds: float) -> Props:
    """The operation when it is done, or the answer itself where it is no operation.

    action: for the words (`Creating Network`). seconds: how long, unless customTimeouts says. Raises
    FailedOperation, and CloudError when the time is over.
    """
    deadline = time.monotonic() + (context.timeout or seconds)
    pauses = growing_pauses()
    while _is_operation(api, answer):
        if _done(answer):
            error = _error(answer)
            if error:
                raise FailedOperation(f"Error waiting for {action}: {error[1]}", code=error[0])
            return answer
        if time.monotonic() > deadline:
            raise CloudError(
                f"Error waiting for {action}: timeout while waiting for state to become 'DONE' "
                f"(last state: '{answer.get('status', 'RUNNING')}')"
            )
        pause(next(pauses))
        answer = _asked_again(context, api, answer)
    return answer


def _is_operation(api: str, answer: Props) -> bool:
    if api == "compute":
        return answer.get("kind") == "compute#operation"
    if api == "container":
        return "operationType" in answer
    if api == "sqladmin":
        return answer.get("kind") == "sql#operation"
    if api == "bigquery":
        return False
    return "done" in answer or "operations" in str(answer.get("name", "")).split("/")[:-1]


def _done(answer: Props) -> bool:
    return bool(answer.get("done")) or answer.get("status") == "DONE"


def _error(answer: Props) -> tuple[str, str] | None:
    error: Any = answer.get("error")
    if isinstance(error, dict) and error.get("errors"):
        errors = error["errors"]
        return str(errors[0].get("code", "")), "\n".join(str(entry.get("message", "")) for entry in errors)
    if isinstance(error, dict) and (error.get("message") or error.get("code")):
        code = error.get("code", "")
        return str(code), f"Error code {code}, message: {error.get('message', '')}"
    if answer.get("statusMessage"):
        return "", str(answer["statusMessage"])
    return None


def _asked_again(context: GcpContext, api: str, answer: Props) -> Props:
    name = answer["name"]
    if api == "compute":
        params = {"project": context.project, "operation": name}
        for scope in ("zone", "region"):
            if answer.get(scope):
                params[scope] = answer[scope].rpartition("/")[2]
                return context.call(f"compute.{scope}Operations.get", params)
        return context.call("compute.globalOperations.get", params)
    if api == "container":
        place = answer.get("location") or answer.get("zone")
        full = f"projects/{context.project}/locations/{place}/operations/{name}"
        return context.call("container.projects.locations.operations.get", {"name": full})
    if api == "sqladmin":
        return context.call("sqladmin.operations.get", {"project": context.project, "operation": name})
    # Collections and ids take turns before the operation: `projects/p/locations/l/operations/o`.
    parts = name.split("/")
    collections = parts[: parts.index("operations") + 1 : 2]
    return context.call(f"{api}.{'.'.join(collections)}.get", {"name": name})
