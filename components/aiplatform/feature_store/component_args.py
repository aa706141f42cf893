"""Arguments of the feature store's registry, schedule and server."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, matches
from aiplatform.feature_store.inputs import FeatureMaterializationArgs as FeatureMaterializationArgs
from aiplatform.feature_store.inputs import FeatureRegistryArgs as FeatureRegistryArgs
from aiplatform.feature_store.inputs import FeatureServerArgs as FeatureServerArgs
from aiplatform.naming import dns_label

_CACHE: Final = between(1, 3600, "seconds")
_TIMEOUT: Final = between(1, 1440, "minutes")
_REPLICAS: Final = between(1, 50, "Pods")

RegistryKind = Literal["bucket", "sql"]


@dataclass(frozen=True)
class FeatureRegistry:
    """Feast's registry of features."""

    kind: RegistryKind = "bucket"
    """`bucket`: one object in a dedicated bucket. `sql`: a database, for concurrent appliers. Default
    `bucket`."""
    secret: Input[Annotated[str, dns_label]] | None = None
    """With `sql`, and required there: a Kubernetes Secret in the namespace `feature-store` whose key `url` is
    the database's URL in SQLAlchemy's form (`postgresql+psycopg://...`). You create it; it is in no
    output."""
    server_secret: Input[Annotated[str, dns_label]] | None = None
    """With `sql`: another Secret like `secret`, only for the server, with the URL of a database user that may
    only read (`GRANT SELECT`). Such a server starts once `feast apply` has created the tables and the
    project. Default `secret`: the server can then write the registry, too."""
    cache_seconds: Input[Annotated[int, _CACHE]] = 60
    """How long servers cache the registry, in seconds: 1 to 3600. Default 60."""

    def check(self) -> Iterator[Problem]:
        """Return the problems with its Secrets."""
        if self.kind == "sql" and self.secret is None:
            yield Problem("secret", "missing; expected the Kubernetes Secret that the database's URL is in")
        if self.kind == "bucket" and self.secret is not None:
            yield Problem("secret", f"{got(self.secret)} with a registry in a bucket; expected kind: sql")
        if self.server_secret is None:
            return
        if self.kind == "bucket":
            yield Problem(
                "server_secret", f"{got(self.server_secret)} with a registry in a bucket; expected kind: sql"
            )
        elif self.server_secret == self.secret:
            yield Problem(
                "server_secret",
                f"{got(self.server_secret)}, which is `secret`, too; expected another Secret, with a "
                "database user that may only read",
            )


_CPU: Final = matches(r"\d+m|\d+(\.\d+)?", "CPUs such as 500m or 2")
_MEMORY: Final = matches(r"\d+(Mi|Gi)", "memory such as 512Mi or 4Gi")
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART: Final = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?")


def cron(value: Any) -> str | None:
    """A rule: a schedule of Kubernetes with numbers."""
    expected = "expected five fields of minute, hour, day, month and weekday, such as '17 * * * *'"
    fields = str(value).split(" ")
    if len(fields) != len(_RANGES):
        return expected
    for text, (low, high) in zip(fields, _RANGES, strict=True):
        for part in text.split(","):
            match = _PART.fullmatch(part)
            if match is None or not all(
                low <= int(number) <= high for number in match.groups()[:2] if number
            ):
                return f"{expected}: {part!r} is not from {low} to {high}"
    return None


@dataclass(frozen=True)
class FeatureMaterialization:
    """The schedule that writes features from the lakehouse to the online store."""

    schedule: Input[Annotated[str, cron]] = "17 * * * *"
    """The schedule, in UTC, in cron's format: five fields. Default every hour, `17 * * * *`."""
    suspended: bool = False
    """Whether the schedule is suspended. Default false."""
    timeout_minutes: Input[Annotated[int, _TIMEOUT]] = 50
    """The time limit of a run, in minutes: 1 to 1440. Default 50."""
    cpu: Input[Annotated[str, _CPU]] = "1"
    """The CPU request of a run, in Kubernetes' notation. Default `1`."""
    memory: Input[Annotated[str, _MEMORY]] = "4Gi"
    """The memory of a run, in Kubernetes' notation; all rows of a run are in memory. Default `4Gi`."""


@dataclass(frozen=True)
class FeatureServer:
    """The server of features for applications."""

    min_replicas: Input[Annotated[int, _REPLICAS]] = 2
    """The least number of Pods: 1 to 50. Default 2."""
    max_replicas: Input[Annotated[int, _REPLICAS]] = 6
    """The greatest number of Pods: 1 to 50. Default 6."""
    cpu: Input[Annotated[str, _CPU]] = "500m"
    """The CPU request of a Pod, in Kubernetes' notation; at 70% of it Pods are added. Default `500m`."""
    memory: Input[Annotated[str, _MEMORY]] = "1Gi"
    """The memory of a Pod, in Kubernetes' notation. Default `1Gi`."""
    clients: Annotated[list[Input[Annotated[str, dns_label]]], distinct] = field(
        default_factory=list[Input[str]]
    )
    """The namespaces whose Pods may send requests. Default none."""
    metrics: bool = False
    """Whether each Pod serves metrics of requests and of the age of features to the namespace `monitoring`
    (component Observability). Default false."""

    def check(self) -> Iterator[Problem]:
        """Return a problem where the least number is greater than the greatest."""
        least, most = self.min_replicas, self.max_replicas
        if isinstance(least, int) and isinstance(most, int) and least > most:
            yield Problem("max_replicas", f"got {most}; expected at least {least}")
