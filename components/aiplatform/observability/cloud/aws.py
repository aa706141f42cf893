"""Observability on AWS: a workspace of Amazon Managed Service for Prometheus, IAM roles by Pod Identity, and
a CloudWatch alarm."""

from collections.abc import Sequence
from typing import Final

from pulumi import Input, Output, ResourceOptions
from pulumi_aws import amp, cloudwatch, eks

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.pod_identity import pod_identity
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.aws.roles import service_role
from aiplatform._shared.aws.secret_stores import READ, trust_controller
from aiplatform._shared.context import Context
from aiplatform.naming import PhysicalName
from aiplatform.observability.args import (
    ALARM,
    CHART,
    GRAFANA_ROLE,
    PROMETHEUS_ROLE,
    SECRETS_ROLE,
    ObservabilitySettings,
)
from aiplatform.observability.cloud import SecretReader, Storage
from aiplatform.observability.storage_args import Alarm, LongTermStorage
from aiplatform.observability.values.setup import NAMESPACE

_WRITE: Final = ("aps:RemoteWrite",)
_QUERY: Final = ("aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics")
_PERIOD_MINUTES: Final = 5

_Context = Context[ObservabilitySettings]


def store(context: _Context) -> Storage:
    """Create the workspace, unless one is stated, and the roles of Prometheus and Grafana for it."""
    storage = context.settings.long_term_storage
    if storage is None:
        return Storage()
    account = account_of(context.parent)
    identifier = _workspace(context, storage)
    arn = Output.from_input(identifier).apply(lambda known: account.arn("aps", f"workspace/{known}"))
    identities = {"prometheus": _identity(context, "prometheus", PROMETHEUS_ROLE, _WRITE, arn)}
    if storage.data_source:
        identities["grafana"] = _identity(context, "grafana", GRAFANA_ROLE, _QUERY, arn)
    url = Output.from_input(identifier).apply(
        lambda known: f"https://aps-workspaces.{account.region}.{account.dns_suffix}/workspaces/{known}/"
    )
    return Storage(
        identifier,
        url,
        list(identities.values()),
        {part: association.association_id for part, association in identities.items()},
    )


def _workspace(context: _Context, storage: LongTermStorage) -> Input[str]:
    if storage.workspace_id is not None:
        return storage.workspace_id
    workspace = amp.Workspace(
        f"{context.name}-workspace",
        alias=f"{context.settings.prefix}-metrics",
        kms_key_arn=storage.kms_key_arn,
        tags=context.settings.tags,
        opts=context.options(),
    )
    if storage.retention_days is not None:
        amp.WorkspaceConfiguration(
            f"{context.name}-workspace-configuration",
            workspace_id=workspace.id,
            retention_period_in_days=storage.retention_days,
            opts=context.options(),
        )
    return workspace.id


def _identity(
    context: _Context,
    part: str,
    name: PhysicalName,
    actions: Sequence[str],
    workspace: Output[str],
) -> eks.PodIdentityAssociation:
    """Create the role of a part of the chart, by Pod Identity, with some actions on the workspace."""
    logical = f"{context.name}-{part}"
    return pod_identity(
        context,
        logical,
        namespace=NAMESPACE,
        service_account=f"{CHART}-{part}",
        policy=workspace.apply(lambda arn: document(allow(actions, arn))),
        name_prefix=name.of(context.settings.prefix),
        description=f"{part.capitalize()}: metrics of this cluster",
        former_policy_name=f"{logical}-role",
    ).association


def create_alarm(context: _Context, alarm: Alarm, storage: Storage, options: ResourceOptions) -> None:
    """Create the alarm on the workspace's rate of ingestion, of which CloudWatch has no data at all while
    nothing is written ("Use CloudWatch metrics to monitor Amazon Managed Service for Prometheus
    resources")."""
    assert storage.workspace_id is not None, "called only with a workspace"  # noqa: S101
    cloudwatch.MetricAlarm(
        f"{context.name}-metrics-missing",
        name=ALARM.of(context.settings.prefix),
        alarm_description="No metrics of the cluster arrive: Prometheus, or all of the cluster, has stopped.",
        namespace="AWS/Usage",
        metric_name="ResourceCount",
        dimensions={
            "Type": "Resource",
            "Service": "Prometheus",
            "Resource": "IngestionRate",
            "ResourceId": storage.workspace_id,
            "Class": "None",
        },
        statistic="Maximum",
        period=_PERIOD_MINUTES * 60,
        evaluation_periods=-(-alarm.minutes // _PERIOD_MINUTES),
        comparison_operator="LessThanOrEqualToThreshold",
        threshold=0,
        treat_missing_data="breaching",
        alarm_actions=list(alarm.notify),
        ok_actions=list(alarm.notify),
        tags=context.settings.tags,
        opts=ResourceOptions.merge(options, context.options()),
    )


def secret_reader(context: _Context) -> SecretReader:
    """Create the role by which External Secrets reads the credentials, and no other secret."""
    account, settings = account_of(context.parent), context.settings
    keys = settings.notifications.secret_keys
    role = service_role(
        f"{context.name}-secrets",
        parent=context.parent,
        # Not generated: External Secrets may assume roles with this beginning.
        role_name=SECRETS_ROLE.of(settings.prefix),
        description="External Secrets: credentials of receivers of alerts",
        trust=Output.from_input(settings.secrets_role_arn).apply(
            lambda arn: trust_controller(str(arn), NAMESPACE)
        ),
        statements=_statements(account, sorted(set(settings.secrets.values())), keys),
        policy_name="secrets",
        tags=settings.tags,
        opts=ResourceOptions(delete_before_replace=True),
    )
    provider = {
        "aws": {
            "service": "SecretsManager",
            "region": account.region,
            "role": role.arn,
            "sessionTagsPolicy": "Simple",
        }
    }
    return SecretReader(provider, role.policies)


def _statements(account: Account, secrets: Sequence[str], keys: Sequence[str]) -> list[Statement]:
    # A secret's arn is its name and six characters.
    arns = [
        secret if secret.startswith("arn:") else account.arn("secretsmanager", f"secret:{secret}-??????")
        for secret in secrets
    ]
    statements = [allow(READ, arns, sid="Secrets")]
    if keys:
        through = {"kms:ViaService": f"secretsmanager.{account.region}.{account.dns_suffix}"}
        statements.append(allow(["kms:Decrypt"], list(keys), {"StringEquals": through}, sid="Keys"))
    return statements
