"""Kubernetes versions that EKS supports, with the ends of their support.

Source: the EKS release calendar (https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html).
Compared: 1.31 to 1.35 with endoflife.date/amazon-eks (2026-02) and aws-samples' EKS operation review of
2026-04-24; 1.36 with `aws eks describe-cluster-versions` of 2026-07-28. A version that EKS
released later is missing: that command prints it with its dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final


@dataclass(frozen=True)
class Support:
    """The last days of a version's support."""

    standard: date
    extended: date


VERSIONS: Final[Mapping[str, Support]] = {
    "1.31": Support(date(2025, 11, 26), date(2026, 11, 26)),
    "1.32": Support(date(2026, 3, 23), date(2027, 3, 23)),
    "1.33": Support(date(2026, 7, 29), date(2027, 7, 29)),
    "1.34": Support(date(2026, 12, 2), date(2027, 12, 2)),
    "1.35": Support(date(2027, 3, 27), date(2028, 3, 27)),
    "1.36": Support(date(2027, 8, 2), date(2028, 8, 2)),
}


def today() -> date:
    """Return the day in UTC, by which EKS ends support."""
    return datetime.now(UTC).date()


def out_of_support(version: str, support: str, day: date) -> str | None:
    """Return why EKS does not offer a version on a day under `standard` or `extended` support, or None."""
    standard = [name for name, dates in VERSIONS.items() if day <= dates.standard]
    extended = [name for name, dates in VERSIONS.items() if dates.standard < day <= dates.extended]
    if version in standard or (version in extended and support == "extended"):
        return None
    offered = f"expected a version in support: {', '.join(reversed(standard))}"
    if support == "extended":
        return f"{offered}, or under extended support {', '.join(reversed(extended))}"
    if version in extended:
        ended = VERSIONS[version].standard
        return f"{offered}; standard support of {version} ended on {ended}, support 'extended' keeps it"
    return offered
