"""The command line of the Cluster Autoscaler that the program installed, read as it reads it.

Source: github.com/kubernetes/autoscaler, cluster-autoscaler/config/flags/flags.go. Flags that change nothing
here are passed over; a value that the real one would exit on is a `FlagError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twin.kubernetes.time_scale import seconds

EXPANDERS: Final = ("random", "most-pods", "least-waste", "priority", "price", "grpc", "least-nodes")


class FlagError(Exception):
    """The autoscaler would exit at once; the text names the flag."""


@dataclass(frozen=True)
class Fixed:
    """A group named by `--nodes=min:max:name`."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Flags:
    """What the flags say. Durations in seconds."""

    cloud_provider: str = "gce"
    discovery: tuple[Mapping[str, str], ...] = ()
    """One entry a `--node-group-auto-discovery`: tag to value; an empty value admits any."""
    fixed: tuple[Fixed, ...] = ()
    expanders: tuple[str, ...] = ("least-waste",)
    scan_interval: float = 10.0
    max_nodes_total: int = 0
    balance_similar: bool = False
    balancing_ignored: tuple[str, ...] = ()
    leader_elect: bool = True
    new_pod_delay: float = 0.0
    max_provision_time: float = 900.0
    initial_backoff: float = 300.0
    max_backoff: float = 1800.0
    expendable_priority: int = -10
    scale_down: bool = True
    unneeded_time: float = 600.0
    unready_time: float = 1200.0
    delay_after_add: float = 600.0
    delay_after_delete: float = 0.0
    delay_after_failure: float = 180.0
    enforce_min_size: bool = False
    daemonsets_in_template: bool = False


def parse(arguments: Sequence[str]) -> Flags:
    """The flags of a container's command and args."""
    values: dict[str, list[str]] = {}
    for name, value in _pairs(arguments):
        values.setdefault(name, []).append(value)
    reader = _Reader(values)
    return Flags(
        cloud_provider=reader.text("cloud-provider", "gce"),
        discovery=tuple(_discovery(text) for text in values.get("node-group-auto-discovery", ())),
        fixed=tuple(_fixed(text) for text in values.get("nodes", ())),
        expanders=_expanders(reader.text("expander", "least-waste")),
        scan_interval=reader.duration("scan-interval", 10.0),
        max_nodes_total=reader.integer("max-nodes-total", 0),
        balance_similar=reader.boolean("balance-similar-node-groups", False),
        balancing_ignored=tuple(values.get("balancing-ignore-label", ())),
        leader_elect=reader.boolean("leader-elect", True),
        new_pod_delay=reader.duration("new-pod-scale-up-delay", 0.0),
        max_provision_time=reader.duration("max-node-provision-time", 900.0),
        initial_backoff=reader.duration("initial-node-group-backoff-duration", 300.0),
        max_backoff=reader.duration("max-node-group-backoff-duration", 1800.0),
        expendable_priority=reader.integer("expendable-pods-priority-cutoff", -10),
        scale_down=reader.boolean("scale-down-enabled", True),
        unneeded_time=reader.duration("scale-down-unneeded-time", 600.0),
        unready_time=reader.duration("scale-down-unready-time", 1200.0),
        delay_after_add=reader.duration("scale-down-delay-after-add", 600.0),
        delay_after_delete=reader.duration("scale-down-delay-after-delete", 0.0),
        delay_after_failure=reader.duration("scale-down-delay-after-failure", 180.0),
        enforce_min_size=reader.boolean("enforce-node-group-min-size", False),
        daemonsets_in_template=reader.boolean("force-ds", False),
    )


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for index, argument in enumerate(arguments):
        if not argument.startswith("-"):
            continue
        name, equals, value = argument.lstrip("-").partition("=")
        following = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if not equals:
            value = "true" if following.startswith("-") else following
        yield name, value


class _Reader:
    """Typed values of flags that may be there; the last one counts, as with pflag."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._found = values

    def text(self, name: str, default: str) -> str:
        return self._found[name][-1] if name in self._found else default

    def duration(self, name: str, default: float) -> float:
        if name not in self._found:
            return default
        try:
            return seconds(self._found[name][-1])
        except ValueError as error:
            raise FlagError(f"--{name}: {error}") from error

    def integer(self, name: str, default: int) -> int:
        try:
            return int(self._found[name][-1]) if name in self._found else default
        except ValueError as error:
            raise FlagError(f"--{name}={self._found[name][-1]}: a whole number is wanted") from error

    def boolean(self, name: str, default: bool) -> bool:
        if name not in self._found:
            return default
        value = self._found[name][-1].lower()
        if value in {"true", "1", "t"}:
            return True
        if value in {"false", "0", "f"}:
            return False
        raise FlagError(f"--{name}={value}: true or false is wanted")


def _discovery(spec: str) -> Mapping[str, str]:
    discoverer, _, rest = spec.partition(":")
    key, _, tags = rest.partition("=")
    if discoverer not in {"asg", "mig"} or key not in {"tag", "namePrefix"} or not tags:
        raise FlagError(
            f"--node-group-auto-discovery={spec}: it is written asg:tag=<tag>[=<value>][,<tag>...], "
            "as asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/<cluster name>"
        )
    return {name: value for name, _, value in (tag.partition("=") for tag in tags.split(","))}


def _fixed(spec: str) -> Fixed:
    try:
        low, high, name = spec.split(":", 2)
        fixed = Fixed(name, int(low), int(high))
    except ValueError as error:
        raise FlagError(f"--nodes={spec}: it is written <min>:<max>:<Auto Scaling group's name>") from error
    if not 0 <= fixed.minimum <= fixed.maximum:
        raise FlagError(f"--nodes={spec}: 0 <= min <= max must hold")
    return fixed


def _expanders(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in EXPANDERS:
            raise FlagError(
                f"--expander={text}: {name!r} is not supported; one or several of {', '.join(EXPANDERS)}"
            )
    if len(set(names)) != len(names):
        raise FlagError(f"--expander={text}: an expander may stand there once only")
    return names
