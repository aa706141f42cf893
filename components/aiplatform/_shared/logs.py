"""How long logs are retained, and where."""

from collections.abc import Iterator
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, got

DEFAULT_DAYS: Final = 90
"""Of the logs of a function or a workflow."""
# logs:PutRetentionPolicy, retentionInDays.
RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def retention(*, off: bool = False) -> Rule:
    """Return a rule for the retention periods of CloudWatch Logs, days. off: also 0, for no logs."""
    allowed = (0, *RETENTION_DAYS) if off else RETENTION_DAYS

    def rule(value: Any) -> str | None:
        if value in allowed:
            return None
        near = min(allowed, key=lambda days: (abs(days - value), days))
        return f"expected one of {', '.join(map(str, allowed))} days; {near} is the nearest"

    return rule


def log_bucket_problems(log_bucket: Input[str] | None, log_days: int | None) -> Iterator[Problem]:
    """Yield a retention next to a log bucket that exists: it is the bucket's."""
    if log_bucket is not None and log_days is not None:
        yield Problem(
            "log_days",
            f"{got(log_days)} with `log_bucket`; expected one of the two: the bucket's retention applies to "
            "all of its logs",
        )
