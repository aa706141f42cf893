"""The arguments of the component Workflow. Pure: no resource, no call."""

from __future__ import annotations

from typing import Any, cast

from pulumi import Input

from aiplatform.workflow.args import WorkflowArgs
from stacks.key_grants import with_key_grants
from stacks.log_bucket_arguments import shared_log_bucket
from stacks.settings import Settings
from stacks.settings.generated import stated


def workflow(settings: Settings, name: str, log_bucket: Input[str] | None) -> WorkflowArgs:
    """Arguments of a workflow of the file. log_bucket: the environment's, None where it has none."""
    environment = settings.environment
    of_file = stated(settings.workflows[name])
    args: dict[str, Any] = {
        **with_key_grants(settings, of_file),
        **shared_log_bucket(of_file, log_bucket),
        "prefix": environment.prefix,
        "name": name,
        "cloud": environment.cloud,
    }
    if environment.cloud == "gcp":
        args.update(project=environment.project_id or "", region=environment.region)
    else:
        args["tags"] = environment.all_tags
    return cast("WorkflowArgs", args)
