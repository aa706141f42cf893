"""The argument `traces` of the observability component."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiplatform._shared.args import Problem, between

ENDPOINTS: Final = ("eks-auth", "xray")
"""AWS services that the collector calls: a network without access to the internet needs interface endpoints
for them."""


@dataclass(frozen=True)
class Traces:
    """Traces in the cloud's store: X-Ray on AWS, Cloud Trace on Google Cloud, both of which keep them for 30
    days. Pods send them to an OpenTelemetry collector by OTLP."""

    sampled_percent: Annotated[float, between(0.01, 100, "percent")] = 10
    """The share of traces that is kept, percent, 0.01 to 100: the same traces whichever replica gets their
    spans. Default 10."""
    keep_errors: bool = False
    """Whether every trace with an error is kept, whatever `sampled_percent`. The collector then holds all
    spans for ten seconds, and only one replica may. Default false."""
    keep_slower_than_ms: Annotated[int, between(1, 3_600_000, "ms")] | None = None
    """The duration from which every trace is kept, whatever `sampled_percent`, milliseconds. It has the cost
    of `keep_errors`. Default: none."""
    replicas: Annotated[int, between(1, 10, "replicas")] = 1
    """Replicas of the collector, 1 to 10. Default 1."""

    @property
    def decides_late(self) -> bool:
        """Whether whole traces are needed to decide which of them are kept (tail sampling)."""
        return self.keep_errors or self.keep_slower_than_ms is not None

    def problems(self, path: str) -> Iterator[Problem]:
        """Yield the problems that concern several keys. path: the argument's."""
        if self.decides_late and self.replicas > 1:
            key = "keep_errors" if self.keep_errors else "keep_slower_than_ms"
            yield Problem(
                f"{path}.replicas",
                f"got {self.replicas} with `{key}`, for which all spans of a trace must reach one replica; "
                "expected 1",
            )
