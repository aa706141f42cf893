"""Workflows: definitions are checked for their steps and jumps, and not executed."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

import yaml

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import serve

_MAIN: Final = "main"
_BLOCKS: Final = frozenset({"try", "except", "for", "parallel"})
_ENDS: Final = frozenset({"end", "break", "continue"})
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
    place = workflow["name"].split("/")[3]
    check_key(call, workflow.get("cryptoKeyName"), place, "gcp-sa-workflows", "workflow")
    workflow["state"] = "ACTIVE"
    workflow["revisionId"] = f"000001-{uuid.uuid4().hex[:3]}"


def _check_source(source: str) -> None:
    """Refuse what is no definition: YAML or JSON of workflows, or of the steps of one ("Syntax overview")."""
    if not source.strip():
        raise invalid("Workflow source code must not be empty.")
    try:
        definition = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise invalid(f"main.yaml: parse error: {error}") from error
    workflows = definition if isinstance(definition, dict) else {_MAIN: {"steps": definition}}
    if _MAIN not in workflows:
        raise invalid("main.yaml: parse error: expected a workflow named main")
    for name, workflow in workflows.items():
        steps: Any = workflow.get("steps") if isinstance(workflow, dict) else None
        if not isinstance(steps, list) or not steps:
            raise invalid(f"main.yaml: parse error: in workflow '{name}': expected steps")
        _check_jumps(name, steps)


def _check_jumps(workflow: str, steps: list[Any]) -> None:
    names: set[str] = set()
    jumps: dict[str, str] = {}
    for name, body in _steps(steps):
        if name in names:
            raise invalid(f"main.yaml: parse error: in workflow '{workflow}': duplicate step name '{name}'")
        names.add(name)
        jumps |= {str(target): name for target in _targets(body)}
    for target, step in jumps.items():
        if target not in names | _ENDS:
            raise invalid(
                f"main.yaml: parse error: in workflow '{workflow}', step '{step}': next: undefined step "
                f"'{target}'"
            )


def _steps(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the steps of a list, and of the lists in them."""
    for step in value:
        if not isinstance(step, dict) or len(step) != 1:
            raise invalid(f"main.yaml: parse error: expected a step with one name, got {json.dumps(step)}")
        [(name, body)] = step.items()
        yield str(name), body if isinstance(body, dict) else {}
        for steps in _nested(body):
            yield from _steps(steps)


def _nested(body: Any) -> Iterator[list[Any]]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "steps" and isinstance(value, list):
                yield value
            elif key == "branches" and isinstance(value, list):
                yield from (branch["steps"] for named in value for branch in named.values())
            elif key in _BLOCKS:
                yield from _nested(value)


def _targets(body: dict[str, Any]) -> Iterator[Any]:
    if "next" in body:
        yield body["next"]
    conditions: Any = body.get("switch")
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, dict) and "next" in condition:
            yield condition["next"]


serve("workflows.projects.locations.workflows", check=_check)
