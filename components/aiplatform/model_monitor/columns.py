"""What a monitor compares, by the contract of `containers/model_monitor`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Final, Literal

from aiplatform._shared.args import Problem, got, length, matches
from aiplatform.lakehouse.tables import Classification
from aiplatform.model_monitor.inputs import MonitoredColumnArgs as MonitoredColumnArgs
from aiplatform.model_monitor.inputs import MonitorThresholdsArgs as MonitorThresholdsArgs

NAME: Final = matches(r"[A-Za-z_]\w{0,127}", "a column's name")
ColumnType = Literal["number", "category"]
DEFAULTS: Final[Mapping[ColumnType, Mapping[str, float]]] = {
    "number": {"psi": 0.2, "wasserstein": 0.15, "ks": 0.05, "missing": 0.05},
    "category": {"psi": 0.2, "jensenshannon": 0.1, "chisquare": 0.05, "missing": 0.05, "unseen": 0.02},
}
"""Type of a column -> score -> the threshold that the program has by default."""
P_VALUES: Final = ("ks", "chisquare")
"""Scores that state drift below their threshold; the others do at it and above."""
_MOST: Final[Mapping[str, float]] = {"psi": 10, "wasserstein": 10}
"""The greatest threshold of scores without an upper bound; that of the others is 1."""


@dataclass(frozen=True)
class MonitorThresholds:
    """Thresholds of a column that differ from those of its type (docs/model-monitoring.md)."""

    psi: float | None = None
    """The population stability index, above 0, at most 10. Default 0.2."""
    wasserstein: float | None = None
    """Of numbers: the normed Wasserstein distance, above 0, at most 10. Default 0.15."""
    ks: float | None = None
    """Of numbers: the p-value of the Kolmogorov-Smirnov test below which a column differs, above 0, below 1;
    it counts together with a distance alone. Default 0.05, divided by the columns."""
    jensenshannon: float | None = None
    """Of categories: the Jensen-Shannon distance, above 0, at most 1. Default 0.1."""
    chisquare: float | None = None
    """Of categories: the p-value of the chi-square test, as `ks`. Default 0.05, divided by the columns."""
    missing: float | None = None
    """The share of missing values that is added, above 0, at most 1. Default 0.05."""
    unseen: float | None = None
    """Of categories: the share of values that the baseline lacks, above 0, at most 1. Default 0.02."""

    @property
    def stated(self) -> dict[str, float]:
        """Score -> threshold."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def check(self) -> Iterator[Problem]:
        """Return thresholds that never fire, or always."""
        for name, value in self.stated.items():
            most = _MOST.get(name, 1)
            if value <= 0:
                never = "no p-value is below it" if name in P_VALUES else "every window would reach it"
                yield Problem(name, f"{got(value)}: {never}; expected more than 0")
            elif name in P_VALUES and value >= 1:
                yield Problem(name, f"{got(value)}: every p-value would be below it; expected less than 1")
            elif value > most:
                yield Problem(name, f"{got(value)}, which no window reaches; expected at most {most:g}")


@dataclass(frozen=True)
class MonitoredColumn:
    """An input or an answer of a model. Others are not stored."""

    name: Annotated[str, NAME]
    """Its name in requests, and in `requests_table`."""
    type: ColumnType
    """`number` or `category`."""
    classification: Classification = "internal"
    """`public`, `internal` or `pii`, as `requests_table` classifies it. Default `internal`."""
    pii_consent: bool = False
    """Whether a column that is `pii` is compared, and is in reports, which have its distribution. Default
    false: it is stored only."""
    baseline_column: Annotated[str, NAME] | None = None
    """The column of `baseline_table`. Default: of an input its name; of an answer none, so that it is
    compared with the first answers of the version."""
    thresholds: MonitorThresholds = MonitorThresholds()
    """Thresholds that differ from those of its type."""

    def check(self) -> Iterator[Problem]:
        """Return thresholds of the other type, and consent to nothing."""
        for name in self.thresholds.stated:
            if name not in DEFAULTS[self.type]:
                yield Problem(
                    f"thresholds.{name}",
                    f"stated of a {self.type}, which has no such score; expected one of "
                    f"{', '.join(DEFAULTS[self.type])}",
                )
        if self.pii_consent and self.classification != "pii":
            yield Problem("pii_consent", f"got true of a column that is {self.classification}; expected pii")


Columns = Annotated[list[MonitoredColumn], length(1, 200, "columns")]
