"""Observability on Google Cloud: permissions of service accounts of the cluster, and an alert policy of Cloud
Monitoring."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import monitoring, organizations, projects, secretmanager
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform.observability.args import CHART, ObservabilitySettings
from aiplatform.observability.cloud import SecretReader, Storage
from aiplatform.observability.storage_args import Alarm
from aiplatform.observability.values.setup import NAMESPACE

READER: Final = "secret-reader"
"""The service account as which External Secrets reads credentials."""
_ACCESSOR: Final = "roles/secretmanager.secretAccessor"
_WRITER: Final = "roles/monitoring.metricWriter"

_Context = Context[ObservabilitySettings]


def store(context: _Context) -> Storage:
    """Allow Prometheus to write metrics of the project."""
    storage = context.settings.long_term_storage
    if storage is None:
        return Storage()
    project = context.settings.cluster.project or ""
    apis = list(enable_apis(context.parent, context.name, project, ["monitoring"]).values())
    writes = projects.IAMMember(
        f"{context.name}-prometheus-writes",
        project=project,
        role=_WRITER,
        member=_member(context, f"{CHART}-prometheus", apis),
        opts=context.options(*apis),
    )
    return Storage(needed=[writes, *_leases(context)])


def _leases(context: _Context) -> list[pulumi.Resource]:
    """Allow the replicas of Prometheus to agree on the one that writes."""
    if context.settings.prometheus.replicas == 1:
        return []
    name = "prometheus-export"
    role = rbac.Role(
        f"{context.name}-prometheus-leases",
        metadata=meta.ObjectMetaArgs(name=name, namespace=NAMESPACE),
        rules=[
            rbac.PolicyRuleArgs(api_groups=["coordination.k8s.io"], resources=["leases"], verbs=["create"]),
            rbac.PolicyRuleArgs(
                api_groups=["coordination.k8s.io"],
                resources=["leases"],
                resource_names=[name],
                verbs=["get", "update"],
            ),
        ],
        opts=context.options(),
    )
    binding = rbac.RoleBinding(
        f"{context.name}-prometheus-leases",
        metadata=meta.ObjectMetaArgs(name=name, namespace=NAMESPACE),
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=name),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=f"{CHART}-prometheus", namespace=NAMESPACE)],
        opts=context.options(role),
    )
    return [role, binding]


def _member(context: _Context, service_account: str, apis: Sequence[pulumi.Resource]) -> Output[str]:
    """Return the principal of a service account of the namespace ("Authenticate to Google Cloud APIs from GKE
    workloads")."""
    project = context.settings.cluster.project or ""
    options = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=list(apis))
    number = organizations.get_project_output(project_id=project, opts=options).number
    return Output.all(number, context.settings.cluster.workload_pool).apply(
        lambda known: (
            f"principal://iam.googleapis.com/projects/{known[0]}/locations/global/workloadIdentityPools/"
            f"{known[1]}/subject/ns/{NAMESPACE}/sa/{service_account}"
        )
    )


def create_alarm(context: _Context, alarm: Alarm, _storage: Storage, options: ResourceOptions) -> None:
    """Create the alert policy on the absence of the series that Prometheus scrapes of itself."""
    settings = context.settings
    query = Output.from_input(settings.cluster.name).apply(
        lambda name: f'absent(up{{cluster="{name}",job="{CHART}-prometheus"}})'
    )
    monitoring.AlertPolicy(
        f"{context.name}-metrics-missing",
        project=settings.cluster.project,
        display_name=f"{settings.prefix}: no metrics of the cluster arrive",
        combiner="OR",
        conditions=[
            monitoring.AlertPolicyConditionArgs(
                display_name="Prometheus, or all of the cluster, has stopped",
                condition_prometheus_query_language=(
                    monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
                        query=query,
                        duration=f"{alarm.minutes * 60}s",
                        evaluation_interval="60s",
                        # The metric exists only once Prometheus has written it.
                        disable_metric_validation=True,
                    )
                ),
            )
        ],
        notification_channels=list(alarm.notify),
        severity="CRITICAL",
        opts=ResourceOptions.merge(options, context.options()),
    )


def secret_reader(context: _Context) -> SecretReader:
    """Create the service account as which External Secrets reads the credentials, and no other secret."""
    settings = context.settings
    project = settings.cluster.project or ""
    apis = list(enable_apis(context.parent, f"{context.name}-secrets", project, ["secretmanager"]).values())
    account = core.ServiceAccount(
        f"{context.name}-secret-reader",
        metadata=meta.ObjectMetaArgs(name=READER, namespace=NAMESPACE),
        # External Secrets requests tokens of it; no Pod runs with it.
        automount_service_account_token=False,
        opts=context.options(),
    )
    member = _member(context, READER, apis)
    grants = [
        secretmanager.SecretIamMember(
            f"{context.name}-secret-{identifier}",
            project=project,
            secret_id=identifier,
            role=_ACCESSOR,
            member=member,
            opts=context.options(*apis),
        )
        for identifier in sorted({secret_id(secret) for secret in settings.secrets.values()})
    ]
    provider = {
        "gcpsm": {
            "projectID": project,
            "auth": {"workloadIdentity": {"serviceAccountRef": {"name": READER}}},
        }
    }
    return SecretReader(provider, [account, *grants])


def secret_id(secret: str) -> str:
    """Return the id of a secret, which is stated as an id or as `projects/PROJECT/secrets/ID`."""
    return secret.rpartition("/")[2]
