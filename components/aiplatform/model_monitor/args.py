"""Arguments of model monitoring."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, got, length, matches, obeys
from aiplatform._shared.bucket_names import bucket_problems
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.cron import cron
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.secret_names import KMS_KEY, key_problems
from aiplatform.model_monitor.cloud_support import SUPPORT
from aiplatform.model_monitor.columns import MonitoredColumnArgs as MonitoredColumnArgs
from aiplatform.model_monitor.columns import MonitorThresholdsArgs as MonitorThresholdsArgs
from aiplatform.model_monitor.inputs import ModelMonitorArgs as ModelMonitorArgs
from aiplatform.model_monitor.inputs import ModelMonitorTeamArgs as ModelMonitorTeamArgs
from aiplatform.model_monitor.inputs import PushgatewayReferenceArgs as PushgatewayReferenceArgs
from aiplatform.model_monitor.monitors import ModelMonitorLabelsArgs as ModelMonitorLabelsArgs
from aiplatform.model_monitor.monitors import MonitoredModel
from aiplatform.model_monitor.monitors import MonitoredModelArgs as MonitoredModelArgs
from aiplatform.model_monitor.schedules import longest_gap_hours
from aiplatform.naming import (
    GOOGLE_BUCKET,
    KMS_ALIAS,
    S3_BUCKET,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)

PUSHGATEWAY: Final = "prometheus-pushgateway"
"""The add-on that Jobs send numbers to."""
LOGS: Final = "logs"
"""The folder of the bucket with requests, with a folder for each namespace."""
REPORTS: Final = "reports"
"""The folder of the bucket with reports, with a folder for each team."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-model-monitor")
_IMAGE: Final = matches(r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?@sha256:[0-9a-f]{64}", "an image with a digest")
_PREFIX: Final[Mapping[Cloud, Rule]] = {
    "aws": prefix_for(KEY_ALIAS, PhysicalName(S3_BUCKET, "{prefix}-model-monitor-logs-111122223333")),
    "gcp": prefix_for(
        PhysicalName(GOOGLE_BUCKET, "{prefix}-model-monitor-logs-acme-dev-1234567890123456789012")
    ),
}
_QUEUE: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(r"https://sqs\.[a-z0-9.-]+/\d{12}/[\w-]+", "the URL of a queue of SQS"),
    "gcp": matches(r"projects/[^/\s]+/topics/[^/\s]+", "a topic, projects/PROJECT/topics/TOPIC"),
}
_DAYS: Final = between(1, 3650, "days")
_URL: Final = matches(r"http://[a-z0-9.-]+:\d{1,5}", "an address in the cluster, http://HOST:PORT")
MODEL_LENGTH: Final = 22
"""Its name is in those of CronJobs, of their Jobs and Pods."""
_MODEL: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def _models(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if len(name) > MODEL_LENGTH or not _MODEL.fullmatch(name)]
    if wrong:
        return (
            f"with {', '.join(map(repr, wrong))}; expected names of lower-case letters, digits and hyphens, "
            f"a letter first, of at most {MODEL_LENGTH} characters"
        )
    return None


@dataclass(frozen=True)
class PushgatewayReference:
    """A Pushgateway in the cluster, that of the add-on `prometheus-pushgateway` or another one."""

    url: Annotated[str, _URL] = "http://prometheus-pushgateway.pushgateway.svc:9091"
    """Its address. Default: that of the add-on."""
    namespace: Annotated[str, dns_label] | None = None
    """Its namespace, in which a network policy then allows connections of monitors: `pushgateway` of the
    add-on, which denies others. Default: none; something else allows them."""

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.url.rpartition(":")[2])


@dataclass(frozen=True)
class ModelMonitorTeam:
    """A team whose models are monitored."""

    namespace: Annotated[str, dns_label]
    """Its namespace: `Teams.outputs`."""
    identity: WorkloadIdentityReference
    """The cloud identity of its Pods: `WorkloadIdentity.outputs`. It reads and writes the tables by grants of
    the lakehouse."""
    monitors: Annotated[Mapping[str, MonitoredModel], length(1, 50, "monitors"), _models]
    """Name of a model -> its monitor. The model is `TEAM.MODEL` in the model registry."""
    queue: Input[str] | None = None
    """Where messages that start trainings are sent to: `ContinuousTraining.outputs["queues"]`, the URL of a
    queue of SQS or `projects/.../topics/...`. Required by monitors with `retrain`. Default: none."""
    queue_key: Input[str] | None = None
    """AWS: the arn of the key of the queue, where the identity may not use it already, as it may that of
    ContinuousTraining. Default: none."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Further labels of its Jobs and their Pods, such as those that the guardrails require. Default: none."""


@dataclass(frozen=True)
class ModelMonitorSettings(KeyGrants, CloudNeutral):
    """Model monitoring: a bucket of requests and reports, and for each monitored model of a team the
    CronJobs that compact requests into a table, and compare a window of them with the training data."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    teams: Annotated[Mapping[str, ModelMonitorTeam], length(1, 50, "teams")]
    """Name of a team -> its monitors."""
    image: Annotated[str, _IMAGE]
    """The image of the Jobs, built from `containers/model_monitor`, with a digest."""
    profile: Literal["dev", "staging", "prod"] = "prod"
    """`prod`: a cool-down of 0 hours is refused. Default `prod`."""
    bucket: Input[str] | None = None
    """A bucket that exists, with `kms_key` on AWS; its lifecycle is not changed. Default: one that is
    created."""
    kms_key: Input[str] | None = None
    """The key that encrypts the bucket: AWS: its arn; Google Cloud: `projects/.../cryptoKeys/...`, in the
    cluster's region. Default: a key that is created."""
    pushgateway: PushgatewayReference | None = None
    """Where Jobs send numbers to, for Prometheus. Default: nowhere, and no alert of drift fires."""
    compact_schedule: Annotated[str, cron] = "*/15 * * * *"
    """When requests are compacted into the table, in cron's format, UTC. Default every 15 minutes."""
    cpu: Annotated[str, matches(r"[1-9]\d*m?", "an amount of CPU such as 250m")] = "250m"
    """CPU that a Job requests. Default `250m`."""
    memory: Annotated[str, matches(r"[1-9]\d*(Mi|Gi)", "an amount of memory such as 1Gi")] = "1Gi"
    """Memory of a Job, request and limit: what `sample_rows` of all columns need. Default `1Gi`."""
    deadline_minutes: Annotated[int, between(5, 1440, "minutes")] = 60
    """Minutes after which a Job is ended, 5 to 1440. Default 60."""
    log_days: Annotated[int, _DAYS] = 14
    """Days until requests that were not compacted are deleted, 1 to 3650: a Job deletes those that it has
    written to the table. Default 14."""
    report_days: Annotated[int, _DAYS] = 365
    """Days until reports are deleted, 1 to 3650. Default 365."""
    access_log_days: Annotated[int, _DAYS] = 90
    """How long access logs of the bucket are retained, in days: 1 to 3650. Default 90."""
    access_log_bucket: Input[str] | None = None
    """A bucket that exists, of the same region, for access logs; its retention is not changed. AWS: of the
    same account, encrypted by S3's managed keys, with a policy that lets `logging.s3.amazonaws.com` write.
    Google Cloud: `cloud-storage-analytics@google.com` has roles/storage.objectCreator on it. Default: one
    that is created."""
    protect: bool = False
    """Whether Pulumi refuses to delete bucket and key. Default false."""
    retain_data: bool = False
    """Whether bucket and key stay in the cloud when the component is destroyed. Default false."""
    force_destroy: bool = False
    """Whether the buckets are emptied when they are destroyed. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource in the cloud, in addition to those of the provider; labels on Google Cloud."""

    @property
    def mebibytes(self) -> int:
        """The memory of a Job, in MiB."""
        return int(self.memory[:-2]) * (1024 if self.memory.endswith("Gi") else 1)

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from bucket_problems("access_log_bucket", self.access_log_bucket, self.cloud)
        if self.access_log_bucket is not None and self.bucket is not None:
            yield Problem(
                "access_log_bucket",
                "got one, and bucket names one that exists, whose logging stays; expected one",
            )
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key if self.bucket is None else None)
        if self.kms_key is None and self.bucket is not None and self.cloud == "aws":
            yield Problem("kms_key", "missing; expected the arn of the key of the bucket")
        for other in ("protect", "retain_data"):
            if self.force_destroy and getattr(self, other):
                yield Problem("force_destroy", f"got true together with {other}; expected one of the two")
        for name, team in self.teams.items():
            yield from self._team(f"teams.{name}", team)

    def _team(self, path: str, team: ModelMonitorTeam) -> Iterator[Problem]:
        identity = team.identity
        if identity.service_account is None:
            yield Problem(
                f"{path}.identity.service_account",
                "missing; expected that of the Jobs as in WorkloadIdentity.outputs",
            )
        if self.cloud == "aws" and identity.role_name is None:
            yield Problem(
                f"{path}.identity.role_name",
                "missing, and the role gets permissions on the bucket; expected it as in "
                "WorkloadIdentity.outputs",
            )
        if team.queue is not None:
            yield from obeys(f"{path}.queue", team.queue, _QUEUE[self.cloud])
        if team.queue_key is not None:
            yield from obeys(f"{path}.queue_key", team.queue_key, KMS_KEY)
        compacted = longest_gap_hours(self.compact_schedule) * 60
        for model, monitor in team.monitors.items():
            where = f"{path}.monitors.{model}"
            most = monitor.most_rows(self.mebibytes)
            if monitor.sample_rows > most:
                yield Problem(
                    f"{where}.sample_rows",
                    f"{got(monitor.sample_rows)} of {monitor.compared} columns, which do not fit memory, "
                    f"{self.memory}; expected at most {most}, or more memory",
                )
            # With fewer than `join_minutes` the monitor is refused by itself.
            if monitor.join_minutes <= monitor.delay_minutes < monitor.join_minutes + compacted:
                yield Problem(
                    f"{where}.delay_minutes",
                    f"{got(monitor.delay_minutes)}: requests wait {monitor.join_minutes} minutes for their "
                    f"answers, and up to {compacted:g} minutes for compact_schedule, "
                    f"{self.compact_schedule!r}: the last ones of a window would never be compared; expected "
                    f"at least {monitor.join_minutes + compacted:g}",
                )
            if monitor.retrains and team.queue is None:
                yield Problem(
                    f"{where}.retrain",
                    "got true, and the team has no queue to send a message to; expected false, or `queue`",
                )
            if self.profile == "prod" and monitor.retrains and monitor.cooldown_hours < 1:
                yield Problem(
                    f"{where}.cooldown_hours",
                    f"{got(monitor.cooldown_hours)}, and in prod drift would retrain again and again; "
                    "expected at least 1",
                )
