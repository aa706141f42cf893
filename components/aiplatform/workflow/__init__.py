"""A workflow: functions and jobs in an order, with retries, errors that are caught, and dead letters."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.workflow.args import (
    WorkflowArgs,
    WorkflowFunctionArgs,
    WorkflowJobArgs,
    WorkflowScheduleArgs,
    WorkflowSettings,
)
from aiplatform.workflow.outputs import WorkflowOutputs

__all__ = [
    "Workflow",
    "WorkflowArgs",
    "WorkflowFunctionArgs",
    "WorkflowJobArgs",
    "WorkflowOutputs",
    "WorkflowScheduleArgs",
]


class Workflow(ComponentResource):
    """A workflow: a state machine of Step Functions, or a workflow of Google's Workflows, that calls
    functions and runs jobs in an order, with a dead-letter queue, alarms, and a role or service account that
    has the right to call these alone. Its definition is checked before anything is registered. Pipelines in
    a cluster, which run Pods, are those of the component Pipelines.

    Takes the cloud's provider through `opts.providers`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    name: KnownOutput[str]
    """The name in the cloud, `{prefix}-{name}`."""
    target: Output[str]
    """What starts it: the arn of the state machine, or `projects/.../locations/.../workflows/...`."""
    principal: Output[str]
    """As what it works, for grants of what its calls need: the arn of its role, or `serviceAccount:...`."""
    dead_letters: Output[str]
    """Where failed executions are read: the URL of a queue of SQS, or `projects/.../subscriptions/...`."""
    log_group: Output[str]
    """Its logs: the name of a log group of CloudWatch Logs, or a log bucket,
    `projects/.../locations/.../buckets/...`."""
    kms_key: Output[str]
    """The key that encrypts it: an arn, or `projects/.../cryptoKeys/...`."""

    def __init__(self, name: str, args: WorkflowArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(WorkflowSettings, args, "WorkflowArgs")
        super().__init__("aiplatform:index:Workflow", name, {}, opts)
        # Imported late: arguments are checked without the SDKs, which take a second to load.
        if settings.cloud == "gcp":
            from aiplatform.workflow import gcp as cloud
        else:
            from aiplatform.workflow import aws as cloud
        created = cloud.create(self, name, settings)
        outputs = {
            "cloud": settings.cloud,
            "name": settings.full_name,
            "target": Output.from_input(created.identifier),
            "principal": Output.from_input(created.principal),
            "dead_letters": Output.from_input(created.dead_letters),
            "log_group": Output.from_input(created.logs),
            "kms_key": Output.from_input(created.kms_key),
        }
        self.outputs = cast("WorkflowOutputs", outputs)
        publish(self, self.outputs)
