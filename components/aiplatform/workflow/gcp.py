"""A workflow on Google Cloud: a workflow of Workflows, its service account, key and log bucket, a topic of
dead letters with a subscription, alert policies and a schedule."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import (
    cloudrunv2,
    cloudscheduler,
    monitoring,
    projects,
    pubsub,
    serviceaccount,
    workflows,
)

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.gcp.keys import Key, data_key, grant_member_key_use
from aiplatform._shared.gcp.logs import LogBucket, create_log_bucket, with_stated_key, writer
from aiplatform._shared.outputs import mapped
from aiplatform.workflow.args import (
    ACCOUNT,
    DEAD_LETTERS,
    SCHEDULE_ACCOUNT,
    WorkflowSchedule,
    WorkflowSettings,
)
from aiplatform.workflow.calls import DEAD_LETTER
from aiplatform.workflow.platform import Created

APIS: Final = ("cloudkms", "cloudresourcemanager", "iam", "logging", "monitoring", "pubsub", "workflows")
_DAY: Final = 24 * 3600
_RETENTION: Final = f"{31 * _DAY}s"
"""The longest of a subscription (Pub/Sub API, messageRetentionDuration)."""
_EXECUTIONS: Final = "https://workflowexecutions.googleapis.com/v1/"


@dataclass(frozen=True)
class Context(GcpDataContext[WorkflowSettings]):
    """The component, its settings, project and region, and APIs."""

    @property
    def labels(self) -> Any:
        """Labels with the owner."""
        return self.settings.all_tags

    @property
    def dead_letters(self) -> str:
        """The name of the topic of dead letters, and of its subscription."""
        return DEAD_LETTERS.format(prefix=self.settings.full_name)

    @property
    def identifier(self) -> str:
        """The workflow, as the API names it."""
        return f"projects/{self.project}/locations/{self.region}/workflows/{self.settings.full_name}"


@dataclass(frozen=True)
class _Key:
    """The key, its id, and the rights of the services that encrypt by it."""

    key: Key
    id: Input[str]
    grants: Mapping[str, Dependency]


def create(parent: pulumi.ComponentResource, name: str, settings: WorkflowSettings) -> Created:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.project or "", settings.region or ""
    apis = [*APIS, "workflowexecutions"]
    apis += ["run"] if settings.functions or settings.jobs else []
    apis += ["cloudscheduler"] if settings.schedule is not None else []
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, apis))
    key = _key(context)
    account = _account(
        context, f"{name}-account", ACCOUNT.of(settings.full_name), "Calls what the workflow calls"
    )
    topic, subscription = _dead_letters(context, key)
    ready = [*key.grants.values(), *_grants(context, account, topic), *_job_grants(context, account)]
    log = _logs(context, key, account)
    workflow = workflows.Workflow(
        name,
        project=project,
        region=region,
        name=settings.full_name,
        # After the sink to a shared log bucket, so that no log is elsewhere; and deleted before it.
        description=mapped(settings.log_bucket, lambda _: f"Owner: {settings.owner}"),
        service_account=account.id,
        source_contents=json.dumps(settings.source, indent=2),
        user_env_vars=_variables(settings, topic),
        crypto_key_name=key.id,
        call_log_level="LOG_ALL_CALLS" if settings.log_level == "all" else "LOG_ERRORS_ONLY",
        execution_history_level="EXECUTION_HISTORY_DETAILED"
        if settings.tracing
        else "EXECUTION_HISTORY_BASIC",
        # Executions are not data that is kept.
        deletion_protection=False,
        labels=context.labels,
        opts=context.options(*ready, context.apis["workflows"], delete_before_replace=True),
    )
    _alerts(context)
    if settings.schedule is not None:
        _schedule(context, settings.schedule, workflow)
    return Created(workflow.id, account.member, subscription.id, log, key.id)


def _key(context: Context) -> _Key:
    key = data_key(context)
    agents = {service: context.service_agent(service) for service in ("pubsub", "workflows")}
    members: dict[str, Input[str]] = dict(agents)
    if context.settings.log_bucket is None:
        logs = writer(context.parent, context.project, context.apis["logging"])
        members["logging"] = Output.concat("serviceAccount:", logs)
    grants = {
        service: grant_member_key_use(
            context.parent,
            f"{context.name}-key-{service}",
            key,
            member,
            depends_on=[context.apis["cloudkms"]],
        )
        for service, member in members.items()
    }
    return _Key(key, key.id, grants)


def _account(context: Context, logical: str, identifier: str, does: str) -> serviceaccount.Account:
    return serviceaccount.Account(
        logical,
        project=context.project,
        account_id=identifier,
        display_name=f"Workflow {context.settings.full_name}",
        description=f"{does}: {context.settings.full_name}",
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )


def _dead_letters(context: Context, key: _Key) -> tuple[pubsub.Topic, pubsub.Subscription]:
    """Create the topic, and the subscription that keeps its messages."""
    logical = f"{context.name}-dead-letter"
    topic = pubsub.Topic(
        logical,
        project=context.project,
        name=context.dead_letters,
        kms_key_name=key.id,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(key.grants["pubsub"], context.apis["pubsub"], delete_before_replace=True),
    )
    subscription = pubsub.Subscription(
        logical,
        project=context.project,
        name=context.dead_letters,
        topic=topic.name,
        message_retention_duration=_RETENTION,
        ack_deadline_seconds=600,
        # One that is not read for a month stays.
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        labels=context.labels,
        opts=context.options(delete_before_replace=True),
    )
    return topic, subscription


def _grants(context: Context, account: serviceaccount.Account, topic: pubsub.Topic) -> list[pulumi.Resource]:
    """Grant the workflow what it calls, its dead letters and its logs."""
    invokers: list[pulumi.Resource] = []
    for name, function in context.settings.functions.items():
        parts = Output.from_input(function.service or "").apply(lambda service: service.split("/"))
        invokers.append(
            cloudrunv2.ServiceIamMember(
                f"{context.name}-calls-{name}",
                project=parts[1],
                location=parts[3],
                name=parts[5],
                role="roles/run.invoker",
                member=account.member,
                opts=context.options(context.apis["run"]),
            )
        )
    return [
        *invokers,
        pubsub.TopicIAMMember(
            f"{context.name}-dead-letter",
            project=context.project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=account.member,
            opts=context.options(),
        ),
        projects.IAMMember(
            f"{context.name}-logs",
            project=context.project,
            role="roles/logging.logWriter",
            member=account.member,
            opts=context.options(context.apis["cloudresourcemanager"]),
        ),
    ]


def _job_grants(context: Context, account: serviceaccount.Account) -> list[pulumi.Resource]:
    """Grant the workflow to run its jobs, and to read the operations by which it awaits them: these are of
    the project, and the predefined roles that read them read all of Cloud Run."""
    settings = context.settings
    if not settings.jobs:
        return []
    grants: list[pulumi.Resource] = []
    for name, job in settings.jobs.items():
        parts = Output.from_input(job.cloud_run_job or "").apply(lambda path: path.split("/"))
        grants.append(
            cloudrunv2.JobIamMember(
                f"{context.name}-runs-{name}",
                project=parts[1],
                location=parts[3],
                name=parts[5],
                role="roles/run.jobsExecutor",
                member=account.member,
                opts=context.options(context.apis["run"]),
            )
        )
    role = projects.IAMCustomRole(
        f"{context.name}-operations",
        project=context.project,
        role_id=f"{settings.full_name.replace('-', '_')}_workflow",
        title=f"{settings.full_name} workflow",
        description=f"Reads the operations of jobs that the workflow {settings.full_name} runs",
        permissions=["run.operations.get"],
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )
    granted = projects.IAMMember(
        f"{context.name}-operations",
        project=context.project,
        role=role.name,
        member=account.member,
        opts=context.options(context.apis["cloudresourcemanager"]),
    )
    return [*grants, granted]


def _variables(settings: WorkflowSettings, topic: pubsub.Topic) -> dict[str, Input[str]]:
    functions = {name: function.url or "" for name, function in settings.functions.items()}
    jobs = {name: job.cloud_run_job or "" for name, job in settings.jobs.items()}
    return {**functions, **jobs, DEAD_LETTER: topic.id}


def _logs(context: Context, key: _Key, account: serviceaccount.Account) -> Output[str]:
    """Return the workflow's log bucket, `projects/.../buckets/...`, which is created unless an argument names
    it. The name of a deleted one is reserved for seven days, so that it ends with digits of the account's
    number."""
    settings = context.settings
    if settings.log_bucket is not None:
        return Output.from_input(settings.log_bucket)
    name = f"{settings.full_name}-workflow"
    unique = account.unique_id.apply(lambda number: f"{name}-{number[-8:]}")
    logs = LogBucket(
        project=context.project,
        region=context.region,
        name=name,
        description=f"Logs of the workflow {settings.full_name}",
        filter=(
            f'resource.type="workflows.googleapis.com/Workflow" '
            f'resource.labels.workflow_id="{settings.full_name}" resource.labels.location="{context.region}"'
        ),
        days=settings.retention_days,
        retain=False,
    )
    return create_log_bucket(
        context.parent,
        f"{context.name}-log",
        logs,
        with_stated_key(unique, key.key),
        key.id,
        [key.grants["logging"]],
    ).id


def _alerts(context: Context) -> None:
    settings = context.settings
    alerts = {
        "failed": (
            "executions fail or time out",
            'resource.type="workflows.googleapis.com/Workflow" AND '
            f'resource.labels.workflow_id="{settings.full_name}" AND '
            f'resource.labels.location="{context.region}" AND '
            'metric.type="workflows.googleapis.com/finished_execution_count" AND '
            'metric.labels.status="FAILED"',
            "ALIGN_DELTA",
        ),
        "dead-letters": (
            "there are dead letters",
            'resource.type="pubsub_subscription" AND '
            f'resource.labels.subscription_id="{context.dead_letters}" AND '
            'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages"',
            "ALIGN_MAX",
        ),
    }
    for purpose, (words, query, aligner) in alerts.items():
        monitoring.AlertPolicy(
            f"{context.name}-{purpose}",
            project=context.project,
            display_name=f"{settings.full_name}: {words}",
            combiner="OR",
            conditions=[
                monitoring.AlertPolicyConditionArgs(
                    display_name=f"Workflow {settings.full_name}: {words}",
                    condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
                        filter=query,
                        comparison="COMPARISON_GT",
                        threshold_value=0,
                        duration="0s",
                        aggregations=[
                            monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                                alignment_period="300s", per_series_aligner=aligner
                            )
                        ],
                    ),
                )
            ],
            notification_channels=settings.alarm_targets,
            severity="ERROR",
            user_labels=context.labels,
            opts=context.options(context.apis["monitoring"]),
        )


def _schedule(context: Context, schedule: WorkflowSchedule, workflow: workflows.Workflow) -> None:
    """Create the job of Cloud Scheduler, and the service account as which it starts the workflow. IAM has no
    resources below a project for workflows, and no condition by name: the account starts any of the project
    ("Attributes for IAM Conditions"). By the predefined role it could also read and cancel executions."""
    settings = context.settings
    account = _account(
        context, f"{context.name}-schedule", SCHEDULE_ACCOUNT.of(settings.full_name), "Starts the workflow"
    )
    starts = projects.IAMCustomRole(
        f"{context.name}-schedule",
        project=context.project,
        role_id=f"{settings.full_name.replace('-', '_')}_schedule",
        title=f"{settings.full_name} schedule",
        description=f"Starts the workflow {settings.full_name}",
        permissions=["workflows.executions.create"],
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )
    invoker = projects.IAMMember(
        f"{context.name}-schedule",
        project=context.project,
        role=starts.name,
        member=account.member,
        opts=context.options(context.apis["cloudresourcemanager"]),
    )
    argument = json.dumps({"argument": json.dumps(schedule.input)})
    cloudscheduler.Job(
        f"{context.name}-schedule",
        project=context.project,
        region=context.region,
        name=settings.full_name,
        description=f"Starts the workflow {settings.full_name}",
        schedule=schedule.cron,
        time_zone=mapped(schedule.timezone, lambda zone: "Etc/UTC" if zone == "UTC" else zone),
        attempt_deadline="180s",
        http_target=cloudscheduler.JobHttpTargetArgs(
            http_method="POST",
            uri=Output.concat(_EXECUTIONS, workflow.id, "/executions"),
            headers={"Content-Type": "application/json"},
            body=base64.b64encode(argument.encode()).decode(),
            oauth_token=cloudscheduler.JobHttpTargetOauthTokenArgs(
                service_account_email=account.email,
                scope="https://www.googleapis.com/auth/cloud-platform",
            ),
        ),
        opts=context.options(
            context.apis["cloudscheduler"],
            context.apis["workflowexecutions"],
            invoker,
            delete_before_replace=True,
        ),
    )
