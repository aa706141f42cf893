"""The command line of the Cluster Autoscaler that the program installed, read as it reads it.

Source: github.com/kubernetes/autoscaler, cluster-autoscaler/config/flags/flags.go. Flags that change nothing
here are passed over; a value that the real one would exit on is a `FlagError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

from twin.kubernetes.time_scale import seconds

T = TypeVar("T")
EXPANDERS: Final = ("random", "most-pods", "least-waste", "priority", "price", "grpc", "least-nodes")


class FlagError(Exception):
    """The autoscaler would exit at once; the text names the flag."""


@dataclass(frozen=True)
class Fixed:
    """A group named by `--nodes=min:max:name`."""

    name: str
    minimum: int
    maximum: int


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number is wanted") from None


def _boolean(text: str) -> bool:
    value = text.lower()
    if value not in {"true", "1", "t", "false", "0", "f"}:
        raise ValueError("true or false is wanted")
    return value in {"true", "1", "t"}


def _discovery(text: str) -> Mapping[str, str]:
    discoverer, _, rest = text.partition(":")
    key, _, tags = rest.partition("=")
    if discoverer not in {"asg", "mig"} or key not in {"tag", "namePrefix"} or not tags:
        raise ValueError(
            "it is written asg:tag=<tag>[=<value>][,<tag>...], "
            "as asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/<cluster name>"
        )
    return {name: value for name, _, value in (tag.partition("=") for tag in tags.split(","))}


def _fixed(text: str) -> Fixed:
    try:
        low, high, name = text.split(":", 2)
        fixed = Fixed(name, int(low), int(high))
    except ValueError:
        raise ValueError("it is written <min>:<max>:<Auto Scaling group's name>") from None
    if not 0 <= fixed.minimum <= fixed.maximum:
        raise ValueError("0 <= min <= max must hold")
    return fixed


def _expanders(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in EXPANDERS:
            raise ValueError(f"{name!r} is not supported; one or several of {', '.join(EXPANDERS)}")
    if len(set(names)) != len(names):
        raise ValueError("an expander may be there once only")
    return names


def _flag(name: str, read: Callable[[str], Any], default: T, *, repeats: bool = False) -> T:
    """read: makes the value of a text, or raises ValueError. repeats: all texts count, not only the last."""
    return field(default=default, metadata={"flag": name, "read": read, "repeats": repeats})


@dataclass(frozen=True)
class Flags:
    """What the flags say. Durations in seconds."""

    cloud_provider: str = _flag("cloud-provider", str, "gce")
    discovery: tuple[Mapping[str, str], ...] = _flag(
        "node-group-auto-discovery", _discovery, (), repeats=True
    )
    """One entry a `--node-group-auto-discovery`: tag to value; an empty value admits any."""
    fixed: tuple[Fixed, ...] = _flag("nodes", _fixed, (), repeats=True)
    expanders: tuple[str, ...] = _flag("expander", _expanders, ("least-waste",))
    scan_interval: float = _flag("scan-interval", seconds, 10.0)
    max_nodes_total: int = _flag("max-nodes-total", _integer, 0)
    balance_similar: bool = _flag("balance-similar-node-groups", _boolean, False)
    balancing_ignored: tuple[str, ...] = _flag("balancing-ignore-label", str, (), repeats=True)
    leader_elect: bool = _flag("leader-elect", _boolean, True)
    new_pod_delay: float = _flag("new-pod-scale-up-delay", seconds, 0.0)
    max_provision_time: float = _flag("max-node-provision-time", seconds, 900.0)
    initial_backoff: float = _flag("initial-node-group-backoff-duration", seconds, 300.0)
    max_backoff: float = _flag("max-node-group-backoff-duration", seconds, 1800.0)
    expendable_priority: int = _flag("expendable-pods-priority-cutoff", _integer, -10)
    scale_down: bool = _flag("scale-down-enabled", _boolean, True)
    unneeded_time: float = _flag("scale-down-unneeded-time", seconds, 600.0)
    unready_time: float = _flag("scale-down-unready-time", seconds, 1200.0)
    delay_after_add: float = _flag("scale-down-delay-after-add", seconds, 600.0)
    delay_after_delete: float = _flag("scale-down-delay-after-delete", seconds, 0.0)
    delay_after_failure: float = _flag("scale-down-delay-after-failure", seconds, 180.0)


def parse(arguments: Sequence[str]) -> Flags:
    """The flags of a container's command and args."""
    texts: dict[str, list[str]] = {}
    for name, text in _pairs(arguments):
        texts.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    for part in fields(Flags):
        name, read, repeats = (part.metadata[key] for key in ("flag", "read", "repeats"))
        if name in texts:
            every = tuple(_value(name, text, read) for text in texts[name])
            values[part.name] = every if repeats else every[-1]
    return Flags(**values)


def _value(name: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise FlagError(f"--{name}={text}: {error}") from error


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for index, argument in enumerate(arguments):
        if not argument.startswith("-"):
            continue
        name, equals, value = argument.lstrip("-").partition("=")
        following = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if not equals:
            value = "true" if following.startswith("-") else following
        yield name, value
