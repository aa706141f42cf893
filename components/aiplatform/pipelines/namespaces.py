"""What a team has in its namespace for workflows: the rights of its steps, the artifact repository, and the
rights of principals that submit."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform.pipelines.args import (
    JOBS,
    REPOSITORIES,
    REPOSITORY,
    STEPS,
    SUBMITTERS,
    PipelineSchedule,
    PipelinesSettings,
    PipelineTeam,
)
from aiplatform.pipelines.platform import Artifacts, Subjects

Rule = tuple[str, Sequence[str], Sequence[str]]
"""API group, resources, verbs."""
_VERSION: Final = "argoproj.io/v1alpha1"
_RBAC: Final = "rbac.authorization.k8s.io"
_LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform"}
_DEFAULT: Final = "workflows.argoproj.io/default-artifact-repository"
_REPORT: Final[Rule] = ("argoproj.io", ("workflowtaskresults",), ("create", "patch"))
RULES: Final[Mapping[str, Sequence[Rule]]] = {
    # What the executor needs in the Pod of a step (Argo Workflows, "Workflow RBAC").
    STEPS: (_REPORT,),
    JOBS: (
        _REPORT,
        ("trainer.kubeflow.org", ("trainjobs",), ("create", "delete", "get", "list", "watch")),
    ),
    # No `patch` of workflows: it would resume what is suspended, and stop the work of others.
    SUBMITTERS: (
        ("argoproj.io", ("workflows",), ("create", "get", "list", "watch")),
        ("argoproj.io", ("workflowtemplates",), ("get", "list")),
        ("", ("pods",), ("get", "list", "watch")),
        ("", ("pods/log",), ("get",)),
    ),
}
"""Role -> its rules, in the namespace of a team."""


def create(
    component: pulumi.ComponentResource,
    name: str,
    settings: PipelinesSettings,
    artifacts: Artifacts,
    before: ResourceOptions,
) -> None:
    """Create what all teams have. name: the first part of logical names. before: options with what exists
    before."""
    for team_name, team in settings.teams.items():
        after = ResourceOptions(parent=component, depends_on=artifacts.ready[team_name])
        options = ResourceOptions.merge(before, after)
        _Team(f"{name}-{team_name}", team, options).create(
            artifacts.repositories[team_name], artifacts.submitters[team_name]
        )


class _Team:
    """The objects of one team. logical: the first part of their logical names."""

    def __init__(self, logical: str, team: PipelineTeam, options: ResourceOptions) -> None:
        self._logical, self._team, self._options = logical, team, options

    def create(self, repository: Any, submitters: Sequence[Subjects]) -> None:
        """Create them."""
        core.ConfigMap(
            f"{self._logical}-{REPOSITORIES}",
            metadata=self._metadata(REPOSITORIES, {_DEFAULT: REPOSITORY}),
            data={REPOSITORY: Output.from_input(repository).apply(lambda known: json.dumps(known, indent=1))},
            opts=self._options,
        )
        core.ServiceAccount(f"{self._logical}-{JOBS}", metadata=self._metadata(JOBS), opts=self._options)
        steps = str(self._team.identity.service_account)
        for role, account in ((STEPS, steps), (JOBS, JOBS)):
            subject = rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=self._team.namespace)
            self._bind(role, [subject])
        subjects = [
            rbac.SubjectArgs(kind=entry.kind, name=submitter, api_group=_RBAC)
            for entry in submitters
            for submitter in entry.names
        ]
        if subjects:
            self._bind(SUBMITTERS, subjects)
        for name, schedule in self._team.schedules.items():
            self._schedule(name, schedule)

    def _schedule(self, name: str, schedule: PipelineSchedule) -> None:
        parameters = [{"name": parameter, "value": value} for parameter, value in schedule.parameters.items()]
        pulumi.CustomResource(
            f"kubernetes:{_VERSION}:CronWorkflow",
            f"{self._logical}-{name}",
            {
                "apiVersion": _VERSION,
                "kind": "CronWorkflow",
                "metadata": {"name": name, "namespace": self._team.namespace, "labels": _LABELS},
                "spec": {
                    "schedules": schedule.schedules,
                    "timezone": schedule.timezone,
                    "concurrencyPolicy": schedule.concurrency.capitalize(),
                    "startingDeadlineSeconds": schedule.deadline_minutes * 60,
                    "suspend": schedule.suspended,
                    "workflowSpec": {
                        "workflowTemplateRef": {"name": schedule.template},
                        **({"arguments": {"parameters": parameters}} if parameters else {}),
                    },
                },
            },
            ResourceOptions.merge(self._options, ResourceOptions(version=version("pulumi-kubernetes"))),
        )

    def _bind(self, role: str, subjects: Sequence[rbac.SubjectArgs]) -> None:
        created = rbac.Role(
            f"{self._logical}-{role}-role",
            metadata=self._metadata(role),
            rules=[
                rbac.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(verbs))
                for group, resources, verbs in RULES[role]
            ],
            opts=self._options,
        )
        rbac.RoleBinding(
            f"{self._logical}-{role}-members",
            metadata=self._metadata(role),
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=role),
            subjects=list(subjects),
            opts=ResourceOptions.merge(self._options, ResourceOptions(depends_on=[created])),
        )

    def _metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> meta.ObjectMetaArgs:
        return meta.ObjectMetaArgs(
            name=name,
            namespace=self._team.namespace,
            labels=_LABELS,
            annotations=dict(annotations) if annotations else None,
        )
