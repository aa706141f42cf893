"""Continuous training of models: trained, compared, registered, promoted and rolled out again and again."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.continuous_training.args import (
    ContinuousEvaluationArgs,
    ContinuousFeatureViewArgs,
    ContinuousJobArgs,
    ContinuousModelArgs,
    ContinuousPromptArgs,
    ContinuousRolloutArgs,
    ContinuousScheduleArgs,
    ContinuousTeamArgs,
    ContinuousThresholdArgs,
    ContinuousTrainingArgs,
    ContinuousTrainingSettings,
)
from aiplatform.continuous_training.outputs import ContinuousTrainingOutputs

__all__ = [
    "ClusterReferenceArgs",
    "ContinuousEvaluationArgs",
    "ContinuousFeatureViewArgs",
    "ContinuousJobArgs",
    "ContinuousModelArgs",
    "ContinuousPromptArgs",
    "ContinuousRolloutArgs",
    "ContinuousScheduleArgs",
    "ContinuousTeamArgs",
    "ContinuousThresholdArgs",
    "ContinuousTraining",
    "ContinuousTrainingArgs",
    "ContinuousTrainingOutputs",
    "WorkloadIdentityReferenceArgs",
]


class ContinuousTraining(ComponentResource):
    """Continuous training: for each model of a team a WorkflowTemplate that pins the data, trains, compares
    with the champion, registers, and requests a promotion, which is a workflow in the namespace `release`;
    and queues whose messages start trainings and rollouts.

    Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`. The components
    Pipelines, Teams, Training and ModelStore (with `workflows`), and the add-on keda exist: they go into
    `opts.depends_on`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    queues: Output[dict[str, str]]
    """Team -> where messages that start its trainings are sent to: the URL of a queue of SQS, or
    `projects/.../topics/...`."""
    templates: KnownOutput[dict[str, list[str]]]
    """Team -> the WorkflowTemplates in its namespace."""

    def __init__(self, name: str, args: ContinuousTrainingArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ContinuousTrainingArgs", args, opts)
        settings = read(ContinuousTrainingSettings, args, "ContinuousTrainingArgs")
        super().__init__("aiplatform:index:ContinuousTraining", name, {}, opts)
        # Imported late: arguments are checked without the SDKs, which take a second to load.
        from aiplatform.continuous_training.build import build
        from aiplatform.continuous_training.training import template_name

        created = build(self, name, settings, opts)
        outputs = {
            "cloud": settings.cloud,
            "queues": Output.all(**{team: queues.training.send for team, queues in created.teams.items()}),
            "templates": {
                team: [template_name(model) for model in declared.models]
                for team, declared in settings.teams.items()
            },
        }
        self.outputs = cast("ContinuousTrainingOutputs", outputs)
        publish(self, self.outputs)
