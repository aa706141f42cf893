"""Arguments of cost control."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, between, distinct, got, length, matches, nearest, obeys
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.cron import cron
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.kubernetes.names import COST_NAMESPACE
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.secret_names import key_problems
from aiplatform.cost.cloud_support import SUPPORT
from aiplatform.cost.inputs import CostAnomaliesArgs as CostAnomaliesArgs
from aiplatform.cost.inputs import CostArgs as CostArgs
from aiplatform.cost.inputs import CostBudgetArgs as CostBudgetArgs
from aiplatform.cost.inputs import CostHoldArgs as CostHoldArgs
from aiplatform.cost.reaper import CostReaper
from aiplatform.cost.reaper import CostReaperArgs as CostReaperArgs
from aiplatform.cost.schedule import CostSchedule
from aiplatform.cost.schedule import CostScheduleArgs as CostScheduleArgs
from aiplatform.naming import (
    AWS_BUDGET,
    GOOGLE_BUDGET,
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE,
    KMS_ALIAS,
    PUBSUB_TOPIC,
    SNS_TOPIC,
    SQS_QUEUE,
    TAG_RULES,
    PhysicalName,
    dns_label,
    prefix_for,
)

KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-cost")
ALERTS: Final = "{prefix}-cost-alerts"
"""The name of the topic of alerts."""
HOLD: Final = "{prefix}-cost-hold"
"""The name of what the alert that holds queues goes through."""
NAMESPACE: Final = COST_NAMESPACE
"""The namespace of the program that holds queues and ends idle work."""
IDENTITY: Final = "costs"
"""The workload identity of that program."""
ENVIRONMENT: Final = "environment"
"""The key of the environment's budget, among those of teams."""
TEAM_LENGTH: Final = 30
_LONGEST_BUDGET: Final = f"{{prefix}}-team-{'a' * TEAM_LENGTH}"
_PREFIX: Final[Mapping[Cloud, Rule]] = {
    "aws": prefix_for(
        KEY_ALIAS,
        PhysicalName(SNS_TOPIC, ALERTS),
        PhysicalName(SQS_QUEUE, f"{HOLD}-dead"),
        PhysicalName(AWS_BUDGET, _LONGEST_BUDGET),
        PhysicalName(IAM_ROLE, f"{{prefix}}-wi-{IDENTITY}"),
    ),
    "gcp": prefix_for(
        PhysicalName(PUBSUB_TOPIC, ALERTS),
        PhysicalName(GOOGLE_BUDGET, _LONGEST_BUDGET),
        PhysicalName(GOOGLE_SERVICE_ACCOUNT, f"{{prefix}}-wi-{IDENTITY}"),
    ),
}
_EMAIL: Final = matches(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+", "an email address")
_EMAILS: Final[Mapping[Cloud, int]] = {"aws": 10, "gcp": 5}
"""Most addresses of a notification (AWS Budgets API, CreateNotification; Cloud Billing Budget API,
monitoringNotificationChannels)."""
_MOST_THRESHOLDS: Final = 5
"""Of a budget (AWS Budgets API, CreateBudget)."""
_PERCENT: Final = between(1, 1000, "percent")
_ACCOUNT: Final = matches(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", "a billing account, 01AB23-45CD67-89EF01")
_CURRENCY: Final = matches(r"[A-Z]{3}", "a currency of ISO 4217 such as USD")
_IMAGE: Final = matches(r"[^\s:@]+(:\d+/[^\s:@]+)?(:[\w.-]+)?@sha256:[0-9a-f]{64}", "an image with a digest")
_URL: Final = matches(r"https?://[^\s/]+", "an address such as http://HOST:9090")
_MONITOR: Final = matches(
    r"arn:aws[a-z-]*:ce::\d{12}:anomalymonitor/[\w-]+",
    "a monitor's arn, arn:aws:ce::111122223333:anomalymonitor/...",
)


def _teams(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if len(name) > TEAM_LENGTH or dns_label(name) is not None]
    if wrong:
        return (
            f"with {', '.join(map(repr, wrong))}; expected names of teams, DNS labels of at most "
            f"{TEAM_LENGTH} characters"
        )
    return None


@dataclass(frozen=True)
class CostBudget:
    """The budget of a month. It limits nothing by itself: its alerts state that a share of it is spent, or
    will be by the end of the month. At most five thresholds in all."""

    amount: Annotated[float, between(1, 100_000_000)]
    """Its amount a month, in the currency."""
    emails: Annotated[list[Annotated[str, _EMAIL]], length(0, 10, "addresses"), distinct] = field(
        default_factory=list[str]
    )
    """Who gets its alerts: email addresses of owners, at most ten, on Google Cloud five. Default: none;
    only the topic gets them."""
    actual_percent: Annotated[list[Annotated[int, _PERCENT]], length(1, 5, "thresholds"), distinct] = field(
        default_factory=lambda: [80, 100]
    )
    """The parts of the amount at which what is spent raises an alert, in percent. Default 80 and 100."""
    forecast_percent: Annotated[list[Annotated[int, _PERCENT]], length(0, 4, "thresholds"), distinct] = field(
        default_factory=lambda: [100]
    )
    """The parts at which what will be spent by the end of the month raises one, in percent. AWS forecasts
    after some five weeks of use. Default 100."""
    tag: Annotated[dict[str, str], length(0, 1, "tags")] = field(default_factory=dict[str, str])
    """Only the cost of what has this tag, on Google Cloud this label: one key with its value. On AWS it has
    to be activated as a cost allocation tag, else nothing is counted. Default: all cost of the account or
    project; for a team `team` with its name."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        thresholds = len(self.actual_percent) + len(self.forecast_percent)
        if thresholds > _MOST_THRESHOLDS:
            yield Problem(
                "forecast_percent",
                f"got {thresholds} thresholds with actual_percent; expected at most {_MOST_THRESHOLDS}",
            )


@dataclass(frozen=True)
class CostAnomalies:
    """Cost Anomaly Detection: it learns what each service of the account costs, and reports what is
    unusual."""

    min_impact: Annotated[float, between(1, 1_000_000)] = 100
    """The least amount by which an anomaly exceeds what was expected, in dollars, 1 to 1000000. Default
    100."""
    min_percent: Annotated[int, between(1, 10_000, "percent")] | None = None
    """The least part of what was expected by which it exceeds that, too, in percent. Default: any."""
    monitor_arn: Annotated[Input[str], _MONITOR] | None = None
    """A monitor that exists. An account has one monitor of its services, and AWS creates it in new accounts
    as `Default-Services-Monitor`: state its arn there. Default: one that is created."""


@dataclass(frozen=True)
class CostHold:
    """The hold of queues by the budget of the environment: once this part of it is spent, each ClusterQueue
    gets the stopPolicy `Hold`. It admits nothing more, and running work goes on, until a user releases it."""

    percent: Annotated[int, _PERCENT] = 100
    """The part of the budget that is spent when queues are held, in percent: a threshold next to those of
    `actual_percent`, if it is none of them. Default 100."""
    schedule: Annotated[str, cron] = "*/10 * * * *"
    """When alerts are read, in cron's format, UTC. Default every ten minutes."""
    exempt_queues: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Queues that are not held, such as those of serving: a held one does not admit the Pod that replaces a
    server on a lost node. Default: none."""


@dataclass(frozen=True)
class CostSettings(KeyGrants, CloudNeutral):
    """Control of what an environment costs: budgets with alerts, the hold of queues by them, the detection of
    anomalies, and the end of idle work."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    currency: Annotated[str, _CURRENCY] = "USD"
    """The currency of amounts, ISO 4217: on AWS `USD`, on Google Cloud that of the billing account. Default
    `USD`."""
    billing_account: Annotated[str, _ACCOUNT] | None = None
    """Google Cloud, and required there for budgets: the billing account that pays for the project,
    `01AB23-45CD67-89EF01`. The program needs `roles/billing.costsManager` on it. Default: none."""
    budget: CostBudget | None = None
    """The budget of the environment: all cost of its account or project, without a `tag`. Default: none."""
    team_budgets: Annotated[Mapping[str, CostBudget], length(0, 50, "teams"), _teams] = field(
        default_factory=dict[str, CostBudget]
    )
    """Name of a team -> its budget, of what has its tag. Nodes that teams share have none. Default: none."""
    anomalies: CostAnomalies | None = None
    """AWS: the detection of unusual cost. Default: none."""
    hold: CostHold | None = None
    """The hold of queues once the environment's budget is spent. Requires `budget`, `image` and
    `cluster_queues`. Default: none; alerts hold nothing."""
    schedule: CostSchedule | None = None
    """Nights and weekends in which queues are held and drained. Requires `image` and `cluster_queues`;
    refused in prod. Default: none."""
    reaper: CostReaper | None = None
    """The end of work whose GPUs are idle. Requires `image`, `cluster_queues`, `prometheus_url` and the
    metrics of the add-on dcgm-exporter; refused outside dev. Default: none."""
    profile: Literal["dev", "staging", "prod"] = "prod"
    """`prod`: a schedule is refused. Other than `dev`: a reaper is refused. Default `prod`."""
    cluster_queues: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """The ClusterQueues that are held, and whose work a reaper ends: `Queues.outputs`. Default: none."""
    prometheus_url: Annotated[str, _URL] | None = None
    """Prometheus with the use of GPUs, for the reaper: `Observability.outputs`. Default: none."""
    image: Annotated[str, _IMAGE] | None = None
    """The image of the program that holds queues and ends idle work, built from `containers/cost_control`,
    with a digest. Default: none."""
    kms_key: Input[str] | None = None
    """The key that encrypts alerts: AWS: its arn, with a policy that lets AWS Budgets, Cost Anomaly Detection
    and SNS use it; Google Cloud: `projects/.../cryptoKeys/...`, in the cluster's region. Default: a key
    that is created."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource in the cloud, in addition to those of the provider; labels on Google Cloud."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def protect(self) -> bool:
        """Whether Pulumi refuses to delete the key: it encrypts alerts alone, which nothing keeps."""
        return False

    @property
    def retain_data(self) -> bool:
        """Whether the key stays in the cloud when the component is destroyed."""
        return False

    @property
    def budgets(self) -> dict[str, CostBudget]:
        """All budgets by key: `environment`, and `team-` with the name of a team, which has its tag."""
        environment = {} if self.budget is None else {ENVIRONMENT: self.budget}
        teams = {f"team-{name}": budget for name, budget in self.team_budgets.items()}
        return {**environment, **teams}

    def actual_percent(self, key: str) -> list[int]:
        """Return the thresholds of what is spent of a budget, with that of the hold."""
        stated = self.budgets[key].actual_percent
        if key != ENVIRONMENT or self.hold is None or self.hold.percent in stated:
            return stated
        return sorted([*stated, self.hold.percent])

    @property
    def held_queues(self) -> list[str]:
        """The queues that a budget holds."""
        exempt = self.hold.exempt_queues if self.hold is not None else []
        return [name for name in self.cluster_queues if name not in exempt]

    def tag_of(self, key: str) -> dict[str, str]:
        """Return the tag of what a budget counts; none counts all."""
        tag = self.budgets[key].tag
        return tag or ({} if key == ENVIRONMENT else {"team": key.removeprefix("team-")})

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from self._program()
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.cluster.region)
        yield from self.key_grants_problems(self.kms_key)
        if self.cloud == "aws" and self.currency != "USD":
            yield Problem("currency", f"{got(self.currency)}; expected 'USD': budgets of AWS have no other")
        if self.cloud == "gcp" and self.budgets and self.billing_account is None:
            yield Problem("billing_account", "missing; expected the billing account that has the budgets")
        if self.budget is not None:
            yield from self._budget("budget", self.budget)
        for name, budget in self.team_budgets.items():
            yield from self._budget(f"team_budgets.{name}", budget)

    def _program(self) -> Iterator[Problem]:
        """Yield what the program in the cluster lacks."""
        uses = {"hold": self.hold, "schedule": self.schedule, "reaper": self.reaper}
        stated = [key for key, use in uses.items() if use is not None]
        if not stated:
            return
        if self.image is None:
            yield Problem("image", f"missing; expected the image of the program that {stated[0]} runs")
        if not self.cluster_queues:
            yield Problem(stated[0], f"got it without a queue; expected `cluster_queues`, or no {stated[0]}")
        if self.schedule is not None and self.profile == "prod":
            yield Problem("schedule", "got one, and it stops prod every night; expected none in prod")
        if self.hold is not None:
            yield from self._hold(self.hold)
        if self.reaper is not None:
            if self.profile != "dev":
                yield Problem(
                    "reaper", f"got one, and it ends work of {self.profile}; expected none outside dev"
                )
            if self.prometheus_url is None:
                yield Problem(
                    "prometheus_url", "missing; expected that of Prometheus, which the reaper asks for use"
                )

    def _hold(self, hold: CostHold) -> Iterator[Problem]:
        for index, name in enumerate(hold.exempt_queues):
            if self.cluster_queues and name not in self.cluster_queues:
                yield Problem(
                    f"hold.exempt_queues[{index}]",
                    f"unknown queue {name!r}; expected one of {', '.join(self.cluster_queues)}"
                    f"{nearest(name, self.cluster_queues)}",
                )
        if self.cluster_queues and not self.held_queues:
            yield Problem("hold.exempt_queues", "got all queues; expected at least one that is held")
        if self.budget is None:
            yield Problem("hold", "got it without `budget`, whose alert holds queues; expected both or none")
        elif (
            len(self.actual_percent(ENVIRONMENT)) + len(self.budget.forecast_percent) > _MOST_THRESHOLDS
            and hold.percent not in self.budget.actual_percent
        ):
            yield Problem(
                "hold.percent",
                f"{got(hold.percent)}, one threshold more than the {_MOST_THRESHOLDS} that a budget may "
                "have; expected one of budget.actual_percent",
            )

    def _budget(self, path: str, budget: CostBudget) -> Iterator[Problem]:
        most = _EMAILS[self.cloud]
        if len(budget.emails) > most:
            yield Problem(f"{path}.emails", f"got {len(budget.emails)} addresses; expected at most {most}")
        yield from obeys(f"{path}.tag", budget.tag, TAG_RULES[self.cloud])
