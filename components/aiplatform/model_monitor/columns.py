"""What a monitor compares, by the contract of `containers/model_monitor`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Final, Literal

from aiplatform._shared.args import Problem, got, length, matches
from aiplatform.lakehouse.tables import Classification
from aiplatform.model_monitor.inputs import MonitoredColumnArgs as MonitoredColumnArgs
from aiplatform.model_monitor.inputs import MonitorThresholdsArgs as MonitorThresholdsArgs
from aiplatform.model_monitor.tables import REQUESTS

NAME: Final = matches(r"[A-Za-z_]\w{0,127}", "a column's name")
ColumnType = Literal["number", "category"]
SCORES: Final[Mapping[ColumnType, tuple[str, ...]]] = {
    "number": ("psi", "wasserstein", "ks", "missing"),
    "category": ("psi", "jensenshannon", "chisquare", "missing", "unseen"),
}
"""Type of a column -> its scores."""
P_VALUES: Final = ("ks", "chisquare")
"""Scores that state drift below their threshold; the others do at it and above."""
MOST: Final[Mapping[str, float]] = {"psi": 10, "wasserstein": 10, "jensenshannon": 0.8325}
"""Score -> what its threshold is below: it has no greater value (Jensen-Shannon: the root of ln 2), or none
that means something. Others are shares and p-values, below 1."""


@dataclass(frozen=True)
class MonitorThresholds:
    """Thresholds of a column that differ from those of its type, which docs/drift-detection.md states."""

    psi: float | None = None
    """The population stability index, above 0, below 10. Default: that of the type."""
    wasserstein: float | None = None
    """Of numbers: the normed Wasserstein distance, above 0, below 10. Default: that of the type."""
    ks: float | None = None
    """Of numbers: the p-value of the Kolmogorov-Smirnov test below which a column differs, above 0, below 1;
    each column has this one divided by their number. Default: that of the type."""
    jensenshannon: float | None = None
    """Of categories: the Jensen-Shannon distance, above 0, below 0.8325. Default: that of the type."""
    chisquare: float | None = None
    """Of categories: the p-value of the chi-square test, as `ks`. Default: that of the type."""
    missing: float | None = None
    """The share of missing values that is added, above 0, below 1. Default: that of the type."""
    unseen: float | None = None
    """Of categories: the share of values that the baseline lacks, above 0, below 1. Default: that of the
    type."""

    @property
    def stated(self) -> dict[str, float]:
        """Score -> threshold."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def check(self) -> Iterator[Problem]:
        """Return thresholds that never fire, or always."""
        for name, value in self.stated.items():
            most = MOST.get(name, 1)
            if value <= 0:
                never = "no p-value is below it" if name in P_VALUES else "every window would reach it"
                yield Problem(name, f"{got(value)}: {never}; expected more than 0")
            elif name in P_VALUES and value >= 1:
                yield Problem(name, f"{got(value)}: every p-value would be below it; expected less than 1")
            elif value >= most:
                yield Problem(name, f"{got(value)}, which no window reaches; expected less than {most:g}")


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

    @property
    def is_compared(self) -> bool:
        """Whether its values are read, and part of reports and results."""
        return self.classification != "pii" or self.pii_consent

    def check(self) -> Iterator[Problem]:
        """Return thresholds of the other type, consent to nothing, and names of other columns."""
        if self.name in REQUESTS:
            yield Problem(
                "name", f"{got(self.name)}, which every table of requests has; expected another name"
            )
        for name in self.thresholds.stated:
            if name not in SCORES[self.type]:
                yield Problem(
                    f"thresholds.{name}",
                    f"stated of a {self.type}, which has no such score; expected one of "
                    f"{', '.join(SCORES[self.type])}",
                )
        if self.pii_consent and self.classification != "pii":
            yield Problem("pii_consent", f"got true of a column that is {self.classification}; expected pii")


Columns = Annotated[list[MonitoredColumn], length(1, 200, "columns")]
