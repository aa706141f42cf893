"""The topic `workflows`."""

from __future__ import annotations

from aiplatform.workflow.args import WorkflowArgs, WorkflowSettings
from stacks.settings.generated import topic_of


class Workflow(topic_of(WorkflowArgs, WorkflowSettings, without=("name", "project"))):
    """A chain of functions and jobs by Step Functions or Google's Workflows (docs/workflows.md)."""
