"""Cost control on AWS: budgets with notifications, the topic of alerts with its key, and the detection of
anomalies."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input
from pulumi_aws import budgets, costexplorer, kms, sns

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import Statement, document, key_policy
from aiplatform._shared.context import Context as Base
from aiplatform.cost.args import ALERTS, KEY_ALIAS, CostAnomalies, CostBudget, CostSettings
from aiplatform.cost.platform import Alerts

_BUDGETS: Final = "budgets.amazonaws.com"
_ANOMALIES: Final = "costalerts.amazonaws.com"
_KINDS: Final = {"ACTUAL": "actual_percent", "FORECASTED": "forecast_percent"}


@dataclass(frozen=True)
class Context(Base[CostSettings]):
    """The component, its settings, and the account and region."""

    account: Account

    @property
    def topic(self) -> str:
        """The arn of the topic of alerts."""
        return self.account.arn("sns", self.topic_name)

    @property
    def topic_name(self) -> str:
        """The name of the topic of alerts."""
        return ALERTS.format(prefix=self.settings.prefix)

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
    topic = _topic(context, key)
    created = {entry: _budget(context, entry, budget, topic) for entry, budget in settings.budgets.items()}
    if settings.anomalies is not None:
        _anomalies(context, settings.anomalies, topic)
    return Alerts({entry: budget.name for entry, budget in created.items()}, topic.arn)


def _key(context: Context) -> Input[str]:
    """Create the key of alerts. SNS encrypts with the rights of the service that publishes ("Enable
    compatibility between event sources from AWS services and encrypted topics")."""
    settings = context.settings
    if settings.kms_key is not None:
        return settings.kms_key
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
    ]


def _topic(context: Context, key: Input[str]) -> sns.Topic:
    """Create the topic of alerts, to which only the two services publish, and that before its budgets: AWS
    Budgets refuses a topic that it may not publish to."""
    return sns.Topic(
        f"{context.name}-alerts",
        name=context.topic_name,
        kms_master_key_id=key,
        policy=document(*_topic_statements(context)),
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )


def _topic_statements(context: Context) -> list[Statement]:
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": context.topic}
    return [
        {
            "Sid": "BudgetsPublish",
            **publish,
            "Principal": {"Service": _BUDGETS},
            "Condition": context.from_budgets,
        },
        {
            "Sid": "AnomaliesPublish",
            **publish,
            "Principal": {"Service": _ANOMALIES},
            "Condition": context.from_anomalies,
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": context.topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def _budget(context: Context, key: str, budget: CostBudget, topic: sns.Topic) -> budgets.Budget:
    tag = context.settings.tag_of(key)
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
        # What is used, whether credits pay for it or not: they would hide a runaway. Commitments are spread over
        # their hours: else the first day of the month has all of it.
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
                subscriber_sns_topic_arns=[topic.arn],
            )
            for kind, field in _KINDS.items()
            for percent in getattr(budget, field)
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
            values=[f"{impact:g}"],
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
