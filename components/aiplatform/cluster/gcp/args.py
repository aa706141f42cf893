"""Arguments that a cluster on GKE has beside the common ones, and their rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from aiplatform._shared.args import Problem, between, distinct, got, length, matches

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIME: Final = matches(r"([01]\d|2[0-3]):[0-5]\d", "a time of day such as 03:00, in UTC")
_NAME: Final = matches(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "lower-case letters, digits and hyphens")
_MOST_EXCLUSIONS: Final = 20
_MOST_COMPLETE: Final = 3
"""Exclusions of all upgrades."""
_MOST_COMPLETE_DAYS: Final = 90
"""Of an exclusion of all upgrades; the three from "Maintenance windows and exclusions"."""
_HOURS_NEEDED: Final = 12
"""A week: GKE asks for 48 hours in any 32 days, in which each day of the week comes four times at least."""
IMAGES: Final = matches(
    # Host with or without a port, path in lower case; a tag may have upper-case letters.
    r"([a-z0-9][a-z0-9.-]*:\d+/)?[a-z0-9][a-z0-9./_-]*([:@*][A-Za-z0-9._:@*-]*)?",
    "an image name pattern such as europe-docker.pkg.dev/acme/**",
)
MEMBER: Final = matches(
    r"(user|serviceAccount|group):[^@\s]+@[^@\s]+\.[^@\s]+",
    "user:, serviceAccount: or group: with an e-mail address",
)

ExclusionScope = Literal["no_upgrades", "no_minor_upgrades", "no_minor_or_node_upgrades"]
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


class MaintenanceWindowArgs(TypedDict):
    """When GKE may upgrade and repair, every week."""

    start: str
    """The time of day in UTC, `03:00`."""
    hours: NotRequired[int]
    """How long, 4 to 24 hours. Default 6."""
    days: NotRequired[list[Weekday]]
    """Days of the week: `MO`, `TU`, `WE`, `TH`, `FR`, `SA`, `SU`; at least 12 hours a week together. Left
    out, every day."""


class MaintenanceExclusionArgs(TypedDict):
    """When GKE may not upgrade."""

    name: str
    """Its name."""
    start: str
    """Its first moment in UTC, `2026-12-18T00:00:00Z`."""
    end: str
    """Its last moment in UTC."""
    scope: NotRequired[ExclusionScope]
    """`no_upgrades`, `no_minor_upgrades` or `no_minor_or_node_upgrades`. Default `no_upgrades`."""


class NodeAutoProvisioningArgs(TypedDict):
    """How much GKE may add in node pools of its own making. Their nodes boot from pd-balanced, which machine
    series of the fourth generation and newer (`c4`, `n4`) do not take: a Pod that asks for one of these needs
    a node pool."""

    max_cpus: int
    """The most vCPUs of the whole cluster, those of other pools included."""
    max_memory_gib: int
    """The most memory of the whole cluster, in GiB."""
    accelerators: NotRequired[dict[str, int]]
    """The most accelerators of the whole cluster, by GKE's type (`nvidia-l4`). Default none."""


@dataclass(frozen=True)
class MaintenanceWindow:
    """Checked MaintenanceWindowArgs."""

    start: Annotated[str, _TIME]
    hours: Annotated[int, between(4, 24, "hours")] = 6
    days: Annotated[list[Weekday], distinct, length(1, 7, "days")] = field(default_factory=lambda: list(DAYS))  # pyright: ignore[reportArgumentType]

    def check(self) -> Iterator[Problem]:
        """What GKE needs to keep a cluster current."""
        hours = self.hours * len(self.days)
        if hours < _HOURS_NEEDED:
            yield Problem(
                "", f"got {hours} hours a week, expected {_HOURS_NEEDED} at least: raise hours or add days"
            )

    @property
    def recurrence(self) -> str:
        """The rule as RFC 5545 has it."""
        return "FREQ=DAILY" if len(self.days) == len(DAYS) else f"FREQ=WEEKLY;BYDAY={','.join(self.days)}"


def moment(value: Any) -> str | None:
    """A rule: a moment in UTC, as GKE gives it back."""
    try:
        _parsed(value)
    except ValueError:
        return "expected a moment in UTC such as 2026-12-18T00:00:00Z"
    return None


def _parsed(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class MaintenanceExclusion:
    """Checked MaintenanceExclusionArgs."""

    name: Annotated[str, _NAME]
    start: Annotated[str, moment]
    end: Annotated[str, moment]
    scope: ExclusionScope = "no_upgrades"

    def check(self) -> Iterator[Problem]:
        """It ends after it starts, and soon enough."""
        if self.end <= self.start:
            yield Problem("end", f"{got(self.end)}, expected a moment after start, {self.start}")
            return
        days = (_parsed(self.end) - _parsed(self.start)) / timedelta(days=1)
        if self.scope == "no_upgrades" and days > _MOST_COMPLETE_DAYS:
            yield Problem(
                "end",
                f"{got(self.end)}, {days:.0f} days after start, expected at most {_MOST_COMPLETE_DAYS} of "
                "scope no_upgrades; no_minor_upgrades and no_minor_or_node_upgrades may last longer",
            )


@dataclass(frozen=True)
class NodeAutoProvisioning:
    """Checked NodeAutoProvisioningArgs."""

    max_cpus: Annotated[int, between(1, 1_000_000)]
    max_memory_gib: Annotated[int, between(1, 10_000_000)]
    accelerators: dict[str, Annotated[int, between(1, 100_000)]] = field(default_factory=dict[str, int])

    def check(self) -> Iterator[Problem]:
        """Accelerators by names that GKE knows the form of."""
        for kind in self.accelerators:
            if not kind.startswith(("nvidia-", "tpu-", "ct")):
                yield Problem(
                    f"accelerators.{kind}", "expected GKE's type of an accelerator such as nvidia-l4"
                )


def exclusion_problems(exclusions: Iterable[MaintenanceExclusion]) -> Iterator[Problem]:
    """What no single exclusion can tell."""
    each = list(exclusions)
    names = [exclusion.name for exclusion in each]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"maintenance_exclusions[{index}].name", f"{got(name)} stands there twice already")
    if len(each) > _MOST_EXCLUSIONS:
        yield Problem("maintenance_exclusions", f"got {len(each)}, expected at most {_MOST_EXCLUSIONS}")
    complete = sum(exclusion.scope == "no_upgrades" for exclusion in each)
    if complete > _MOST_COMPLETE:
        yield Problem(
            "maintenance_exclusions",
            f"got {complete} of scope no_upgrades, expected at most {_MOST_COMPLETE}",
        )
