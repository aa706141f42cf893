"""A monitor of a model, by the contract of `containers/model_monitor`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, nearest
from aiplatform._shared.cron import cron
from aiplatform.model_monitor.columns import NAME, Columns, MonitoredColumn
from aiplatform.model_monitor.inputs import ModelMonitorLabelsArgs as ModelMonitorLabelsArgs
from aiplatform.model_monitor.inputs import MonitoredModelArgs as MonitoredModelArgs
from aiplatform.model_monitor.schedules import longest_gap_hours
from aiplatform.naming import dns_label
from aiplatform.pipelines.args import time_zone

Metric = Literal["accuracy", "f1", "precision", "recall", "roc_auc", "mae", "rmse", "mape"]
OF_CLASSES: Final = ("f1", "precision", "recall", "roc_auc")
"""Metrics that need the label that is positive."""
ERRORS: Final = ("mae", "rmse", "mape")
"""Metrics of which a lower one is better."""
REQUEST_ID: Final = "request_id"
BASE_MEBIBYTES: Final = 450
"""Memory of a comparison without its samples; both numbers are measured (docs/adr/0055)."""
CELL_BYTES: Final = 70
"""Memory of a value of each sample, the one of the window and the one of the baseline together."""


@dataclass(frozen=True)
class ModelMonitorLabels:
    """What the answers should have been, which is known later: the quality of the version is compared with
    that of its evaluation."""

    table: Input[str]
    """The table of labels, `database.table` of the catalog."""
    key: Annotated[str, NAME]
    """The column by which rows are joined: `request_id`, or one of `keys`."""
    label: Annotated[str, NAME]
    """The column with the label."""
    prediction: Annotated[str, NAME]
    """The answer that it is compared with, of `predictions`."""
    metric: Metric
    """`accuracy`, `f1`, `precision`, `recall`, `roc_auc`, or an error: `mae`, `rmse`, `mape`. The version has
    it as the tag `ai-platform.evaluation.candidate.METRIC`."""
    max_loss: float
    """By how much the metric may be worse than at the evaluation, in its unit: above 0, of metrics that are
    no errors below 1."""
    positive: str | None = None
    """The label that is positive: of `f1`, `precision`, `recall` and `roc_auc`. Default: none."""
    delay_hours: Annotated[int, between(0, 8760, "hours")] = 0
    """Hours until labels have arrived, 0 to 8760: quality is that of the answers in the window which ended so
    much earlier. Default 0."""

    def check(self) -> Iterator[Problem]:
        """Return a positive label that is missing, or that the metric does not have, and a loss that never
        fires, or always."""
        most = float("inf") if self.metric in ERRORS else 1
        if not 0 < self.max_loss < most:
            below = "" if self.metric in ERRORS else ", and below 1"
            yield Problem("max_loss", f"{got(self.max_loss)} of {self.metric}; expected above 0{below}")
        needed = self.metric in OF_CLASSES
        if needed and self.positive is None:
            yield Problem("positive", f"missing; expected the label that is positive for {self.metric}")
        elif not needed and self.positive is not None:
            yield Problem("positive", f"{got(self.positive)} of {self.metric}; expected it left out")


@dataclass(frozen=True)
class MonitoredModel:
    """The monitor of a model: requests are compacted into a table, and a window of them is compared with the
    snapshot that the served version was trained with."""

    owner: Annotated[str, length(1, 255, "characters")]
    """The team or the address that is responsible."""
    requests_table: Input[str]
    """The table of requests, `database.table` of the catalog, with the columns that
    docs/model-monitoring.md lists. The lakehouse declares it, with a classification of each column."""
    results_table: Input[str]
    """The table of results, `database.table`, which monitors can share."""
    columns: Columns
    """The inputs that are stored and compared."""
    baseline_table: Input[str] | None = None
    """The table that versions are trained with, `database.table`: a version has its snapshot as a tag
    (component ContinuousTraining), and one without is not compared. Default: none; nothing trains the model,
    as a language model that is imported, and all columns are compared with the first rows of the version."""
    service: Annotated[str, dns_label] | None = None
    """The service that serves it (component Serving), with a `request_log`. Either this or
    `inference_services`."""
    inference_services: Annotated[list[Annotated[str, dns_label]], length(0, 20, "names"), distinct] = field(
        default_factory=list[str]
    )
    """The names of its InferenceServices, where no service of Serving has it. Default: `SERVICE-blue` and
    `SERVICE-green`."""
    predictions: Annotated[list[MonitoredColumn], length(0, 20, "answers")] = field(
        default_factory=list[MonitoredColumn]
    )
    """The answers that are stored and compared, in their order. Default: none."""
    keys: Annotated[list[Annotated[str, NAME]], length(0, 20, "keys"), distinct] = field(
        default_factory=list[str]
    )
    """Inputs that are stored and not compared, by which labels are joined. Default: none."""
    input_order: Annotated[list[Annotated[str, NAME]], length(1, 1000, "names"), distinct] | None = None
    """The names of the model's inputs in their order, for requests without names of models whose signature in
    MLflow has none. Default: the signature's."""
    window_hours: Annotated[int, between(1, 744, "hours")] = 24
    """Hours of requests that are compared, 1 to 744; at least the time between two runs. Default 24."""
    delay_minutes: Annotated[int, between(0, 1440, "minutes")] = 30
    """Minutes that the end of a window is before the run, 0 to 1440; at least `join_minutes` and the time
    between two runs of `compact_schedule`. Default 30."""
    join_minutes: Annotated[int, between(1, 240, "minutes")] = 15
    """Minutes that an answer is waited for, 1 to 240. Default 15."""
    min_rows: Annotated[int, between(100, 1_000_000_000, "rows")] = 500
    """Rows without which a window is not compared, at least 100. Default 500."""
    sample_rows: Annotated[int, between(100, 200_000, "rows")] = 20_000
    """Rows of a sample of the window and of the baseline, `min_rows` to 200000, and at most what fits
    `memory` with the compared columns. Default 20000."""
    seed: Annotated[int, between(0, 2**31 - 1)] = 20
    """The seed of samples. Default 20."""
    min_drifted_columns: Annotated[int, between(1, 250, "columns")] = 1
    """How many columns have to differ for a window to be drifted. Default 1."""
    retrain: bool | None = None
    """Whether a window that is drifted starts a training, by a message to the team's `queue`. Default: true
    with `baseline_table`, and false without."""
    cooldown_hours: Annotated[int, between(0, 8760, "hours")] = 72
    """Hours after such a message in which there is no second one, 0 to 8760; in prod at least 1. Default
    72."""
    labels: ModelMonitorLabels | None = None
    """Where the labels are that arrive later. Default: none; then quality is not compared."""
    schedule: Annotated[str, cron] = "30 2 * * *"
    """When a window is compared, in cron's format: minute, hour, day of the month, month, day of the week.
    Default `30 2 * * *`."""
    timezone: Annotated[str, time_zone] = "UTC"
    """The time zone of the schedule, `Europe/Berlin`. Default `UTC`."""
    suspended: bool = False
    """Whether it does not run by itself. Default false."""

    @property
    def names(self) -> list[str]:
        """The InferenceServices whose requests are read."""
        return self.inference_services or [f"{self.service}-{color}" for color in ("blue", "green")]

    @property
    def compared(self) -> int:
        """How many columns are compared."""
        return sum(column.is_compared for column in (*self.columns, *self.predictions))

    def most_rows(self, mebibytes: int) -> int:
        """Return the largest `sample_rows` with which a comparison fits so much memory."""
        return max(0, mebibytes - BASE_MEBIBYTES) * 2**20 // (CELL_BYTES * max(1, self.compared))

    @property
    def retrains(self) -> bool:
        """Whether drift starts a training."""
        return self.baseline_table is not None if self.retrain is None else self.retrain

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        if self.service is None and not self.inference_services:
            yield Problem("service", "missing; expected the service, or inference_services")
        elif self.service is not None and self.inference_services:
            yield Problem("inference_services", "got some together with service; expected one of the two")
        if self.delay_minutes < self.join_minutes:
            yield Problem(
                "delay_minutes",
                f"{got(self.delay_minutes)}, and answers are waited for {self.join_minutes} minutes; "
                "expected at least that",
            )
        if self.sample_rows < self.min_rows:
            yield Problem(
                "sample_rows", f"{got(self.sample_rows)}; expected at least min_rows, {self.min_rows}"
            )
        compared = self.compared
        if not compared:
            yield Problem("columns", "all are pii without consent; expected one that is compared")
        elif self.min_drifted_columns > compared:
            yield Problem(
                "min_drifted_columns",
                f"{got(self.min_drifted_columns)}, and {compared} are compared, so that no window is "
                "drifted; expected at most that",
            )
        if self.baseline_table is None:
            yield from self._untrained()
        yield from self._window()
        yield from self._names()
        yield from self._labels()

    def _untrained(self) -> Iterator[Problem]:
        """Yield what needs a training."""
        reason = "without `baseline_table`: nothing trains the model"
        if self.retrain:
            yield Problem("retrain", f"got true {reason}; expected false")
        if self.labels is not None:
            yield Problem("labels", f"stated {reason}, and no version has a registered metric; expected none")
        for key, columns in (("columns", self.columns), ("predictions", self.predictions)):
            for index, column in enumerate(columns):
                if column.baseline_column is not None:
                    yield Problem(
                        f"{key}[{index}].baseline_column",
                        f"{got(column.baseline_column)} {reason}; expected it left out",
                    )

    def _window(self) -> Iterator[Problem]:
        gap = longest_gap_hours(self.schedule)
        if self.window_hours < gap:
            between_runs = f"up to {gap:g} hours" if gap != float("inf") else "no end"
            yield Problem(
                "window_hours",
                f"{got(self.window_hours)}, and between two runs of {self.schedule!r} are "
                f"{between_runs}: requests would never be compared; expected at least that",
            )

    def _names(self) -> Iterator[Problem]:
        first: dict[str, str] = {}
        groups = (("columns", self.columns), ("predictions", self.predictions))
        named = [
            (f"{key}[{index}].name", column.name)
            for key, group in groups
            for index, column in enumerate(group)
        ]
        named += [(f"keys[{index}]", name) for index, name in enumerate(self.keys)]
        for path, name in named:
            before = first.setdefault(name, path)
            if before != path:
                yield Problem(path, f"{got(name)}, which is {before}, too; expected each name once")

    def _labels(self) -> Iterator[Problem]:
        labels = self.labels
        if labels is None:
            return
        answers = [column.name for column in self.predictions]
        if labels.prediction not in answers:
            yield Problem(
                "labels.prediction",
                f"{got(labels.prediction)}; expected one of predictions: "
                f"{', '.join(answers) or 'there are none'}{nearest(labels.prediction, answers)}",
            )
        known = [REQUEST_ID, *self.keys]
        if labels.key not in known:
            yield Problem(
                "labels.key",
                f"{got(labels.key)}; expected one of {', '.join(known)}{nearest(labels.key, known)}",
            )
