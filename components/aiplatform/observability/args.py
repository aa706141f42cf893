"""Arguments of observability."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import Problem, between, distinct, got, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.charts import problems as chart_problems
from aiplatform.addons.charts import rule as source_of_charts
from aiplatform.naming import (
    CLOUDWATCH_ALARM,
    IAM_ROLE,
    IAM_ROLE_PREFIX,
    PhysicalName,
    aws_tags,
    dns_label,
    prefix_for,
)
from aiplatform.observability.cloud_support import SUPPORT
from aiplatform.observability.collectors import NAMES as COLLECTORS
from aiplatform.observability.inputs import AlarmArgs as AlarmArgs
from aiplatform.observability.inputs import AlertmanagerArgs as AlertmanagerArgs
from aiplatform.observability.inputs import CustomRuleArgs as CustomRuleArgs
from aiplatform.observability.inputs import EmailArgs as EmailArgs
from aiplatform.observability.inputs import GrafanaArgs as GrafanaArgs
from aiplatform.observability.inputs import LogsArgs as LogsArgs
from aiplatform.observability.inputs import LongTermStorageArgs as LongTermStorageArgs
from aiplatform.observability.inputs import MuteIntervalArgs as MuteIntervalArgs
from aiplatform.observability.inputs import NotificationsArgs as NotificationsArgs
from aiplatform.observability.inputs import ObservabilityArgs as ObservabilityArgs
from aiplatform.observability.inputs import ObservedTeamArgs as ObservedTeamArgs
from aiplatform.observability.inputs import OidcArgs as OidcArgs
from aiplatform.observability.inputs import OpenCostArgs as OpenCostArgs
from aiplatform.observability.inputs import PagerDutyArgs as PagerDutyArgs
from aiplatform.observability.inputs import PrometheusArgs as PrometheusArgs
from aiplatform.observability.inputs import ReceiverArgs as ReceiverArgs
from aiplatform.observability.inputs import RouteArgs as RouteArgs
from aiplatform.observability.inputs import SlackArgs as SlackArgs
from aiplatform.observability.inputs import SloArgs as SloArgs
from aiplatform.observability.inputs import TracesArgs as TracesArgs
from aiplatform.observability.inputs import WebhookArgs as WebhookArgs
from aiplatform.observability.logs.args import Logs
from aiplatform.observability.notifications import SECRET, Notifications, owner_problems
from aiplatform.observability.opencost_args import OpenCost
from aiplatform.observability.rule_args import CustomRule, Slo
from aiplatform.observability.rules import problems as rule_problems
from aiplatform.observability.settings import RUNBOOKS, Pool, Settings, Team
from aiplatform.observability.storage_args import TARGET, LongTermStorage
from aiplatform.observability.traces.args import Traces
from aiplatform.queues.pools import GpuPoolReference, NodePoolReference

CHART: Final = "kube-prometheus-stack"
"""The add-on that the component installs, and the first part of its objects' names."""
DEFINITIONS: Final = "prometheus-operator-crds"
"""The add-on with the kinds of the Prometheus operator."""
SECRETS: Final = "external-secrets"
CERTIFICATES: Final = "cert-manager"
RETENTION_DAYS: Final = 15
"""How long Prometheus keeps metrics where nothing needs older ones."""
GPU_METRICS: Final = "dcgm-exporter"
OPENCOST: Final = "opencost"
"""The add-on that exports what nodes cost."""
GOOGLE_PROMETHEUS: Final = "prometheus-google"
"""Google Cloud: the image of Prometheus that writes to the long-term storage."""

PROMETHEUS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-prometheus")
GRAFANA_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-grafana")
SECRETS_ROLE: Final = PhysicalName(IAM_ROLE, "{prefix}-secrets-_observability")
"""AWS: External Secrets may assume roles with this beginning (`addons.permissions.SECRET_READERS`), and a
team's is named after the team, which has no underscore in its name."""
ALARM: Final = PhysicalName(CLOUDWATCH_ALARM, "{prefix}-metrics-missing")
_URL: Final = matches(r"https://[^\s/]+(/\S*)?", "an address with https")
_NAME: Final = matches(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "the name of a Secret")


@dataclass(frozen=True)
class Prometheus:
    """Prometheus in the cluster, which evaluates the rules."""

    replicas: Annotated[int, between(1, 2, "replicas")] = 1
    """Replicas, each of which scrapes everything. With 2 alerts survive the loss of a node. Default 1."""
    retention_days: Annotated[int, between(1, 90, "days")] | None = None
    """Days that metrics are kept on the volume, 1 to 90; less where the volume is full before. At least the
    longest window of an objective: rules of error budgets read the volume only, also with long-term storage.
    Default 15, or as long as the longest window."""
    storage_gib: Annotated[int, between(10, 2000, "GiB")] = 50
    """The volume of each replica, GiB, 10 to 2000. A volume can grow, and never shrink. Default 50."""
    memory_gib: Annotated[float, between(0.5, 64, "GiB")] = 4
    """Memory of each replica, GiB: about 4 KiB for each active series. With long-term storage on Google Cloud
    it may use twice as much. Default 4."""
    cpu: Annotated[float, between(0.1, 16, "CPUs")] = 0.5
    """CPUs that each replica requests; it may use more. Default 0.5."""
    scrape_interval_seconds: Annotated[int, between(15, 120, "seconds")] = 30
    """Seconds between two samples of a series, 15 to 120. Default 30."""


@dataclass(frozen=True)
class Alertmanager:
    """Alertmanager in the cluster, which sends notifications."""

    replicas: Annotated[int, between(1, 3, "replicas")] = 1
    """Replicas, of which one sends each notification. Default 1."""


@dataclass(frozen=True)
class Oidc:
    """Signing in to Grafana by an identity provider that exists (OpenID Connect)."""

    root_url: Annotated[str, _URL]
    """The address by which browsers reach Grafana, such as that of an Ingress or gateway."""
    client_id: Annotated[str, length(1, 256, "characters")]
    """The client's id."""
    secret: Annotated[str, SECRET]
    """The secret whose text is the client's secret."""
    auth_url: Annotated[str, _URL]
    """The authorization endpoint."""
    token_url: Annotated[str, _URL]
    """The token endpoint."""
    api_url: Annotated[str, _URL]
    """The endpoint with claims of the user."""
    role_expression: Annotated[str, length(1, 1024, "characters")] = "'Viewer'"
    """The user's role, as a JMESPath expression over the claims: `contains(groups[*], 'ml-platform') &&
    'Admin' || 'Viewer'`. Default: everyone is a viewer."""


@dataclass(frozen=True)
class Grafana:
    """Grafana in the cluster. It has no address outside of it: `kubectl port-forward`, or an Ingress or
    gateway of yours."""

    admin_secret: Annotated[str, _NAME] | None = None
    """A Secret of the namespace `monitoring` that exists, with the keys `admin-user` and `admin-password`.
    Default: External Secrets creates one with a random password."""
    oidc: Oidc | None = None
    """Signing in by an identity provider. Default: none; only the administrator signs in."""


@dataclass(frozen=True)
class ObservedTeam:
    """What the dashboard of a team shows."""

    namespace: Annotated[str, dns_label]
    """Its namespace."""
    queue: Annotated[str, dns_label] | None = None
    """Its ClusterQueue. Default: none; the dashboard has no panels of a queue."""


@dataclass(frozen=True)
class ObservabilitySettings(CloudNeutral):
    """Metrics, alerts and dashboards of a cluster: the Prometheus operator, Prometheus, Alertmanager,
    Grafana, exporters of nodes and of Kubernetes' objects, the platform's rules and dashboards, and on
    request a copy of metrics in the cloud's service. The add-ons cert-manager and external-secrets must
    be installed (component Addons)."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(PROMETHEUS_ROLE, GRAFANA_ROLE, SECRETS_ROLE, ALARM, *COLLECTORS)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    addons: dict[str, str]
    """The add-ons of the cluster, which are monitored: `Addons.outputs["versions"]`."""
    secrets_role_arn: Input[str] | None = None
    """AWS, and required there for credentials: `Addons.outputs["secrets_role_arn"]`, the role of External
    Secrets."""
    node_pools: list[NodePoolReference] = field(default_factory=list[NodePoolReference])
    """Pools of CPU nodes: `NodePool.outputs`. Default: none."""
    gpu_pools: list[GpuPoolReference] = field(default_factory=list[GpuPoolReference])
    """Pools of nodes with accelerators: `GpuPool.outputs`. Default: none."""
    cluster_queues: Annotated[list[str], distinct] = field(default_factory=list[str])
    """The names of the ClusterQueues: `Queues.outputs["cluster_queues"]`. Default: none."""
    cluster_autoscaler: bool = False
    """AWS: whether the cluster has the component ClusterAutoscaler, which is monitored then. Default
    false."""
    model_registry: Annotated[str, dns_label] | None = None
    """The namespace of a model registry with `metrics`, which is monitored then. Default: none."""
    feature_store: Annotated[str, dns_label] | None = None
    """The namespace of a feature store with `server.metrics`, which is monitored then. Default: none."""
    teams: Annotated[Mapping[str, ObservedTeam], length(0, 100, "teams")] = field(
        default_factory=dict[str, ObservedTeam]
    )
    """Team -> its namespace and queue: each team has a dashboard. Default: none."""
    client_namespaces: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Namespaces whose Pods query Prometheus, such as that of cost control. Default: none."""
    prometheus: Prometheus = field(default_factory=Prometheus)
    """Prometheus."""
    alertmanager: Alertmanager = field(default_factory=Alertmanager)
    """Alertmanager."""
    grafana: Grafana = field(default_factory=Grafana)
    """Grafana."""
    long_term_storage: LongTermStorage | None = None
    """A copy of the metrics in the cloud's service. Default: none."""
    notifications: Notifications = field(default_factory=Notifications)
    """Where alerts are sent."""
    logs: Logs | None = None
    """The collection of logs of containers. Default: none."""
    traces: Traces | None = None
    """The collection of traces. Default: none."""
    opencost: OpenCost | None = None
    """What nodes, Pods, teams, trainings and services cost, by list prices. Default: none."""
    slos: Annotated[list[Slo], length(0, 100, "objectives")] = field(default_factory=list[Slo])
    """Service level objectives. Default: none."""
    rules: Annotated[list[CustomRule], length(0, 200, "rules")] = field(default_factory=list[CustomRule])
    """Alerts in addition to the platform's. Default: none."""
    runbooks: Annotated[str, _URL] = RUNBOOKS
    """The address of the folder with the runbooks, to which notifications link: that of your copy of the
    repository."""
    retain_data: bool = False
    """Whether logs and their key stay in the cloud when the component is destroyed. Default false."""
    charts: Annotated[str, source_of_charts] = UPSTREAM
    """Where charts come from, as in `Addons`. Default `upstream`."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images, as in `Addons`. Default: no mirror."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of every resource on AWS, in addition to the provider's default tags."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def installed(self) -> list[Addon]:
        """What the component installs from the catalog, in this order."""
        costs = (OPENCOST,) if self.opencost is not None else ()
        return [catalog()[name] for name in (DEFINITIONS, CHART, *costs)]

    @property
    def secrets(self) -> Mapping[str, str]:
        """File -> the secret of the cloud with its text, of receivers and of Grafana."""
        oidc = {"grafana-oidc": self.grafana.oidc.secret} if self.grafana.oidc is not None else {}
        return {**self.notifications.secrets, **oidc}

    @property
    def retention_days(self) -> int:
        """The days that Prometheus keeps metrics."""
        stated = self.prometheus.retention_days
        if stated is not None:
            return stated
        return max((RETENTION_DAYS, *(slo.window_days for slo in self.slos)))

    @property
    def plain(self) -> Settings:
        """What rules and dashboards depend on."""
        name = self.cluster.name
        pools = [
            Pool(
                pool.name,
                pool.resource or None,
                pool.resources_per_node,
                tuple(taint.key for taint in pool.taints),
            )
            for pool in [*self.node_pools, *self.gpu_pools]
        ]
        return Settings(
            cloud=self.cloud,
            cluster=name if isinstance(name, str) else self.prefix,
            addons=frozenset(self.addons),
            pools=tuple(pools),
            cluster_queues=tuple(self.cluster_queues),
            teams=tuple(Team(name, team.namespace, team.queue) for name, team in self.teams.items()),
            slos=tuple(self.slos),
            custom_rules=tuple(self.rules),
            runbooks=self.runbooks.rstrip("/"),
            gpu_metrics=GPU_METRICS in self.addons,
            long_term_storage=self.long_term_storage is not None,
            logs=self.logs is not None,
            traces=self.traces is not None,
            model_registry=self.model_registry is not None,
            feature_store=self.feature_store is not None,
            opencost=self.opencost is not None,
            spot_ratio=self.opencost.spot_ratio if self.opencost is not None else 1,
        )

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        for name in (CERTIFICATES, SECRETS):
            if name not in self.addons:
                yield Problem(
                    "addons", f"without {name}, which it needs; expected the add-on {name} to be installed"
                )
        if self.cloud == "aws" and self.secrets and self.secrets_role_arn is None:
            yield Problem(
                "secrets_role_arn", "missing; expected the role of External Secrets, which reads credentials"
            )
        if self.cloud == "gcp" and self.cluster.workload_pool is None:
            yield Problem(
                "cluster.workload_pool", "missing; expected the cluster's workload_pool as in Cluster.outputs"
            )
        if self.logs is not None:
            yield from self.logs.problems(self.cloud, self.cluster.region, "logs")
        if self.traces is not None:
            yield from self.traces.problems("traces")
        if self.long_term_storage is not None:
            for index, target in enumerate(self.long_term_storage.alarm.notify):
                path = f"long_term_storage.alarm.notify[{index}]"
                yield from obeys(path, target, TARGET[self.cloud])
        owners = sorted({slo.owner for slo in self.slos})
        yield from (_below("notifications", entry) for entry in owner_problems(self.notifications, owners))
        if self.cloud == "gcp":
            yield from self._google_secrets()
        yield from rule_problems(self.plain)
        for index, slo in enumerate(self.slos):
            if slo.window_days > self.retention_days:
                yield Problem(
                    f"slos[{index}].window_days",
                    f"got {slo.window_days}, and Prometheus keeps metrics for {self.retention_days} days, "
                    "from which the error budget is computed; expected at most prometheus.retention_days",
                )
        yield from chart_problems(self.installed, self.charts, "charts")

    def _google_secrets(self) -> Iterator[Problem]:
        project = self.cluster.project
        expected = f"projects/{project}/secrets/"
        for name, secret in self.secrets.items():
            if "/" in secret and not secret.startswith(expected):
                yield Problem(
                    "grafana.oidc.secret" if name == "grafana-oidc" else "notifications.receivers",
                    f"{got(secret)}; expected the id of a secret in Secret Manager of the cluster's project, "
                    f"or {expected}ID",
                )


def _below(key: str, problem: Problem) -> Problem:
    return Problem(f"{key}.{problem.path}", problem.reason)
