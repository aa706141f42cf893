"""A plan from the engine's stream of events (`pulumi preview --json`, streaming)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from cli.output import CommandError
from cli.policy import events

FORMAT: Final = 1
STREAMING: Final = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true"
# Steps that change nothing in the cloud.
QUIET: Final = frozenset({"same", "read", "refresh"})
# How the engine's property maps mark what is more than JSON (pulumi/pulumi, sdk/go/common/resource/sig).
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_ASSETS: Final = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})
# A resource that is made is named anew by every preview, with seven random digits (Pulumi: auto-naming).
_MAKES: Final = frozenset({"create", "create-replacement", "replace"})
_NAMED: Final = re.compile(r"(?P<stem>.+)-[0-9a-f]{7}")
_NAMES: Final = re.compile(r"name|\w+(Name|Id)")


@dataclass(frozen=True)
class Operation:
    """One step of the engine on one resource."""

    urn: str
    op: str
    """The engine's word: `create`, `update`, `delete`, `replace`, `create-replacement`, ..."""
    diff: dict[str, str] = field(default_factory=dict[str, str])
    """What changes, by property path: `add`, `update-replace`, ..."""
    inputs: dict[str, str] = field(default_factory=dict[str, str])
    """A digest of the value of each new input: tells whether it is the same value, and not which."""


@dataclass(frozen=True)
class Plan:
    """What one preview would do, and what the policies say of it."""

    operations: tuple[Operation, ...]
    violations: tuple[dict[str, str], ...]
    policies: tuple[str, ...]
    """The policies that judged anything: a plan that none has judged is another plan."""

    @property
    def mandatory(self) -> list[dict[str, str]]:
        """The faults that stop an update."""
        return [each for each in self.violations if each["enforcement"] == "mandatory"]


def read(lines: Iterable[str]) -> Plan:
    """The plan of a whole stream.

    Raises CommandError where the preview did not come to its end or told an error, as what it would do is
    not known then. A mandatory fault of a policy is no error here: it is part of the plan.
    """
    text = list(lines)
    judged = events.read(text)
    if not judged.finished:
        raise CommandError(
            "the preview's stream has no end (no summaryEvent): expected all lines of "
            f"`pulumi preview --json` with {STREAMING}" + _told(judged.errors)
        )
    if judged.errors and not judged.mandatory:
        raise CommandError("the preview went wrong, so there is no plan:" + _told(judged.errors))
    return Plan(
        operations=tuple(sorted(_operations(text), key=lambda each: (each.urn, each.op))),
        violations=tuple(sorted((_violation(each) for each in judged.violations), key=_sorting)),
        policies=tuple(sorted(judged.policies)),
    )


def write(plan: Plan, file: Path) -> None:
    """The plan as canonical JSON: the same plan is the same bytes."""
    file.write_text(json.dumps({"format": FORMAT, **asdict(plan)}, indent=1, sort_keys=True) + "\n")


def load(file: Path) -> Plan:
    """A plan that `write` wrote. Raises CommandError for any other file."""
    try:
        found = json.loads(file.read_text())
        if found.pop("format") != FORMAT:
            raise CommandError(f"{file}: written by another version of `plan save`; save it again")
        return Plan(
            operations=tuple(Operation(**each) for each in found["operations"]),
            violations=tuple(found["violations"]),
            policies=tuple(found["policies"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{file}: not a plan; expected what `plan save {file}` writes") from error


def _operations(lines: Iterable[str]) -> list[Operation]:
    steps = [step for step in map(_step, lines) if step is not None and step["op"] not in QUIET]
    random = {name: stem for step in steps if step["op"] in _MAKES for name, stem in _random_names(step)}
    return [_operation(step, random) for step in steps]


def _step(line: str) -> Mapping[str, Any] | None:
    try:
        return json.loads(line)["resourcePreEvent"]["metadata"]
    except (KeyError, TypeError, ValueError):
        return None


def _inputs(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return (step.get("new") or {}).get("inputs") or {}


def _random_names(step: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The names that the provider drew for a resource that is made, and what stands for each in a plan."""
    inputs = _inputs(step)
    for key, value in inputs.items():
        if key in (inputs.get("__defaults") or ()) or _NAMES.fullmatch(key):
            found = _NAMED.fullmatch(value) if isinstance(value, str) else None
            if found:
                yield str(value), f"{found['stem']}-*"


def _operation(step: Mapping[str, Any], random: Mapping[str, str]) -> Operation:
    detailed = cast("Mapping[str, Mapping[str, Any]]", step.get("detailedDiff") or {})
    # A provider that gives no detailed diff still names the properties.
    named = {str(path): "changes" for path in step.get("diffs") or ()}
    return Operation(
        urn=str(step["urn"]),
        op=str(step["op"]),
        diff={path: str(each.get("diffKind")) for path, each in detailed.items()} or named,
        inputs={
            name: _digest(value, random) for name, value in _inputs(step).items() if not name.startswith("__")
        },
    )


def _digest(value: Any, random: Mapping[str, str]) -> str:
    text = json.dumps(_canonical(value, random), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: Any, random: Mapping[str, str]) -> Any:
    """Without what is of this run alone: random names, and where on the machine an asset lies."""
    if isinstance(value, str):
        # Another resource's input may hold the name in the midst of more text.
        for name in (name for name in random if name in value):
            value = value.replace(name, random[name])
        return value
    if isinstance(value, list):
        return [_canonical(each, random) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = cast("dict[str, Any]", value)
    if found.get(_SIGNATURE) in _ASSETS and found.get("hash"):
        return {"hash": found["hash"]}
    return {name: _canonical(each, random) for name, each in found.items()}


def _violation(found: events.Violation) -> dict[str, str]:
    return {
        "policy": found.policy,
        "enforcement": "mandatory" if found.mandatory else "advisory",
        "severity": found.severity,
        "urn": found.urn,
        "path": found.path,
        "problem": found.problem,
    }


def _sorting(violation: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(violation[name] for name in ("policy", "urn", "path", "problem"))


def _told(errors: Iterable[str]) -> str:
    return "".join(f"\n{each}" for each in errors)
