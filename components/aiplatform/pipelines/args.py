"""Arguments of pipelines."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal
from zoneinfo import available_timezones

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import (
    Problem,
    Rule,
    between,
    distinct,
    got,
    is_unknown,
    length,
    matches,
    nearest,
    obeys,
)
from aiplatform._shared.bucket_names import bucket_problems
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.cron import cron
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import ROLE
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.secret_names import key_problems
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.charts import problems as chart_problems
from aiplatform.addons.charts import rule as source_of_charts
from aiplatform.naming import (
    GOOGLE_BUCKET,
    KMS_ALIAS,
    S3_BUCKET,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)
from aiplatform.pipelines.cloud_support import SUPPORT
from aiplatform.pipelines.inputs import PipelinesArgs as PipelinesArgs
from aiplatform.pipelines.inputs import PipelineScheduleArgs as PipelineScheduleArgs
from aiplatform.pipelines.inputs import PipelineTeamArgs as PipelineTeamArgs

ARGO: Final = "argo-workflows"
"""The add-on with the controller of workflows."""
JOBS: Final = "pipeline-jobs"
"""The service account of steps that create TrainJobs. It has no identity in the cloud."""
STEPS: Final = "pipeline-steps"
"""The Role of the team's service account, by which its steps report their results."""
SUBMITTERS: Final = "pipeline-submitters"
"""The Role of principals that run the team's templates."""
REPOSITORIES: Final = "artifact-repositories"
"""The ConfigMap in which Argo Workflows looks for the artifact repository of a namespace."""
REPOSITORY: Final = "platform"
"""The artifact repository of each team."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-pipelines")

_PREFIX: Final[Mapping[Cloud, Rule]] = {
    "aws": prefix_for(KEY_ALIAS, PhysicalName(S3_BUCKET, "{prefix}-pipelines-logs-111122223333")),
    "gcp": prefix_for(PhysicalName(GOOGLE_BUCKET, "{prefix}-pipelines-logs-acme-dev-1234567890123456789012")),
}
_SUBMITTER: Final[Mapping[Cloud, Rule]] = {
    "aws": ROLE,
    "gcp": matches(
        r"(group|serviceAccount):[^\s@:*]+@[^\s@:*]+\.[^\s@:*]+",
        "a Google group or service account, serviceAccount:ci@acme-dev.iam.gserviceaccount.com",
    ),
}
_DAYS: Final = between(1, 3650, "days")
_SCHEDULE: Final = r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?"
"""Argo adds a number to the name of a schedule: that of a workflow is a label."""


def time_zone(value: Any) -> str | None:
    """A rule: a time zone of the database of IANA."""
    if value in available_timezones():
        return None
    known = sorted(available_timezones())
    return f"expected a time zone of IANA such as Europe/Berlin{nearest(value, known)}"


def _schedule_names(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if not re.fullmatch(_SCHEDULE, name)]
    if wrong:
        return f"with {', '.join(map(repr, wrong))}; expected names of at most 52 characters, DNS labels"
    return None


@dataclass(frozen=True)
class PipelineSchedule:
    """A schedule by which a template of the team runs (CronWorkflow)."""

    template: Annotated[str, dns_label]
    """The WorkflowTemplate, in the namespace of the team, which writes it."""
    schedules: Annotated[list[Annotated[str, cron]], length(1, 10, "schedules"), distinct]
    """When, in cron's format: minute, hour, day of the month, month, day of the week. `["0 3 * * *"]`. Times
    that a change of daylight saving time skips do not run, and those that occur twice run twice."""
    timezone: Annotated[str, time_zone] = "UTC"
    """The time zone, `Europe/Berlin`. Default `UTC`."""
    parameters: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """Name -> value of the template's parameters that differ from its defaults. Default: none."""
    concurrency: Literal["allow", "forbid", "replace"] = "forbid"
    """What happens while the run before has not ended: `allow` starts another one, `forbid` (default) skips,
    `replace` stops the one before."""
    deadline_minutes: Annotated[int, between(0, 1440, "minutes")] = 60
    """How late a run may start, after the controller did not run at its time, 0 to 1440. Default 60."""
    suspended: bool = False
    """Whether it does not run. Default false."""


@dataclass(frozen=True)
class PipelineTeam:
    """A team whose namespace runs workflows."""

    namespace: Annotated[str, dns_label]
    """Its namespace: `Teams.outputs`."""
    identity: WorkloadIdentityReference
    """The cloud identity of its steps: `WorkloadIdentity.outputs`. Its service account exists in the
    namespace (component Teams), and gets the right to report results."""
    submitters: Annotated[list[Input[str]], length(0, 20, "submitters"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Principals that run the team's templates and see what becomes of them, such as CI's. They write no
    template and change no workflow. AWS: arns of IAM roles without an access entry of the cluster. Google
    Cloud: `serviceAccount:` or `group:` and an email address. Default: none; members of the team run
    workflows by their roles."""
    schedules: Annotated[Mapping[str, PipelineSchedule], length(0, 50, "schedules"), _schedule_names] = field(
        default_factory=dict[str, PipelineSchedule]
    )
    """Name -> when a template of the team runs. Default: none."""


@dataclass(frozen=True)
class PipelinesSettings(KeyGrants, CloudNeutral):
    """Pipelines: Argo Workflows, and for each team an identity of its steps, a prefix for artifacts and logs,
    and principals that submit."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    teams: Annotated[Mapping[str, PipelineTeam], length(1, 100, "teams")]
    """Name of a team -> where it runs workflows."""
    expire_days: Annotated[int, _DAYS] = 30
    """Days until artifacts and logs are deleted, 1 to 3650. What has to stay is registered as a model or
    written to a table. Default 30."""
    kms_key: Input[str] | None = None
    """The key that encrypts artifacts: AWS: its arn; Google Cloud: `projects/.../cryptoKeys/...`, in the
    cluster's region. Default: a key that is created."""
    access_log_days: Input[Annotated[int, _DAYS]] = 90
    """How long access logs of the bucket are retained, in days: 1 to 3650. Default 90."""
    access_log_bucket: Input[str] | None = None
    """A bucket that exists, of the same region, for access logs; its retention is not changed. AWS: of the
    same account, encrypted by S3's managed keys, with a policy that lets `logging.s3.amazonaws.com` write.
    Google Cloud: `cloud-storage-analytics@google.com` has roles/storage.objectCreator on it. Default: one
    that is created."""
    replicas: Annotated[int, between(1, 3, "replicas")] = 1
    """Replicas of the controller, 1 to 3: one is the leader, the others are on standby. Default 1."""
    charts: Annotated[str, source_of_charts] = UPSTREAM
    """Where charts come from, as in the component Addons. Default `upstream`."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images, as in the component Addons. Default: none."""
    protect: bool = False
    """Whether Pulumi refuses to delete bucket and key. Default false."""
    retain_data: bool = False
    """Whether bucket and key stay in the cloud when the component is destroyed. Default false."""
    force_destroy: bool = False
    """Whether the buckets are emptied when they are destroyed. Default false."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource in the cloud, in addition to those of the provider; labels on Google Cloud."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def addon(self) -> Addon:
        """The add-on that the component installs."""
        return catalog()[ARGO]

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from bucket_problems("access_log_bucket", self.access_log_bucket, self.cloud)
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key)
        for name, team in self.teams.items():
            yield from self._team(f"teams.{name}", team)
        yield from self._namespaces()
        for other in ("protect", "retain_data"):
            if self.force_destroy and getattr(self, other):
                yield Problem("force_destroy", f"got true together with {other}; expected one of the two")
        yield from chart_problems([self.addon], self.charts, "charts")

    def _team(self, path: str, team: PipelineTeam) -> Iterator[Problem]:
        for index, submitter in enumerate(team.submitters):
            yield from obeys(f"{path}.submitters[{index}]", submitter, _SUBMITTER[self.cloud])
        identity = team.identity
        if identity.service_account is None:
            yield Problem(
                f"{path}.identity.service_account",
                "missing; expected that of the steps as in WorkloadIdentity.outputs",
            )
        elif identity.service_account == JOBS:
            yield Problem(
                f"{path}.identity.service_account",
                f"got {JOBS!r}, which has no identity in the cloud; expected another one",
            )
        if isinstance(identity.namespace, str) and identity.namespace != team.namespace:
            yield Problem(
                f"{path}.identity.namespace",
                f"{got(identity.namespace)}; expected an identity of the namespace {team.namespace}",
            )
        if self.cloud == "aws" and identity.role_name is None:
            yield Problem(
                f"{path}.identity.role_name",
                "missing, and the role gets permissions on artifacts; expected it as in "
                "WorkloadIdentity.outputs",
            )

    def _namespaces(self) -> Iterator[Problem]:
        first: dict[str, str] = {}
        for name, team in self.teams.items():
            if is_unknown(team.namespace):
                continue
            before = first.setdefault(team.namespace, name)
            if before != name:
                yield Problem(
                    f"teams.{name}.namespace",
                    f"{got(team.namespace)}, which is the namespace of {before}; expected another one",
                )
