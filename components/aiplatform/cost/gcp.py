"""Cost control on Google Cloud: budgets of the billing account, the topic of their messages with its key, and
the channels of their alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_gcp import billing, monitoring, organizations, pubsub

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.kubernetes.names import COST_ACCOUNT
from aiplatform.cost.args import (
    ALERTS,
    ENVIRONMENT,
    HOLD,
    IDENTITY,
    NAMESPACE,
    CostBudget,
    CostSettings,
)
from aiplatform.cost.platform import Alerts, Hold
from aiplatform.workload_identity import WorkloadIdentity

APIS: Final = ("billingbudgets", "cloudkms", "cloudresourcemanager", "iam", "monitoring", "pubsub")
PUBLISHER: Final = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
"""What publishes the messages of budgets ("Set up programmatic notifications")."""
_NANOS: Final = 10**9
_DAY: Final = 24 * 3600


@dataclass(frozen=True)
class Context(GcpDataContext[CostSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""


def create(parent: pulumi.ComponentResource, name: str, settings: CostSettings) -> Alerts:
    """Create the resources in the cloud as children of the component."""
    if not settings.budgets:
        return Alerts({}, "")
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))
    topic, publisher = _topic(context)
    channels = _channels(context)
    number = organizations.get_project_output(
        project_id=project, opts=pulumi.InvokeOutputOptions(parent=parent)
    ).number
    budgets = {
        key: _budget(context, key, budget, number, topic, channels, publisher)
        for key, budget in settings.budgets.items()
    }
    names = {key: budget.display_name.apply(str) for key, budget in budgets.items()}
    hold = _hold(context, topic, budgets[ENVIRONMENT]) if settings.hold is not None else None
    return Alerts(names, topic.id, hold)


def _topic(context: Context) -> tuple[pubsub.Topic, pulumi.Resource]:
    """Create the topic, encrypted by a key, and the right of Cloud Billing to publish to it."""
    settings = context.settings
    agent = context.service_agent("pubsub")
    crypto_key = data_key(context)
    key = crypto_key.id
    grant = grant_member_key_use(
        context.parent,
        f"{context.name}-key-pubsub",
        crypto_key,
        agent,
        depends_on=[context.apis["cloudkms"]],
    )
    topic = pubsub.Topic(
        f"{context.name}-alerts",
        project=context.project,
        name=ALERTS.format(prefix=settings.prefix),
        kms_key_name=key,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(grant, context.apis["pubsub"], delete_before_replace=True),
    )
    publisher = pubsub.TopicIAMMember(
        f"{context.name}-alerts-billing",
        project=context.project,
        topic=topic.name,
        role="roles/pubsub.publisher",
        member=PUBLISHER,
        opts=context.options(),
    )
    return topic, publisher


def _channels(context: Context) -> Mapping[str, monitoring.NotificationChannel]:
    """Create a channel for each address; budgets notify no others than channels of the kind email."""
    addresses = dict.fromkeys(
        address for budget in context.settings.budgets.values() for address in budget.emails
    )
    return {
        address: monitoring.NotificationChannel(
            f"{context.name}-email-{position}",
            project=context.project,
            display_name=f"Costs of {context.settings.prefix}",
            type="email",
            labels={"email_address": address},
            user_labels=context.labels,
            opts=context.options(context.apis["monitoring"]),
        )
        for position, address in enumerate(addresses)
    }


def _budget(
    context: Context,
    key: str,
    budget: CostBudget,
    number: Output[str],
    topic: pubsub.Topic,
    channels: Mapping[str, monitoring.NotificationChannel],
    publisher: pulumi.Resource,
) -> billing.Budget:
    settings = context.settings
    units, nanos = divmod(round(budget.amount * 100), 100)
    return billing.Budget(
        f"{context.name}-{key}",
        billing_account=settings.billing_account or "",
        display_name=f"{settings.prefix}-{key}",
        amount=billing.BudgetAmountArgs(
            specified_amount=billing.BudgetAmountSpecifiedAmountArgs(
                currency_code=settings.currency,
                units=str(units),
                nanos=nanos * (_NANOS // 100) or None,
            )
        ),
        budget_filter=billing.BudgetBudgetFilterArgs(
            # By number, as the API states it.
            projects=[Output.concat("projects/", number)],
            labels=settings.tag_of(key) or None,
            calendar_period="MONTH",
            # What is used, whether credits pay for it or not: promotions would hide a runaway.
            credit_types_treatment="EXCLUDE_ALL_CREDITS",
        ),
        threshold_rules=[
            billing.BudgetThresholdRuleArgs(threshold_percent=percent / 100, spend_basis=basis)
            for basis, percents in (
                ("CURRENT_SPEND", settings.actual_percent(key)),
                ("FORECASTED_SPEND", budget.forecast_percent),
            )
            for percent in percents
        ],
        all_updates_rule=billing.BudgetAllUpdatesRuleArgs(
            pubsub_topic=topic.id,
            schema_version="1.0",
            monitoring_notification_channels=[channels[address].name for address in budget.emails],
            # Administrators of the billing account are those of every environment.
            disable_default_iam_recipients=True,
        ),
        opts=context.options(publisher, context.apis["billingbudgets"]),
    )


def _hold(context: Context, topic: pubsub.Topic, budget: billing.Budget) -> Hold:
    """Create the subscription of the messages of the environment's budget, and the identity of the program
    that reads it."""
    settings, logical = context.settings, f"{context.name}-hold"
    subscription = pubsub.Subscription(
        logical,
        project=context.project,
        name=HOLD.format(prefix=settings.prefix),
        topic=topic.name,
        # The state of the budget, several times a day: what is older does not matter.
        message_retention_duration=f"{_DAY}s",
        ack_deadline_seconds=600,
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        labels=context.labels,
        opts=context.options(delete_before_replace=True),
    )
    args: Any = {
        "prefix": settings.prefix,
        "name": IDENTITY,
        "cluster": settings.cluster,
        "namespace": NAMESPACE,
        "service_account": COST_ACCOUNT,
    }
    identity = WorkloadIdentity(f"{context.name}-identity", args, context.options())
    granted = pubsub.SubscriptionIAMMember(
        logical,
        project=context.project,
        subscription=subscription.name,
        role="roles/pubsub.subscriber",
        member=identity.principal,
        opts=context.options(),
    )
    path = Output.concat("projects/", context.project, "/subscriptions/", subscription.name)
    variables = {"GOOGLE_CLOUD_PROJECT": context.project}
    return Hold(path, budget.name, identity, [granted, identity], variables)
