"""Control of what an environment costs: budgets with alerts, the hold of queues by them, the detection of
anomalies, and the end of idle work."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.cost.args import (
    CostAnomaliesArgs,
    CostArgs,
    CostBudgetArgs,
    CostHoldArgs,
    CostReaperArgs,
    CostScheduleArgs,
    CostSettings,
)
from aiplatform.cost.outputs import CostOutputs

__all__ = [
    "ClusterReferenceArgs",
    "Cost",
    "CostAnomaliesArgs",
    "CostArgs",
    "CostBudgetArgs",
    "CostHoldArgs",
    "CostOutputs",
    "CostReaperArgs",
    "CostScheduleArgs",
]


class Cost(ComponentResource):
    """Control of what an environment costs: budgets of the environment and of teams, whose alerts go to email
    addresses and to a topic, and on AWS the detection of anomalies. With `hold` a program in the cluster
    holds ClusterQueues once the environment's budget is spent, with `schedule` at night, and with `reaper` it
    ends work whose GPUs are idle.

    Takes the cloud's provider through `opts.providers`. With one of these it also takes the Kubernetes
    provider of the cluster, and the component Queues in `opts.depends_on`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    budgets: Output[dict[str, str]]
    """The names of the budgets, by `environment`, and `team-` with the name of a team."""
    alerts_topic: Output[str]
    """Where alerts are published, for further subscribers: the arn of a topic of SNS, or
    `projects/.../topics/...`; empty where there is neither a budget nor a monitor of anomalies."""

    def __init__(self, name: str, args: CostArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("CostArgs", args, opts)
        settings = read(CostSettings, args, "CostArgs")
        super().__init__("aiplatform:index:Cost", name, {}, opts)
        # Imported late: arguments are checked without the SDKs, which take a second to load.
        from aiplatform.cost.build import build

        alerts = build(self, name, settings, opts)
        outputs = {
            "cloud": settings.cloud,
            "budgets": Output.from_input(dict(alerts.budgets)),
            "alerts_topic": alerts.topic,
        }
        self.outputs = cast("CostOutputs", outputs)
        publish(self, self.outputs)
