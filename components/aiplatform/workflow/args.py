"""Arguments of a workflow."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from pulumi import Input

from aiplatform import naming
from aiplatform._shared.args import Problem, distinct, got, is_unknown, length, matches, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import LOG_BUCKET, PROJECT, REGION
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.logs import DEFAULT_DAYS, log_bucket_problems, retention
from aiplatform._shared.outputs import Tags, merged
from aiplatform._shared.secret_names import key_problems
from aiplatform.lakehouse.schedules import schedule_rule
from aiplatform.naming import (
    CLOUDWATCH_ALARM,
    GOOGLE_CUSTOM_ROLE,
    GOOGLE_SERVICE_ACCOUNT,
    GOOGLE_WORKFLOW,
    IAM_ROLE,
    KMS_ALIAS,
    LOG_GROUP,
    PUBSUB_TOPIC,
    SCHEDULER_SCHEDULE,
    SQS_QUEUE,
    STATE_MACHINE,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)
from aiplatform.pipelines.args import time_zone
from aiplatform.workflow import amazon_states, google_workflows
from aiplatform.workflow.calls import DEAD_LETTER, Callees
from aiplatform.workflow.cloud_support import SUPPORT
from aiplatform.workflow.inputs import WorkflowArgs as WorkflowArgs
from aiplatform.workflow.inputs import WorkflowFunctionArgs as WorkflowFunctionArgs
from aiplatform.workflow.inputs import WorkflowJobArgs as WorkflowJobArgs
from aiplatform.workflow.inputs import WorkflowScheduleArgs as WorkflowScheduleArgs

WORKFLOW: Final = "{prefix}"
"""The name of the state machine or workflow. Here and below `prefix` is that of all names of one workflow."""
DEAD_LETTERS: Final = "{prefix}-dead-letter"
"""The name of the dead-letter queue, or of the topic and its subscription."""
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-workflow")
LOGS: Final = PhysicalName(LOG_GROUP, "/aws/vendedlogs/states/{prefix}")
"""With this beginning log groups share one resource policy of the account, which is limited in size ("Logging
using CloudWatch Logs")."""
ROLE: Final = PhysicalName(IAM_ROLE, "{prefix}-workflow")
SCHEDULE_ROLE: Final = PhysicalName(IAM_ROLE, "{prefix}-schedule")
ACCOUNT: Final = PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-wf")
SCHEDULE_ACCOUNT: Final = PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-ws")
_NAMES: Final[Mapping[Cloud, tuple[PhysicalName, ...]]] = {
    "aws": (
        KEY_ALIAS,
        LOGS,
        ROLE,
        SCHEDULE_ROLE,
        PhysicalName(STATE_MACHINE, WORKFLOW),
        PhysicalName(SQS_QUEUE, DEAD_LETTERS),
        PhysicalName(SCHEDULER_SCHEDULE, WORKFLOW),
        PhysicalName(CLOUDWATCH_ALARM, "{prefix}-dead-letters"),
    ),
    "gcp": (
        ACCOUNT,
        SCHEDULE_ACCOUNT,
        PhysicalName(GOOGLE_WORKFLOW, WORKFLOW),
        PhysicalName(PUBSUB_TOPIC, DEAD_LETTERS),
        PhysicalName(naming.LOG_BUCKET, "{prefix}-workflow-12345678"),
        PhysicalName(GOOGLE_CUSTOM_ROLE, "{prefix}_workflow"),
    ),
}
_PREFIX: Final = prefix_for()
_CALLEE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FUNCTION: Final = matches(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}(:[\w$-]{1,128})?",
    "a function's arn, arn:aws:lambda:us-west-2:111122223333:function:NAME, or that of an alias or version",
)
_URL: Final = matches(r"https://[^\s/\"$]+(/[^\s\"]*)?", "an https address")
_SERVICE: Final = matches(
    r"projects/[^/\s]+/locations/[^/\s]+/services/[a-z][a-z0-9-]*",
    "a service of Cloud Run, projects/PROJECT/locations/REGION/services/NAME",
)
_GLUE_JOB: Final = matches(r"[^\s*?/:$\"]{1,255}", "the name of a job of Glue")
_CLOUD_RUN_JOB: Final = matches(
    r"projects/[^/\s]+/locations/[^/\s]+/jobs/[a-z][a-z0-9-]*",
    "a job of Cloud Run, projects/PROJECT/locations/REGION/jobs/NAME",
)
_TARGET: Final[Mapping[Cloud, Any]] = {
    "aws": matches(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+",
        "the arn of a topic of SNS, arn:aws:sns:us-west-2:111122223333:alerts",
    ),
    "gcp": matches(
        r"projects/[^/\s]+/notificationChannels/\d+",
        "a notification channel, projects/PROJECT/notificationChannels/NUMBER",
    ),
}
_MOST_VARIABLES: Final = 20
"""Environment variables of a workflow of Google (Workflows API, userEnvVars)."""


def _callees(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if not _CALLEE.fullmatch(name) or name == DEAD_LETTER]
    if wrong:
        return (
            f"with {', '.join(map(repr, wrong))}; expected names of lower-case letters, digits and _, at "
            f"most 40, a letter first, other than {DEAD_LETTER}"
        )
    return None


@dataclass(frozen=True)
class WorkflowFunction:
    """A function that the workflow calls."""

    arn: Annotated[Input[str], _FUNCTION] | None = None
    """AWS, and required there: the arn of the function of Lambda, or of its alias or version. The definition
    has `${NAME}` in its place."""
    url: Annotated[Input[str], _URL] | None = None
    """Google Cloud, and required there: the address of the service. The definition has
    `${sys.get_env("NAME")}` in its place."""
    service: Annotated[Input[str], _SERVICE] | None = None
    """Google Cloud, and required there: the service of Cloud Run at this address,
    `projects/.../locations/.../services/...`."""


@dataclass(frozen=True)
class WorkflowJob:
    """A job that the workflow runs, and awaits."""

    glue_job: Annotated[Input[str], _GLUE_JOB] | None = None
    """AWS, and required there: the name of a job of Glue in the account. The definition has `${NAME}` in its
    place."""
    cloud_run_job: Annotated[Input[str], _CLOUD_RUN_JOB] | None = None
    """Google Cloud, and required there: a job of Cloud Run, `projects/.../locations/.../jobs/...`. The
    definition has `${sys.get_env("NAME")}` in its place."""


@dataclass(frozen=True)
class WorkflowSchedule:
    """When the workflow runs."""

    cron: Annotated[str, schedule_rule]
    """In cron's format, minute hour day month weekday, `0 3 * * *`. One of day and weekday is `*`."""
    timezone: Annotated[str, time_zone] = "UTC"
    """The time zone of the schedule, `Europe/Berlin`. Default UTC."""
    input: dict[str, Any] = field(default_factory=dict[str, Any])
    """The input of each execution. Default: an empty object."""


@dataclass(frozen=True)
class WorkflowSettings(KeyGrants, CloudNeutral):
    """A workflow: functions and jobs in an order, with retries, errors that are caught, timeouts, and a
    dead-letter queue."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    name: Annotated[str, dns_label]
    """The name of the workflow, a DNS label: `{prefix}-{name}` is that in the cloud."""
    owner: Annotated[str, matches(r"\S(.*\S)?", "a team, or an email address")]
    """The team that is responsible, or its email address; on Google Cloud a label's value. Required: the tag
    or label `owner` of every resource."""
    definition: Annotated[Mapping[str, Any], length(1, 1000, "keys")]
    """The definition, in the language of the cloud: on AWS the Amazon States Language with JSONPath or
    JSONata, on Google Cloud Workflows syntax with `main`. It calls functions and jobs of `functions` and
    `jobs` by their names, and the dead-letter queue by the name `dead_letter` (docs/workflows.md). It is
    checked before anything is registered."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: Annotated[str, PROJECT] | None = None
    """Google Cloud, and required there: the project's id."""
    region: Annotated[str, REGION] | None = None
    """Google Cloud, and required there: the region."""
    functions: Annotated[Mapping[str, WorkflowFunction], length(0, 50, "functions"), _callees] = field(
        default_factory=dict[str, WorkflowFunction]
    )
    """Name -> a function that the definition calls. The workflow has the right to call these alone. Default:
    none."""
    jobs: Annotated[Mapping[str, WorkflowJob], length(0, 50, "jobs"), _callees] = field(
        default_factory=dict[str, WorkflowJob]
    )
    """Name -> a job that the definition runs. Default: none."""
    require_error_handling: bool = True
    """Whether each call of a function or job must have a retry and a timeout, and an error must end in the
    dead-letter queue. Default true."""
    schedule: WorkflowSchedule | None = None
    """When it runs. Default: by requests alone."""
    alarm_targets: Annotated[list[Input[str]], length(0, 5, "targets"), distinct] = field(
        default_factory=list[Input[str]]
    )
    """Where alarms of failed executions, timeouts and dead letters go. AWS: arns of topics of SNS. Google
    Cloud: `projects/.../notificationChannels/...`. Default: none; alarms are only shown."""
    log_level: Literal["errors", "all"] = "errors"
    """What is logged: `errors`, or `all` steps with what they get and return, which may be personal data.
    Default `errors`."""
    log_days: Annotated[int, retention()] | None = None
    """How long logs are retained, in days, one of the periods of CloudWatch Logs. Default 90.
    Not with `log_bucket`, whose retention applies."""
    log_bucket: Annotated[Input[str], LOG_BUCKET] | None = None
    """Google Cloud: the log bucket that exists and receives the logs, `projects/P/locations/L/buckets/B`:
    `log_bucket` of a LogBucket, or one to which a sink of the project routes them. No bucket, sink and
    exclusion are created. Default: they are created for the workflow alone."""
    tracing: bool = True
    """Whether executions are traced: on AWS in X-Ray, on Google Cloud by the detailed history of steps.
    Default true."""
    kms_key: Input[str] | None = None
    """The key that encrypts definition, executions, logs and dead letters: AWS: its arn, with a policy that
    lets CloudWatch Logs, its delivery and EventBridge use it; Google Cloud: `projects/.../cryptoKeys/...`, in
    the region. Default: a key that is created."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to those of the provider; labels on Google Cloud."""

    @property
    def full_name(self) -> str:
        """First part of the names of everything that the workflow has."""
        return f"{self.prefix}-{self.name}"

    @property
    def all_tags(self) -> Tags:
        """Tags with the owner."""
        return merged(self.tags, {"owner": self.owner})

    @property
    def retention_days(self) -> int:
        """How long logs are retained that the workflow has by itself, in days."""
        return DEFAULT_DAYS if self.log_days is None else self.log_days

    @property
    def source(self) -> dict[str, Any]:
        """The definition with whole numbers as such: the protocol of component plugins has only floats."""
        return cast("dict[str, Any]", _whole(self.definition))

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete the key: it encrypts nothing that is kept for long."""
        return False

    @property
    def retain_data(self) -> bool:
        """Whether the key stays in the cloud when the component is destroyed."""
        return False

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        named = [problem.path for problem in obeys("prefix", self.prefix, _PREFIX)]
        yield from obeys("prefix", self.prefix, _PREFIX)
        if not named:
            yield from self._names()
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from obeys("owner", {"owner": self.owner}, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.region)
        yield from self.key_grants_problems(self.kms_key)
        yield from log_bucket_problems(self.log_bucket, self.log_days)
        for index, target in enumerate(self.alarm_targets):
            yield from obeys(f"alarm_targets[{index}]", target, _TARGET[self.cloud])
        twice = self.functions.keys() & self.jobs.keys()
        if twice:
            yield Problem(
                "jobs", f"with {', '.join(sorted(twice))}, which functions have, too; expected others"
            )
        yield from self._missing()
        if self.schedule is not None:
            yield from _plain("schedule.input", self.schedule.input)
        unknown = list(_plain("definition", self.definition))
        yield from unknown
        if not unknown:
            language = amazon_states if self.cloud == "aws" else google_workflows
            callees = Callees(frozenset(self.functions), frozenset(self.jobs), self.require_error_handling)
            yield from language.problems(self.source, callees)

    def _names(self) -> Iterator[Problem]:
        for name in _NAMES[self.cloud]:
            reason = name.too_long(self.full_name)
            if reason is not None:
                yield Problem("name", f"{got(self.name)} after prefix {self.prefix!r}; {reason}")
                return

    def _missing(self) -> Iterator[Problem]:
        needed = {"aws": ("arn",), "gcp": ("url", "service")}[self.cloud]
        for name, function in self.functions.items():
            for key in needed:
                if getattr(function, key) is None:
                    yield Problem(f"functions.{name}.{key}", f"missing; expected the {key} of the function")
        key = {"aws": "glue_job", "gcp": "cloud_run_job"}[self.cloud]
        for name, job in self.jobs.items():
            if getattr(job, key) is None:
                yield Problem(f"jobs.{name}.{key}", "missing; expected the job")
        if self.cloud == "gcp":
            for key in ("project", "region"):
                if getattr(self, key) is None:
                    yield Problem(key, f"missing; expected the {key} of the workflow")
            variables = len(self.functions) + len(self.jobs) + 1
            if variables > _MOST_VARIABLES:
                yield Problem(
                    "functions",
                    f"got {variables - 1} with jobs; expected at most {_MOST_VARIABLES - 1}: a workflow has "
                    f"{_MOST_VARIABLES} environment variables",
                )


def _whole(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _whole(entry) for key, entry in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_whole(entry) for entry in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(path: str, value: Any) -> Iterator[Problem]:
    """Yield the parts of an object that are no JSON: outputs of resources are named, not stated in place."""
    if isinstance(value, Mapping):
        for key, entry in cast("Mapping[Any, Any]", value).items():
            if not isinstance(key, str):
                yield Problem(path, f"with the key {key!r}; expected text as keys")
            else:
                yield from _plain(f"{path}.{key}", entry)
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(cast("list[Any]", value)):
            yield from _plain(f"{path}[{index}]", entry)
    elif is_unknown(value):
        yield Problem(
            path, f"{got(value)}; expected a plain value: what is called is stated in `functions` and `jobs`"
        )
    elif value is not None and not isinstance(value, (str, int, float, bool)):
        yield Problem(path, f"{got(value)}; expected JSON")
