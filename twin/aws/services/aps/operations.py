"""Amazon Managed Service for Prometheus: the configuration of a workspace, which moto lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal

_DEFAULT_RETENTION: Final = 150
_PATH: Final = re.compile(r"/workspaces/([^/]+)/configuration")


def _workspace(call: Call, backend: Any) -> Any:
    match = _PATH.search(call.environ.get("PATH_INFO", ""))
    identifier = match[1] if match else ""
    if identifier not in backend.workspaces:
        raise Refusal("ResourceNotFoundException", "Workspace not found", 404)
    return backend.workspaces[identifier]


def update(call: Call, backend: Any) -> Answer:
    """UpdateWorkspaceConfiguration."""
    workspace = _workspace(call, backend)
    days = json.loads(call.body or b"{}").get("retentionPeriodInDays")
    if days is not None:
        workspace.twin_retention = int(days)
    return _answer({"status": {"statusCode": "ACTIVE"}}, 202)


def describe(call: Call, backend: Any) -> Answer:
    """DescribeWorkspaceConfiguration."""
    workspace = _workspace(call, backend)
    days = getattr(workspace, "twin_retention", _DEFAULT_RETENTION)
    configuration = {
        "status": {"statusCode": "ACTIVE"},
        "retentionPeriodInDays": days,
        "workspaceId": workspace.workspace_id,
    }
    return _answer({"workspaceConfiguration": configuration}, 200)


def _answer(body: dict[str, Any], status: int) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(body).encode())


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "DescribeWorkspaceConfiguration": describe,
    "UpdateWorkspaceConfiguration": update,
}
