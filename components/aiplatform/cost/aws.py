"""Cost control on AWS: budgets with notifications, the topic of alerts with its key, and the detection of
anomalies."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import budgets, costexplorer, iam, kms, sns, sqs

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, allow, document, key_policy, queue_by_tls
from aiplatform._shared.context import Context as Base
from aiplatform._shared.kubernetes.names import COST_ACCOUNT
from aiplatform.cost.args import (
    ALERTS,
    ENVIRONMENT,
    HOLD,
    IDENTITY,
    KEY_ALIAS,
    NAMESPACE,
    CostAnomalies,
    CostBudget,
    CostSettings,
)
from aiplatform.cost.platform import Alerts, Hold
from aiplatform.workload_identity import WorkloadIdentity

_BUDGETS: Final = "budgets.amazonaws.com"
_ANOMALIES: Final = "costalerts.amazonaws.com"
_SNS: Final = "sns.amazonaws.com"
_DAY: Final = 24 * 3600
_ATTEMPTS: Final = 5
VISIBLE_AGAIN_SECONDS: Final = 600
"""A message is read again after the time that a run of the program may take."""


@dataclass(frozen=True)
class Context(Base[CostSettings]):
    """The component, its settings, and the account and region."""

    account: Account

    def named(self, pattern: str) -> str:
        """Return a name with the prefix."""
        return pattern.format(prefix=self.settings.prefix)

    def budget(self, key: str) -> str:
        """Return the name of a budget, which an account has once."""
        return f"{self.settings.prefix}-{key}"

    @property
    def from_budgets(self) -> dict[str, Any]:
        """The condition of requests of AWS Budgets for budgets of this account ("Creating an Amazon SNS topic
        for budget notifications")."""
        account = self.account
        return {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {
                "aws:SourceArn": f"arn:{account.partition}:budgets::{account.account_id}:*",
            },
        }

    @property
    def from_anomalies(self) -> dict[str, Any]:
        """The condition of requests of Cost Anomaly Detection for this account ("Creating an Amazon SNS topic
        for anomaly notifications")."""
        return {"StringEquals": {"aws:SourceAccount": self.account.account_id}}


def create(parent: pulumi.ComponentResource, name: str, settings: CostSettings) -> Alerts:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    if not settings.budgets and settings.anomalies is None:
        return Alerts({}, "")
    key = _key(context)
    topic = _topic(context, "alerts", ALERTS, key)
    holding = _topic(context, "hold", HOLD, key) if settings.hold is not None else None
    created = {
        entry: _budget(context, entry, budget, topic, holding) for entry, budget in settings.budgets.items()
    }
    if settings.anomalies is not None:
        _anomalies(context, settings.anomalies, topic)
    return Alerts(
        {entry: budget.name for entry, budget in created.items()},
        topic.arn,
        _hold(context, holding, key) if holding is not None else None,
    )


def _key(context: Context) -> Input[str]:
    """Create the key of alerts. SNS encrypts with the rights of the service that publishes ("Enable
    compatibility between event sources from AWS services and encrypted topics")."""
    settings = context.settings
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, context.account, "CostArgs.kms_key").arn
    key = kms.Key(
        f"{context.name}-key",
        description=f"Alerts of costs of {settings.prefix}",
        enable_key_rotation=True,
        policy=key_policy(context.account, *_key_statements(context)),
        tags=settings.tags,
        opts=context.options(),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(settings.prefix), context.options())
    return key.arn


def _key_statements(context: Context) -> list[Statement]:
    use = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
    return [
        {
            "Sid": "BudgetsEncrypt",
            **use,
            "Principal": {"Service": _BUDGETS},
            "Condition": context.from_budgets,
        },
        {
            "Sid": "AnomaliesEncrypt",
            **use,
            "Principal": {"Service": _ANOMALIES},
            "Condition": context.from_anomalies,
        },
        *([_queue_encrypts(context, use)] if context.settings.hold is not None else []),
    ]


def _queue_encrypts(context: Context, use: Statement) -> Statement:
    """Return the statement by which SNS sends to an encrypted queue ("Configuring AWS KMS permissions for
    subscribing an Amazon SQS queue to a topic")."""
    return {
        "Sid": "TopicEncrypts",
        **use,
        "Principal": {"Service": _SNS},
        "Condition": {"ArnEquals": {"aws:SourceArn": context.account.arn("sns", context.named(HOLD))}},
    }


def _topic(context: Context, purpose: str, pattern: str, key: Input[str]) -> sns.Topic:
    """Create a topic, to which only the two services publish, and that before budgets: AWS Budgets refuses a
    topic that it may not publish to. That of the hold gets no anomalies."""
    name = context.named(pattern)
    return sns.Topic(
        f"{context.name}-{purpose}",
        name=name,
        kms_master_key_id=key,
        policy=document(*_topic_statements(context, name, anomalies=pattern == ALERTS)),
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )


def _topic_statements(context: Context, name: str, *, anomalies: bool) -> list[Statement]:
    arn = context.account.arn("sns", name)
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}
    of_anomalies = {
        "Sid": "AnomaliesPublish",
        **publish,
        "Principal": {"Service": _ANOMALIES},
        "Condition": context.from_anomalies,
    }
    return [
        {
            "Sid": "BudgetsPublish",
            **publish,
            "Principal": {"Service": _BUDGETS},
            "Condition": context.from_budgets,
        },
        *([of_anomalies] if anomalies else []),
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def _budget(
    context: Context, key: str, budget: CostBudget, topic: sns.Topic, holding: sns.Topic | None
) -> budgets.Budget:
    tag, hold = context.settings.tag_of(key), context.settings.hold
    # A notification has one topic: the one that holds queues goes to that of the hold alone.
    of_hold = hold.percent if hold is not None and key == ENVIRONMENT else None
    thresholds = [
        *(("ACTUAL", percent, percent == of_hold) for percent in context.settings.actual_percent(key)),
        *(("FORECASTED", percent, False) for percent in budget.forecast_percent),
    ]
    return budgets.Budget(
        f"{context.name}-{key}",
        name=context.budget(key),
        budget_type="COST",
        time_unit="MONTHLY",
        limit_amount=_money(budget.amount),
        limit_unit=context.settings.currency,
        # AWS Budgets API, Budget: `user:KEY$VALUE` of a tag of users.
        cost_filters=[
            budgets.BudgetCostFilterArgs(
                name="TagKeyValue", values=[f"user:{name}${value}" for name, value in tag.items()]
            )
        ]
        if tag
        else None,
        # What is used, whether credits pay for it or not: they would hide a runaway. Commitments are
        # spread over their hours: else the first day of the month has all of it.
        cost_types=budgets.BudgetCostTypesArgs(
            include_credit=False, include_refund=False, use_amortized=True
        ),
        notifications=[
            budgets.BudgetNotificationArgs(
                notification_type=kind,
                comparison_operator="GREATER_THAN",
                threshold=percent,
                threshold_type="PERCENTAGE",
                subscriber_email_addresses=budget.emails,
                subscriber_sns_topic_arns=[holding.arn if holds and holding is not None else topic.arn],
            )
            for kind, percent, holds in thresholds
        ],
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )


def _money(amount: float) -> str:
    """Return an amount as text, which the provider compares as a number."""
    return f"{amount:.2f}".rstrip("0").rstrip(".")


def _anomalies(context: Context, anomalies: CostAnomalies, topic: sns.Topic) -> None:
    settings = context.settings
    monitor = anomalies.monitor_arn
    if monitor is None:
        monitor = costexplorer.AnomalyMonitor(
            f"{context.name}-anomalies",
            name=f"{settings.prefix}-services",
            monitor_type="DIMENSIONAL",
            monitor_dimension="SERVICE",
            tags=settings.tags,
            # An account has one.
            opts=context.options(delete_before_replace=True),
        ).arn
    impacts = {"ABSOLUTE": anomalies.min_impact, "PERCENTAGE": anomalies.min_percent}
    conditions = [
        costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs(
            key=f"ANOMALY_TOTAL_IMPACT_{kind}",
            match_options=["GREATER_THAN_OR_EQUAL"],
            values=[_money(impact)],
        )
        for kind, impact in impacts.items()
        if impact is not None
    ]
    costexplorer.AnomalySubscription(
        f"{context.name}-anomalies",
        name=f"{settings.prefix}-anomalies",
        # The only frequency with SNS (Cost Explorer API, AnomalySubscription).
        frequency="IMMEDIATE",
        monitor_arn_lists=[monitor],
        subscribers=[
            costexplorer.AnomalySubscriptionSubscriberArgs(type="SNS", address=topic.arn),
        ],
        threshold_expression=_all(conditions),
        tags=settings.tags,
        opts=context.options(delete_before_replace=True),
    )


def _all(
    conditions: list[costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs],
) -> costexplorer.AnomalySubscriptionThresholdExpressionArgs:
    """Return an expression that all conditions meet. One alone is no list (Cost Explorer API, Expression)."""
    if len(conditions) == 1:
        return costexplorer.AnomalySubscriptionThresholdExpressionArgs(dimension=conditions[0])
    return costexplorer.AnomalySubscriptionThresholdExpressionArgs(
        ands=[
            costexplorer.AnomalySubscriptionThresholdExpressionAndArgs(
                dimension=costexplorer.AnomalySubscriptionThresholdExpressionAndDimensionArgs(
                    key=condition.key,
                    match_options=condition.match_options,
                    values=condition.values,
                )
            )
            for condition in conditions
        ]
    )


def _hold(context: Context, topic: sns.Topic, key: Input[str]) -> Hold:
    """Create the queue of alerts that hold, and the identity of the program that reads it."""
    settings, logical = context.settings, f"{context.name}-hold"
    queue, ready = _queue(context, logical, topic, key)
    args: Any = {
        "prefix": settings.prefix,
        "name": IDENTITY,
        "cluster": settings.cluster,
        "namespace": NAMESPACE,
        "service_account": COST_ACCOUNT,
        "tags": settings.tags,
    }
    identity = WorkloadIdentity(f"{context.name}-identity", args, context.options())
    arn = context.account.arn("sqs", context.named(HOLD))
    via = f"sqs.{context.account.region}.{context.account.dns_suffix}"
    policy = iam.RolePolicy(
        logical,
        name="hold",
        role=identity.role_name.apply(lambda known: known or ""),
        policy=Output.from_input(key).apply(
            lambda known: document(
                allow(["sqs:DeleteMessage", "sqs:ReceiveMessage"], arn, sid="Alerts"),
                allow(["kms:Decrypt"], known, {"StringEquals": {"kms:ViaService": via}}, sid="UseKey"),
            )
        ),
        opts=context.options(),
    )
    region = str(context.account.region)
    return Hold(
        queue.url,
        context.budget(ENVIRONMENT),
        identity,
        [policy, identity, *ready],
        {"AWS_REGION": region, "AWS_DEFAULT_REGION": region},
    )


def _queue(
    context: Context, logical: str, topic: sns.Topic, key: Input[str]
) -> tuple[sqs.Queue, list[pulumi.Resource]]:
    """Create the queue, and one for messages that were not handled in some attempts."""
    common: Any = {"kms_master_key_id": key, "tags": context.settings.tags}
    options = context.options(delete_before_replace=True)
    name = context.named(HOLD)
    dead = sqs.Queue(
        f"{logical}-dead",
        name=f"{name}-dead",
        message_retention_seconds=14 * _DAY,
        **common,
        opts=options,
    )
    queue = sqs.Queue(
        logical,
        name=name,
        # A cluster that is off for some days still gets the alert of its month.
        message_retention_seconds=14 * _DAY,
        visibility_timeout_seconds=VISIBLE_AGAIN_SECONDS,
        redrive_policy=dead.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": _ATTEMPTS})
        ),
        **common,
        opts=options,
    )
    policy = sqs.QueuePolicy(
        logical,
        queue_url=queue.url,
        policy=Output.all(queue.arn, topic.arn).apply(
            lambda arns: document(
                queue_by_tls(arns[0]),
                {
                    "Sid": "TopicSends",
                    "Effect": "Allow",
                    "Principal": {"Service": _SNS},
                    "Action": "sqs:SendMessage",
                    "Resource": arns[0],
                    "Condition": {"ArnEquals": {"aws:SourceArn": arns[1]}},
                },
            )
        ),
        opts=context.options(),
    )
    sqs.QueuePolicy(
        f"{logical}-dead",
        queue_url=dead.url,
        policy=dead.arn.apply(lambda arn: document(queue_by_tls(arn))),
        opts=context.options(),
    )
    subscription = sns.TopicSubscription(
        logical, topic=topic.arn, protocol="sqs", endpoint=queue.arn, opts=context.options(policy)
    )
    return queue, [subscription]
