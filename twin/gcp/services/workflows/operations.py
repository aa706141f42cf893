"""Workflows: the definitions of workflows, checked as far as JSON is. They are not executed."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import serve

_LARGEST: Final = 128 * 1024
_LONGEST_VARIABLE: Final = 4096
_ACCOUNT: Final = re.compile(r"projects/[^/]+/serviceAccounts/([^/]+)")


def _check(call: Call, workflow: Body) -> None:
    source = str(workflow.get("sourceContents") or "")
    if len(source.encode()) > _LARGEST:
        raise invalid(f"Workflow source code must be at most {_LARGEST} bytes.")
    _check_source(source)
    variables: dict[str, Any] = workflow.get("userEnvVars") or {}
    for key, value in variables.items():
        if not key or key.startswith(("GOOGLE", "WORKFLOWS")) or len(str(value).encode()) > _LONGEST_VARIABLE:
            raise invalid(f"Environment variable '{key}' is invalid.")
    named = str(
        workflow.get("serviceAccount") or f"{call.project_number}-compute@developer.gserviceaccount.com"
    )
    match = _ACCOUNT.fullmatch(named)
    email = match[1] if match else named
    check_member(call, f"serviceAccount:{email}")
    workflow["serviceAccount"] = f"projects/{call.server.instance.account}/serviceAccounts/{email}"
    key = workflow.get("cryptoKeyName")
    if key:
        agent = f"service-{call.project_number}@gcp-sa-workflows.iam.gserviceaccount.com"
        check_key(call, key, workflow["name"].split("/")[3], agent, "workflow")
    workflow["state"] = "ACTIVE"
    workflow["revisionId"] = f"000001-{uuid.uuid4().hex[:3]}"


def _check_source(source: str) -> None:
    """Refuse JSON without a workflow that can be executed; YAML is accepted as it is."""
    try:
        definition = json.loads(source)
    except ValueError:
        if not source.strip():
            raise invalid("Workflow source code must not be empty.") from None
        return
    steps = definition.get("main", {}).get("steps") if isinstance(definition, dict) else definition
    if not isinstance(steps, list) or not steps:
        raise invalid("main workflow: parse error: expected steps")


serve("workflows.projects.locations.workflows", check=_check)
