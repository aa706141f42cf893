"""What the environment's file declares of monitors: the file that the variable MONITORS_FILE names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from model_monitor.errors import RefusedError

FILE: Final = "/etc/model-monitor/monitors.json"
"""The file by default."""
REQUEST_ID: Final = "request_id"
FIXED: Final = (REQUEST_ID, "row", "time", "version", "inference_service", "object", "problem")
"""Columns of every table of requests."""

Kind = Literal["number", "category"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Table = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]

DEFAULTS: Final[Mapping[Kind, Mapping[str, float]]] = {
    "number": {"ks": 0.001, "psi": 0.15, "wasserstein": 0.15, "missing": 0.05},
    "category": {"chisquare": 0.001, "psi": 0.15, "jensenshannon": 0.12, "missing": 0.05, "unseen": 0.02},
}
"""Thresholds by type. Those of `ks` and `chisquare` are p-values for all columns together: each column has
this one divided by their number."""
TESTS: Final = frozenset({"ks", "chisquare"})
"""Scores that are p-values: a smaller one is drift."""
_MOST: Final = {"psi": 10.0, "wasserstein": 10.0, "jensenshannon": 0.8325}
"""The most that a distance is (Jensen-Shannon: the root of ln 2) or that means something; a share and a
p-value are at most 1. A threshold above it never fires."""
METRICS: Final[Mapping[str, bool]] = {
    "accuracy": False,
    "f1": False,
    "precision": False,
    "recall": False,
    "roc_auc": False,
    "mae": True,
    "rmse": True,
    "mape": True,
}
"""Metric of quality -> whether a lower one is better."""
_BINARY: Final = frozenset({"f1", "precision", "recall", "roc_auc"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Compared(_Part):
    name: Name
    type: Kind
    classification: Literal["public", "internal", "pii"] = "internal"
    pii_consent: bool = False
    thresholds: Mapping[str, float] = Field(default_factory=dict)

    @property
    def is_compared(self) -> bool:
        """Whether its values are read, and part of reports and results."""
        return self.classification != "pii" or self.pii_consent

    @property
    def limits(self) -> Mapping[str, float]:
        """Score -> threshold."""
        return {**DEFAULTS[self.type], **self.thresholds}

    @model_validator(mode="after")
    def _check(self) -> _Compared:
        for score, value in self.thresholds.items():
            if score not in DEFAULTS[self.type]:
                expected = ", ".join(DEFAULTS[self.type])
                raise ValueError(f"thresholds.{score}: expected one of {expected} for a {self.type}")
            most = _MOST.get(score, 1.0)
            if not 0 < value < most:
                raise ValueError(
                    f"thresholds.{score}: got {value:g}, which never or always fires; expected above 0 and "
                    f"below {most:g}"
                )
        if self.name in FIXED:
            raise ValueError(f"{self.name}: a column of every table of requests; expected another name")
        return self


class Column(_Compared):
    """An input of the model. baseline_column: of the training's table; None: the same name."""

    baseline_column: Name | None = None

    @property
    def source(self) -> str:
        """Its column of the training's table."""
        return self.baseline_column or self.name


class Prediction(_Compared):
    """An answer of the model. baseline_column: None: it is compared with the first answers of the version."""

    baseline_column: Name | None = None


class Labels(_Part):
    """Labels that arrive later. key: of both tables. max_loss: by how much the metric may be worse than the
    one that the version was registered with. delay_hours: how long before the window that of the answers is
    which have their labels."""

    table: Table
    key: Name
    label: Name
    prediction: Name
    metric: Literal["accuracy", "f1", "precision", "recall", "roc_auc", "mae", "rmse", "mape"]
    max_loss: Annotated[float, Field(gt=0)]
    positive: str | None = None
    delay_hours: Annotated[int, Field(ge=0, le=8760)] = 0

    @model_validator(mode="after")
    def _check(self) -> Labels:
        if (self.metric in _BINARY) != (self.positive is not None):
            needs = "expected the label that is positive" if self.metric in _BINARY else "expected none"
            raise ValueError(f"positive: got {self.positive!r} with metric {self.metric}; {needs}")
        if not METRICS[self.metric] and self.max_loss >= 1:
            raise ValueError(f"max_loss: got {self.max_loss:g}, which never fires; expected below 1")
        return self


class Monitor(_Part):
    """A monitor of a model; /docs/model-monitoring.md states the keys."""

    inference_services: Annotated[tuple[str, ...], Field(min_length=1)]
    requests_table: Table
    results_table: Table
    baseline_table: Table | None = None
    """None: nothing trains the model, and all columns are compared with the first rows of the version."""
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=200)]
    predictions: Annotated[tuple[Prediction, ...], Field(max_length=20)] = ()
    keys: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    input_order: tuple[Name, ...] | None = None
    window_hours: Annotated[int, Field(ge=1, le=744)] = 24
    delay_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    min_rows: Annotated[int, Field(ge=100)] = 500
    sample_rows: Annotated[int, Field(ge=100, le=200_000)] = 20_000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 20
    join_minutes: Annotated[int, Field(ge=1, le=240)] = 15
    min_drifted_columns: Annotated[int, Field(ge=1)] = 1
    retrain: bool = True
    cooldown_hours: Annotated[float, Field(ge=0, le=8760)] = 72
    labels: Labels | None = None

    @field_validator("inference_services")
    @classmethod
    def _plain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name or "/" in name:
                raise ValueError(f"got {name!r}; expected the name of an InferenceService")
        return names

    @model_validator(mode="after")
    def _check(self) -> Monitor:
        names = [*(part.name for part in self.compared(everything=True)), *self.keys]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns, predictions, keys: {', '.join(twice)} is stated twice")
        if set(self.keys) & set(FIXED):
            raise ValueError(f"keys: got {', '.join(self.keys)}; expected inputs, not {', '.join(FIXED)}")
        if self.sample_rows < self.min_rows:
            raise ValueError(
                f"sample_rows: got {self.sample_rows}; expected min_rows ({self.min_rows}) or more"
            )
        if self.delay_minutes < self.join_minutes:
            raise ValueError(
                f"delay_minutes: got {self.delay_minutes}; expected join_minutes ({self.join_minutes}) or "
                "more: requests wait that long for their answers"
            )
        if not any(True for _ in self.compared()):
            raise ValueError("columns: all are pii without consent; expected one that is compared")
        if self.min_drifted_columns > len(list(self.compared())):
            raise ValueError(
                f"min_drifted_columns: got {self.min_drifted_columns}, which never fires: "
                f"{len(list(self.compared()))} columns are compared"
            )
        if self.baseline_table is None:
            self._check_untrained()
        if self.labels is not None:
            self._check_labels(self.labels)
        return self

    def _check_untrained(self) -> None:
        if self.retrain:
            raise ValueError("retrain: got true without baseline_table; expected false: nothing trains it")
        if self.labels is not None:
            raise ValueError(
                "labels: stated without baseline_table; expected none: no evaluation is registered"
            )
        if sources := [part.name for part in self.compared(everything=True) if part.baseline_column]:
            raise ValueError(
                f"baseline_column of {', '.join(sources)}: stated without baseline_table; expected none"
            )

    def _check_labels(self, labels: Labels) -> None:
        if labels.prediction not in [part.name for part in self.predictions]:
            raise ValueError(f"labels.prediction: got {labels.prediction!r}; expected one of predictions")
        if labels.key != REQUEST_ID and labels.key not in self.keys:
            raise ValueError(f"labels.key: got {labels.key!r}; expected {REQUEST_ID} or one of keys")

    def compared(self, *, everything: bool = False) -> Iterator[Column | Prediction]:
        """Yield the inputs and answers that are compared. everything: also those without consent."""
        for part in (*self.columns, *self.predictions):
            if everything or part.is_compared:
                yield part

    def source(self, part: Column | Prediction) -> str | None:
        """Return the column of the training's table that a part is compared with; None: it is compared with
        the first rows of the version."""
        if self.baseline_table is None:
            return None
        return part.source if isinstance(part, Column) else part.baseline_column

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs that are stored."""
        return [*(column.name for column in self.columns), *self.keys]


def monitors() -> Mapping[str, Monitor]:
    """Return the declared monitors by their models. Raises RefusedError for a file of another form."""
    file = Path(os.environ.get("MONITORS_FILE") or FILE)
    try:
        return {name: Monitor.model_validate(entry) for name, entry in json.loads(file.read_text()).items()}
    except ValidationError as error:
        places = (
            f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}".removeprefix(": ")
            for entry in error.errors(include_url=False)
        )
        raise RefusedError(f"{file}: {'; '.join(places)}") from error
    except (OSError, ValueError, AttributeError) as error:
        raise RefusedError(f"{file}: {error}; expected the ConfigMap of the platform") from error


def monitor(model: str) -> Monitor:
    """Return the monitor of a model. Raises RefusedError for an unknown one."""
    known = monitors()
    if model not in known:
        raise RefusedError(
            f"model {model!r}: expected one of {', '.join(sorted(known)) or 'none: the file is empty'}"
        )
    return known[model]
