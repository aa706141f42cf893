"""Amazon Managed Service for Prometheus: the configuration of a workspace, which moto lacks."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store

Params = dict[str, Any]
_DEFAULT_RETENTION: Final = 150


def _workspace(params: Params, backend: Any) -> Any:
    if params.get("workspaceId") not in backend.workspaces:
        raise Refusal("ResourceNotFoundException", "Workspace not found", 404)
    return backend.workspaces[params["workspaceId"]]


def update(params: Params, backend: Any) -> Params:
    """UpdateWorkspaceConfiguration."""
    workspace = _workspace(params, backend)
    if params.get("retentionPeriodInDays") is not None:
        workspace.twin_retention = int(params["retentionPeriodInDays"])
    return {"status": {"statusCode": "ACTIVE"}}


def describe(params: Params, backend: Any) -> Params:
    """DescribeWorkspaceConfiguration."""
    days = getattr(_workspace(params, backend), "twin_retention", _DEFAULT_RETENTION)
    return {"workspaceConfiguration": {"status": {"statusCode": "ACTIVE"}, "retentionPeriodInDays": days}}


OPERATIONS: Final = extension_store.operations(
    {"DescribeWorkspaceConfiguration": describe, "UpdateWorkspaceConfiguration": update}
)
