"""The arguments of the component Workflow. Pure: no resource, no call."""

from __future__ import annotations

from typing import Any, cast

from aiplatform.workflow.args import WorkflowArgs
from stacks.key_grants import with_key_grants
from stacks.settings import Settings
from stacks.settings.generated import stated


def workflow(settings: Settings, name: str) -> WorkflowArgs:
    """Arguments of a workflow of the file."""
    environment = settings.environment
    args: dict[str, Any] = {
        **with_key_grants(settings, stated(settings.workflows[name])),
        "prefix": environment.prefix,
        "name": name,
        "cloud": environment.cloud,
    }
    if environment.cloud == "gcp":
        args.update(project=environment.project_id or "", region=environment.region)
    else:
        args["tags"] = environment.all_tags
    return cast("WorkflowArgs", args)
