"""Arguments of continuous training."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, distinct, got, length, matches, nearest, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.cron import cron
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.secret_names import key_problems
from aiplatform.continuous_training.cloud_support import SUPPORT
from aiplatform.continuous_training.inputs import ContinuousEvaluationArgs as ContinuousEvaluationArgs
from aiplatform.continuous_training.inputs import ContinuousFeatureViewArgs as ContinuousFeatureViewArgs
from aiplatform.continuous_training.inputs import ContinuousJobArgs as ContinuousJobArgs
from aiplatform.continuous_training.inputs import ContinuousModelArgs as ContinuousModelArgs
from aiplatform.continuous_training.inputs import ContinuousPromptArgs as ContinuousPromptArgs
from aiplatform.continuous_training.inputs import ContinuousRolloutArgs as ContinuousRolloutArgs
from aiplatform.continuous_training.inputs import ContinuousScheduleArgs as ContinuousScheduleArgs
from aiplatform.continuous_training.inputs import ContinuousTeamArgs as ContinuousTeamArgs
from aiplatform.continuous_training.inputs import ContinuousThresholdArgs as ContinuousThresholdArgs
from aiplatform.continuous_training.inputs import ContinuousTrainingArgs as ContinuousTrainingArgs
from aiplatform.naming import (
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE,
    KMS_ALIAS,
    PUBSUB_TOPIC,
    SQS_QUEUE,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)
from aiplatform.pipelines.args import time_zone

CONFIGURATION: Final = "continuous-training"
"""The ConfigMap in a team's namespace with its models, and the name of what else it has there."""
REQUESTS_IDENTITY: Final = "requests"
"""The workload identity that handles requests for promotions."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-continuous-training")
TEAM: Final = "PLATFORM_TEAM"
"""The variable with the name of the team, of steps and of the nodes of their jobs."""
PLACEHOLDERS: Final = (
    "TABLE",
    "SNAPSHOT",
    "SNAPSHOTS",
    "FEATURE_VIEWS",
    "RUN_NAME",
    "MODEL",
    "IMAGE",
    "CODE_COMMIT",
    TEAM,
)
"""Variables of all jobs, which their arguments may name."""
OF_EVALUATION: Final = (*PLACEHOLDERS, "RUN_ID", "CANDIDATE", "CHAMPION")
"""Those of evaluations."""
PROMPTS_METRIC: Final = "correct"
"""The metric of the evaluation `prompts`."""
_MODEL_LENGTH: Final = 22
"""Its name is in that of the workflow, of its TrainJobs and of their Pods, which have at most 63."""
_PROMPT_BYTES: Final = 65536
"""All prompts are one variable of a container."""

_IMAGE: Final = matches(r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?@sha256:[0-9a-f]{64}", "an image with a digest")
_COMMIT: Final = matches(r"[0-9a-f]{40}", "a full commit, 40 hexadecimal digits")
_METRIC: Final = matches(r"[A-Za-z_][\w./-]{0,99}", "a metric's name")
_LOCATION: Final = matches(
    r"(s3|gs)://[^/\s]+/[^\s]+[^/\s]", "the URL of a table's folder, s3://... or gs://..."
)
_MODEL: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_TEAM: Final = 30
_LONGEST: Final = f"{{prefix}}-{'a' * _TEAM}-promotions-dead"
_PREFIX: Final[Mapping[Cloud, Rule]] = {
    "aws": prefix_for(
        KEY_ALIAS,
        PhysicalName(SQS_QUEUE, _LONGEST),
        PhysicalName(IAM_ROLE, f"{{prefix}}-wi-{REQUESTS_IDENTITY}"),
    ),
    "gcp": prefix_for(
        PhysicalName(PUBSUB_TOPIC, _LONGEST),
        PhysicalName(GOOGLE_SERVICE_ACCOUNT, f"{{prefix}}-wi-{REQUESTS_IDENTITY}"),
    ),
}


def _models(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if len(name) > _MODEL_LENGTH or not _MODEL.fullmatch(name)]
    if wrong:
        return (
            f"with {', '.join(map(repr, wrong))}; expected names of lower-case letters, digits and hyphens, "
            f"a letter first, of at most {_MODEL_LENGTH} characters"
        )
    return None


@dataclass(frozen=True)
class ContinuousFeatureView:
    """A feature view that a model is trained with."""

    version: Annotated[str, length(1, 64, "characters")]
    """Its version."""
    table: Input[str]
    """The table that it reads, `database.table` of the catalog: each training pins its snapshot, too."""


@dataclass(frozen=True)
class ContinuousJob:
    """A TrainJob in the team's queue. Its nodes have the variables `TABLE`, `SNAPSHOT`, `SNAPSHOTS` and
    `FEATURE_VIEWS` (JSON), `RUN_NAME`, `MODEL`, `IMAGE`, `CODE_COMMIT` and `PLATFORM_TEAM`."""

    image: Annotated[str, _IMAGE]
    """Its image, with a digest."""
    code_commit: Annotated[str, _COMMIT]
    """The commit that the image was built from."""
    runtime: Annotated[str, dns_label]
    """The ClusterTrainingRuntime (component Training)."""
    args: Annotated[list[str], length(0, 100, "arguments")] = field(default_factory=list[str])
    """Its arguments, in which `${TABLE}` and the like are replaced. Default: none."""
    nodes: Annotated[int, between(1, 1000, "nodes")] = 1
    """Its nodes. Default 1."""
    priority_class: Annotated[str, dns_label] = "training"
    """Kueue's priority class. Default `training`."""


@dataclass(frozen=True)
class ContinuousThreshold:
    """What a metric of the candidate has to be."""

    min: float | None = None
    """At least. Default: no limit."""
    max: float | None = None
    """At most. Default: no limit."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        if self.min is None and self.max is None:
            yield Problem("min", "missing, and `max`, too; expected one of them")
        elif self.min is not None and self.max is not None and self.min > self.max:
            yield Problem("min", f"{got(self.min)}, above max {self.max:g}; expected at most that")


@dataclass(frozen=True)
class ContinuousPrompt:
    """A prompt of an evaluation."""

    prompt: Annotated[str, length(1, 8192, "characters")]
    """What the model is asked."""
    expected: Annotated[str, length(1, 8192, "characters")]
    """The expected answer."""


@dataclass(frozen=True)
class ContinuousEvaluation:
    """How a version is compared with the champion, on the same snapshot. A TrainJob evaluates both: it reads
    `CANDIDATE` and `CHAMPION`, URIs of MLflow (the second is empty where there is none), and writes
    `evaluation.json` into the run `RUN_ID`."""

    metric: Annotated[str, _METRIC]
    """The metric that decides. Of `prompts` it is `correct`."""
    args: Annotated[list[str], length(0, 100, "arguments")] = field(default_factory=list[str])
    """The arguments of the TrainJob, in which `${CANDIDATE}` and the like are replaced. Default: none."""
    kind: Literal["metrics", "prompts"] = "metrics"
    """What the job writes: `metrics`: numbers, `{"candidate": {"accuracy": 0.93}, "champion": ...}`;
    `prompts`: answers to the prompts of the variable `PROMPTS`, `{"candidate": ["4", ...], ...}`, whose share
    of correct ones is the metric `correct`. Default `metrics`."""
    margin: Annotated[float, between(0, 1)] = 0
    """By how much at least the metric is better, in its unit, 0 to 1. An equal version is not better. Default
    0."""
    lower_is_better: bool = False
    """Whether the metric is an error or a loss. Default false."""
    thresholds: Annotated[Mapping[str, ContinuousThreshold], length(0, 50, "thresholds")] = field(
        default_factory=dict[str, ContinuousThreshold]
    )
    """Metric -> what it has to be, also without a champion. Required in prod. Default: none."""
    prompts: Annotated[list[ContinuousPrompt], length(0, 500, "prompts")] = field(
        default_factory=list[ContinuousPrompt]
    )
    """Of `prompts`: the prompts, at most 64 KiB. Default: none."""
    match: Literal["exact", "contains"] = "exact"
    """Of `prompts`: whether an answer is the expected one or contains it, without differences of case and
    space. Default `exact`."""
    runtime: Annotated[str, dns_label] | None = None
    """The runtime of the job. Default: that of the training."""
    image: Annotated[str, _IMAGE] | None = None
    """The image of the job. Default: that of the training."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from _placeholders("args", self.args, OF_EVALUATION)
        if self.kind == "metrics":
            for key, value in (("prompts", self.prompts), ("match", self.match != "exact")):
                if value:
                    yield Problem(key, "got some without kind prompts; expected it left out")
            return
        if not self.prompts:
            yield Problem("prompts", "missing; expected the prompts of the evaluation")
        size = len(str([entry.prompt for entry in self.prompts]).encode())
        if size > _PROMPT_BYTES:
            yield Problem("prompts", f"got {size} bytes; expected at most {_PROMPT_BYTES} of all prompts")
        if self.metric != PROMPTS_METRIC:
            yield Problem("metric", f"{got(self.metric)}; expected {PROMPTS_METRIC!r}, the metric of prompts")
        for name in self.thresholds:
            if name != PROMPTS_METRIC:
                yield Problem(f"thresholds.{name}", f"expected {PROMPTS_METRIC!r}, the metric of prompts")


@dataclass(frozen=True)
class ContinuousRollout:
    """Parameters of the WorkflowTemplate `rollout` of the team that differ from its defaults."""

    weights: Annotated[list[Annotated[int, between(1, 100, "percent")]], length(1, 20, "weights")] | None = (
        None
    )
    """Parts of the requests that the new version gets, one after the other, in percent, up to 100. Default:
    the template's."""
    step_minutes: Annotated[int, between(1, 1440, "minutes")] | None = None
    """Minutes of each step, 1 to 1440. Default: the template's."""
    max_error_rate: Annotated[float, between(0, 1)] | None = None
    """The greatest share of server errors, 0 to 1. Default: the template's."""
    max_p95_ms: Annotated[int, between(1, 3_600_000, "milliseconds")] | None = None
    """The greatest latency of 95% of the requests, in milliseconds. Default: the template's."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        weights = self.weights
        if weights and (weights != sorted(set(weights)) or weights[-1] != 100):
            yield Problem("weights", f"{got(weights)}; expected weights that rise to 100")


@dataclass(frozen=True)
class ContinuousSchedule:
    """When a model is trained, whatever its data."""

    schedules: Annotated[list[Annotated[str, cron]], length(1, 10, "schedules"), distinct]
    """When, in cron's format: minute, hour, day of the month, month, day of the week. `["0 3 * * *"]`."""
    timezone: Annotated[str, time_zone] = "UTC"
    """The time zone, `Europe/Berlin`. Default `UTC`."""
    suspended: bool = False
    """Whether it does not run. Default false."""


@dataclass(frozen=True)
class ContinuousModel:
    """A model that is trained, compared, registered and requested to be promoted, again and again."""

    table: Input[str]
    """The table that it is trained on, `database.table` of the catalog."""
    training: ContinuousJob
    """The training: it logs one finished run with the name `RUN_NAME` in the experiment `TEAM.MODEL`, with
    one logged model and at least one metric."""
    evaluation: ContinuousEvaluation
    """The evaluation."""
    feature_views: Annotated[Mapping[str, ContinuousFeatureView], length(0, 50, "feature views")] = field(
        default_factory=dict[str, ContinuousFeatureView]
    )
    """Name -> the feature view that it is trained with. Default: none."""
    locations: Annotated[list[Input[Annotated[str, _LOCATION]]], length(0, 50, "locations")] = field(
        default_factory=list[Input[str]]
    )
    """With `on_data`: the URL of the folder of `table` and of each table of `feature_views`, in this order
    (`Lakehouse.outputs`)."""
    on_data: bool = False
    """Whether a commit to one of its tables starts a training. On AWS their buckets notify EventBridge
    (`table_events` of the lakehouse). Default false."""
    schedule: ContinuousSchedule | None = None
    """When it is trained, whatever its data. Default: never."""
    service: Annotated[str, dns_label] | None = None
    """The service of the team that a promoted version is rolled out to (component Serving). Default: none."""
    rollout: ContinuousRollout = field(default_factory=ContinuousRollout)
    """How it is rolled out."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from _placeholders("training.args", self.training.args, PLACEHOLDERS)
        tables = 1 + len(self.feature_views)
        if self.on_data and len(self.locations) != tables:
            yield Problem("locations", f"got {len(self.locations)}; expected those of its {tables} tables")
        if self.service is None and self.rollout != ContinuousRollout():
            yield Problem("rollout", "got values without a service; expected `service`, too")


def _placeholders(path: str, arguments: list[str], known: tuple[str, ...]) -> Iterator[Problem]:
    for index, argument in enumerate(arguments):
        template = string.Template(argument)
        if not template.is_valid():
            yield Problem(f"{path}[{index}]", f"{got(argument)}; expected `$$` for a dollar sign")
            continue
        for name in template.get_identifiers():
            if name not in known:
                yield Problem(
                    f"{path}[{index}]",
                    f"unknown placeholder {name!r}; expected one of {', '.join(known)}{nearest(name, known)}",
                )


@dataclass(frozen=True)
class ContinuousTeam:
    """A team whose models are trained continuously."""

    namespace: Annotated[str, dns_label]
    """Its namespace: `Teams.outputs`."""
    identity: WorkloadIdentityReference
    """The cloud identity of its Pods: `WorkloadIdentity.outputs`, as in component Pipelines."""
    models: Annotated[Mapping[str, ContinuousModel], length(1, 50, "models"), _models]
    """Name -> the model."""


@dataclass(frozen=True)
class ContinuousTrainingSettings(KeyGrants, CloudNeutral):
    """Continuous training: for each model of a team a WorkflowTemplate that pins the data, trains, compares
    with the champion, registers, and requests a promotion, which is a workflow in the namespace `release`;
    and queues whose messages start trainings and rollouts."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    teams: Annotated[Mapping[str, ContinuousTeam], length(1, 50, "teams")]
    """Name of a team -> its models."""
    image: Annotated[str, _IMAGE]
    """The image of the steps, built from `containers/training_steps`, with a digest."""
    release_image: Annotated[str, _IMAGE]
    """The image that promotes, as in the component ModelStore, whose `workflows` are on."""
    promoter: Input[str]
    """The principal of promotions: `promoter_principal` of ModelStore.outputs."""
    profile: Literal["dev", "staging", "prod"] = "prod"
    """`prod`: a promotion waits until a member of the release group resumes it, and each evaluation has
    thresholds. Default `prod`."""
    promotion_disk_gib: Annotated[int, between(1, 1000, "GiB")] = 10
    """The disk of promotions, GiB: the largest file of a model. Default 10."""
    kms_key: Input[str] | None = None
    """The key that encrypts messages: AWS: its arn; Google Cloud: `projects/.../cryptoKeys/...`, in the
    cluster's region. Its policy has to allow what uses it (docs/continuous-training.md). Default: a key that
    is created."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource in the cloud, in addition to those of the provider; labels on Google Cloud."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def protect(self) -> bool:
        """Messages are of the moment: nothing is protected."""
        return False

    @property
    def retain_data(self) -> bool:
        """As `protect`."""
        return False

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key)
        for name, team in self.teams.items():
            yield from self._team(f"teams.{name}", name, team)
        if self.cloud == "gcp" and self.cluster.workload_pool is None:
            yield Problem("cluster.workload_pool", "missing; expected it as in Cluster.outputs")

    def _team(self, path: str, name: str, team: ContinuousTeam) -> Iterator[Problem]:
        if len(name) > _TEAM:
            yield Problem(path, f"{name!r}: expected a name of at most {_TEAM} characters")
        identity = team.identity
        if identity.service_account is None:
            yield Problem(
                f"{path}.identity.service_account",
                "missing; expected that of the steps as in WorkloadIdentity.outputs",
            )
        if self.cloud == "aws" and identity.role_name is None:
            yield Problem(
                f"{path}.identity.role_name",
                "missing, and the role gets permissions on queues; expected it as in "
                "WorkloadIdentity.outputs",
            )
        for model, declared in team.models.items():
            if self.profile == "prod" and not declared.evaluation.thresholds:
                yield Problem(
                    f"{path}.models.{model}.evaluation.thresholds",
                    "missing, and in prod a first version would be promoted whatever it does; expected what "
                    "its metrics have to be",
                )
