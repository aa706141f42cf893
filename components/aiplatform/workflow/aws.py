"""A workflow on AWS: a state machine of Step Functions, its role, key and log, a queue of dead letters, and
alarms and a schedule."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import cloudwatch, kms, scheduler, sfn, sqs

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import (
    Statement,
    allow,
    document,
    key_policy,
    logs_may_use_key,
    queue_by_tls,
    rules_may_send,
    trust,
)
from aiplatform._shared.aws.roles import ServiceRole, service_role
from aiplatform._shared.context import Context as Base
from aiplatform.lakehouse.schedules import as_aws
from aiplatform.workflow.amazon_states import substituted
from aiplatform.workflow.args import (
    DEAD_LETTERS,
    KEY_ALIAS,
    LOGS,
    ROLE,
    SCHEDULE_ROLE,
    WorkflowSchedule,
    WorkflowSettings,
)
from aiplatform.workflow.calls import DEAD_LETTER
from aiplatform.workflow.platform import Created

_DAY: Final = 24 * 3600
_MINUTE: Final = 60
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")
_DELIVERY: Final = "delivery.logs.amazonaws.com"
_REUSE_SECONDS: Final = 300
"""How long Step Functions uses a data key, 60 to 900: each is a request to KMS."""
_RUN_JOB: Final = ("glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun")
"""Of `glue:startJobRun.sync` ("IAM policies for calling AWS Glue")."""
_DELIVER_LOGS: Final = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""None of them accepts a resource ("Logging using CloudWatch Logs")."""
_TRACE: Final = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


@dataclass(frozen=True)
class Context(Base[WorkflowSettings]):
    """The component, its settings, and the account and region."""

    account: Account

    @property
    def arn(self) -> str:
        """The arn of the state machine."""
        return self.account.arn("states", f"stateMachine:{self.settings.full_name}")

    @property
    def queue(self) -> str:
        """The name of the dead-letter queue."""
        return DEAD_LETTERS.format(prefix=self.settings.full_name)

    @property
    def log(self) -> str:
        """The name of the log group."""
        return LOGS.of(self.settings.full_name)

    @property
    def of_logs(self) -> Mapping[str, Mapping[str, str]]:
        """The condition of the use of the key by the delivery of logs ("Data at rest encryption")."""
        return {"StringEquals": {"kms:EncryptionContext:SourceArn": self.account.arn("logs", "*")}}

    @property
    def via_sqs(self) -> Mapping[str, Mapping[str, str]]:
        """The condition of the use of the key by SQS."""
        return {"StringEquals": {"kms:ViaService": f"sqs.{self.account.region}.{self.account.dns_suffix}"}}


def create(parent: pulumi.ComponentResource, name: str, settings: WorkflowSettings) -> Created:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    key = _key(context)
    queue = _dead_letters(context, key)
    log = cloudwatch.LogGroup(
        f"{name}-log",
        name=context.log,
        retention_in_days=settings.retention_days,
        kms_key_id=key,
        tags=settings.all_tags,
        opts=context.options(),
    )
    role = _role(context, key)
    machine = sfn.StateMachine(
        name,
        name=settings.full_name,
        type="STANDARD",
        role_arn=role.arn,
        definition=_definition(context, queue),
        encryption_configuration=sfn.StateMachineEncryptionConfigurationArgs(
            type="CUSTOMER_MANAGED_KMS_KEY",
            kms_key_id=key,
            kms_data_key_reuse_period_seconds=_REUSE_SECONDS,
        ),
        logging_configuration=sfn.StateMachineLoggingConfigurationArgs(
            level="ALL" if settings.log_level == "all" else "ERROR",
            include_execution_data=settings.log_level == "all",
            log_destination=Output.concat(log.arn, ":*"),
        ),
        tracing_configuration=sfn.StateMachineTracingConfigurationArgs(enabled=settings.tracing),
        tags=settings.all_tags,
        # Step Functions refuses a role that may not deliver logs.
        opts=context.options(*role.policies, delete_before_replace=True),
    )
    _timeouts(context, queue)
    _alarms(context, machine, queue)
    if settings.schedule is not None:
        _schedule(context, settings.schedule, machine, queue, key)
    return Created(machine.arn, role.arn, queue.url, log.name, key)


def _key(context: Context) -> Input[str]:
    settings = context.settings
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, context.account, "WorkflowArgs.kms_key").arn
    use = {"Effect": "Allow", "Resource": "*"}
    delivers: Statement = {
        "Sid": "DeliveryDecrypts",
        **use,
        "Principal": {"Service": _DELIVERY},
        "Action": "kms:Decrypt",
        "Condition": context.of_logs,
    }
    # Amazon EventBridge user guide, "Troubleshooting": events are not delivered to an encrypted queue.
    events: Statement = {
        "Sid": "EventsEncrypt",
        **use,
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": list(_USE),
        "Condition": {
            "StringEquals": {
                "kms:EncryptionContext:aws:sqs:arn": context.account.arn("sqs", context.queue),
            }
        },
    }
    key = kms.Key(
        f"{context.name}-key",
        description=f"Executions, logs and dead letters of the workflow {settings.full_name}",
        enable_key_rotation=True,
        policy=key_policy(context.account, logs_may_use_key(context.account, context.log), delivers, events),
        tags=settings.all_tags,
        opts=context.options(),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(settings.full_name), context.options())
    return key.arn


def _dead_letters(context: Context, key: Input[str]) -> sqs.Queue:
    return sqs.Queue(
        f"{context.name}-dead-letter",
        name=context.queue,
        kms_master_key_id=key,
        message_retention_seconds=14 * _DAY,
        tags=context.settings.all_tags,
        opts=context.options(delete_before_replace=True),
    )


def _role(context: Context, key: Input[str]) -> ServiceRole:
    settings, account = context.settings, context.account
    arns = [function.arn for function in settings.functions.values() if function.arn is not None]
    jobs = [job.glue_job for job in settings.jobs.values() if job.glue_job is not None]

    def statements(values: list[Any]) -> list[Statement]:
        used, functions, names = values
        return [
            *([allow(["lambda:InvokeFunction"], functions, sid="Functions")] if functions else []),
            *(
                [allow(_RUN_JOB, [account.arn("glue", f"job/{name}") for name in names], sid="Jobs")]
                if names
                else []
            ),
            allow(["sqs:SendMessage"], account.arn("sqs", context.queue), sid="DeadLetters"),
            allow(_USE, used, context.via_sqs, sid="EncryptDeadLetters"),
            allow(
                _USE,
                used,
                {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": context.arn}},
                sid="EncryptExecutions",
            ),
            allow(["kms:GenerateDataKey"], used, context.of_logs, sid="EncryptLogs"),
            allow(_DELIVER_LOGS, "*", sid="DeliverLogs"),
            *([allow(_TRACE, "*", sid="Trace")] if settings.tracing else []),
        ]

    return service_role(
        f"{context.name}-role",
        parent=context.parent,
        role_name=ROLE.of(settings.full_name),
        description=f"What the workflow {settings.full_name} calls",
        # Step Functions developer guide, "Prevent cross-service confused deputy".
        trust=trust(
            "states.amazonaws.com",
            {
                "StringEquals": {"aws:SourceAccount": account.account_id},
                "ArnLike": {"aws:SourceArn": account.arn("states", "stateMachine:*")},
            },
        ),
        statements=Output.all(key, Output.all(*arns), Output.all(*jobs)).apply(statements),
        policy_name="workflow",
        tags=settings.all_tags,
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )


def _definition(context: Context, queue: sqs.Queue) -> Output[str]:
    """Return the definition with the arns, names and URL in place of their names."""
    settings = context.settings
    values: dict[str, Input[str] | None] = {
        **{name: function.arn for name, function in settings.functions.items()},
        **{name: job.glue_job for name, job in settings.jobs.items()},
        DEAD_LETTER: queue.url,
    }
    return Output.all(**values).apply(lambda known: substituted(settings.source, known))


def _timeouts(context: Context, queue: sqs.Queue) -> None:
    """Send executions that are ended by their time, or by a user, to the dead-letter queue: no state of
    theirs can catch that ("Step Functions execution status change")."""
    settings, logical = context.settings, f"{context.name}-ended"
    rule = cloudwatch.EventRule(
        logical,
        name_prefix="ai-platform-workflow-",
        description=f"Executions of {settings.full_name} that are ended before their end",
        event_pattern=json.dumps(
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"stateMachineArn": [context.arn], "status": ["TIMED_OUT", "ABORTED"]},
            }
        ),
        tags=settings.all_tags,
        opts=context.options(),
    )
    policy = sqs.QueuePolicy(
        f"{context.name}-dead-letter",
        queue_url=queue.url,
        policy=Output.all(queue.arn, rule.arn).apply(
            lambda arns: document(queue_by_tls(arns[0]), rules_may_send(arns[0], [arns[1]]))
        ),
        opts=context.options(),
    )
    cloudwatch.EventTarget(
        logical,
        rule=rule.name,
        target_id="dead-letter",
        arn=queue.arn,
        # Events that the queue refuses are lost.
        opts=context.options(policy),
    )


def _alarms(context: Context, machine: sfn.StateMachine, queue: sqs.Queue) -> None:
    settings = context.settings
    of_machine = {"StateMachineArn": machine.arn}
    alarms: dict[str, tuple[str, str, Mapping[str, Input[str]], str, str]] = {
        "failed": ("AWS/States", "ExecutionsFailed", of_machine, "Sum", "has failed executions"),
        "timed-out": ("AWS/States", "ExecutionsTimedOut", of_machine, "Sum", "has executions that timed out"),
        "dead-letters": (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": queue.name},
            "Maximum",
            "has dead letters",
        ),
    }
    for purpose, (namespace, metric, dimensions, statistic, words) in alarms.items():
        cloudwatch.MetricAlarm(
            f"{context.name}-{purpose}",
            name=f"{settings.full_name}-{purpose}",
            alarm_description=f"The workflow {settings.full_name} {words}.",
            namespace=namespace,
            metric_name=metric,
            dimensions=dimensions,
            statistic=statistic,
            period=5 * _MINUTE,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=settings.alarm_targets,
            ok_actions=settings.alarm_targets,
            tags=settings.all_tags,
            opts=context.options(),
        )


def _schedule(
    context: Context, schedule: WorkflowSchedule, machine: sfn.StateMachine, queue: sqs.Queue, key: Input[str]
) -> None:
    """Create the schedule, and the role as which EventBridge Scheduler starts the workflow. A start that
    fails goes to the dead-letter queue, too."""
    settings, account = context.settings, context.account
    role = service_role(
        f"{context.name}-schedule",
        parent=context.parent,
        role_name=SCHEDULE_ROLE.of(settings.full_name),
        description=f"Starts the workflow {settings.full_name}",
        # EventBridge Scheduler user guide, "Confused deputy prevention": the group of the schedule.
        trust=trust(
            "scheduler.amazonaws.com",
            {
                "StringEquals": {
                    "aws:SourceAccount": account.account_id,
                    "aws:SourceArn": account.arn("scheduler", "schedule-group/default"),
                }
            },
        ),
        statements=Output.from_input(key).apply(
            lambda used: [
                allow(["states:StartExecution"], context.arn, sid="Start"),
                # The input is encrypted with the key of the state machine.
                allow(
                    _USE,
                    used,
                    {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": context.arn}},
                    sid="EncryptExecutions",
                ),
                allow(["sqs:SendMessage"], account.arn("sqs", context.queue), sid="DeadLetters"),
                allow(_USE, used, context.via_sqs, sid="EncryptDeadLetters"),
            ]
        ),
        policy_name="schedule",
        tags=settings.all_tags,
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    scheduler.Schedule(
        f"{context.name}-schedule",
        name=settings.full_name,
        description=f"Starts the workflow {settings.full_name}",
        schedule_expression=as_aws(schedule.cron),
        schedule_expression_timezone=schedule.timezone,
        flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
        target=scheduler.ScheduleTargetArgs(
            arn=machine.arn,
            role_arn=role.arn,
            input=json.dumps(schedule.input),
            dead_letter_config=scheduler.ScheduleTargetDeadLetterConfigArgs(arn=queue.arn),
            # One that is an hour late is in the dead-letter queue, and not next to the following one.
            retry_policy=scheduler.ScheduleTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=60 * _MINUTE, maximum_retry_attempts=10
            ),
        ),
        opts=context.options(*role.policies, delete_before_replace=True),
    )
