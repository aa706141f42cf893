"""Plans: read from the engine's stream of events (`pulumi preview --json`, streaming), and saved as files."""

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
# Operations that change nothing in the cloud.
QUIET: Final = frozenset({"same", "read", "refresh"})
# Signatures of values that JSON cannot express (pulumi/pulumi, sdk/go/common/resource/sig).
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_ASSETS: Final = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})
# Each preview draws a new name, with seven random digits, for a resource to create (Pulumi: auto-naming).
_CREATES: Final = frozenset({"create", "create-replacement", "replace"})
_NAMED: Final = re.compile(r"(?P<stem>.+)-[0-9a-f]{7}")
_NAMES: Final = re.compile(r"name|\w+(Name|Id)")


@dataclass(frozen=True)
class Operation:
    """One operation of the engine on one resource."""

    urn: str
    op: str
    """The engine's name of it: `create`, `update`, `delete`, `replace`, `create-replacement`, ..."""
    diff: dict[str, str] = field(default_factory=dict[str, str])
    """Property path -> kind of its change: `add`, `update-replace`, ..."""
    inputs: dict[str, str] = field(default_factory=dict[str, str])
    """Input -> digest of its new value, which shows whether two values are equal without revealing them."""


@dataclass(frozen=True)
class Plan:
    """The operations of one preview, and the violations that the policies report for it."""

    operations: tuple[Operation, ...]
    violations: tuple[dict[str, str], ...]
    policies: tuple[str, ...]
    """The policies that evaluated at least one resource: without them it is another plan."""

    @property
    def mandatory(self) -> list[dict[str, str]]:
        """The violations that stop an update."""
        return [violation for violation in self.violations if violation["enforcement"] == "mandatory"]


def read_events(lines: Iterable[str]) -> Plan:
    """Return the plan of a complete stream of events.

    Raises CommandError where the preview ended early or reported an error: its operations are incomplete. A
    mandatory violation of a policy is no error here: it is part of the plan.
    """
    text = list(lines)
    evaluation = events.read(text)
    if not evaluation.finished:
        raise CommandError(
            "the preview's stream is incomplete (no summaryEvent); expected all lines of "
            f"`pulumi preview --json` with {STREAMING}" + _joined(evaluation.errors)
        )
    if evaluation.errors and not evaluation.mandatory:
        raise CommandError("the preview failed, so there is no plan:" + _joined(evaluation.errors))
    return Plan(
        operations=tuple(sorted(_operations(text), key=lambda operation: (operation.urn, operation.op))),
        violations=tuple(sorted(map(_violation, evaluation.violations), key=_sorting)),
        policies=tuple(sorted(evaluation.policies)),
    )


def write_plan(plan: Plan, file: Path) -> None:
    """Write the plan as canonical JSON: equal plans are equal files."""
    file.write_text(json.dumps({"format": FORMAT, **asdict(plan)}, indent=1, sort_keys=True) + "\n")


def load_plan(file: Path) -> Plan:
    """Return a plan that `write_plan` wrote. Raises CommandError for any other file."""
    try:
        content = json.loads(file.read_text())
        if content.pop("format") != FORMAT:
            raise CommandError(f"{file}: written by another version of `plan save`; save it again")
        return Plan(
            operations=tuple(Operation(**operation) for operation in content["operations"]),
            violations=tuple(content["violations"]),
            policies=tuple(content["policies"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{file}: not a plan; expected what `plan save {file}` writes") from error


def _operations(lines: Iterable[str]) -> list[Operation]:
    steps = [step for step in map(_step, lines) if step is not None and step["op"] not in QUIET]
    random = {name: stem for step in steps if step["op"] in _CREATES for name, stem in _random_names(step)}
    return [_operation(step, random) for step in steps]


def _step(line: str) -> Mapping[str, Any] | None:
    try:
        return json.loads(line)["resourcePreEvent"]["metadata"]
    except (KeyError, TypeError, ValueError):
        return None


def _inputs(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return (step.get("new") or {}).get("inputs") or {}


def _random_names(step: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the random names of a resource to create, each with its placeholder in a plan."""
    inputs = _inputs(step)
    for key, value in inputs.items():
        if key in (inputs.get("__defaults") or ()) or _NAMES.fullmatch(key):
            name = _NAMED.fullmatch(value) if isinstance(value, str) else None
            if name:
                yield str(value), f"{name['stem']}-*"


def _operation(step: Mapping[str, Any], random: Mapping[str, str]) -> Operation:
    detailed = cast("Mapping[str, Mapping[str, Any]]", step.get("detailedDiff") or {})
    # A provider without detailed diffs still names the properties.
    properties = {str(path): "changes" for path in step.get("diffs") or ()}
    return Operation(
        urn=str(step["urn"]),
        op=str(step["op"]),
        diff={path: str(change.get("diffKind")) for path, change in detailed.items()} or properties,
        inputs={
            name: _digest(value, random) for name, value in _inputs(step).items() if not name.startswith("__")
        },
    )


def _digest(value: Any, random: Mapping[str, str]) -> str:
    text = json.dumps(_canonical(value, random), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: Any, random: Mapping[str, str]) -> Any:
    """Return the value without what differs between runs: random names, and paths of assets."""
    if isinstance(value, str):
        # Another resource's input may contain the name within more text.
        for name in (name for name in random if name in value):
            value = value.replace(name, random[name])
        return value
    if isinstance(value, list):
        return [_canonical(item, random) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    properties = cast("dict[str, Any]", value)
    if properties.get(_SIGNATURE) in _ASSETS and properties.get("hash"):
        return {"hash": properties["hash"]}
    return {name: _canonical(item, random) for name, item in properties.items()}


def _violation(violation: events.Violation) -> dict[str, str]:
    return {
        "policy": violation.policy,
        "enforcement": "mandatory" if violation.mandatory else "advisory",
        "severity": violation.severity,
        "urn": violation.urn,
        "path": violation.path,
        "problem": violation.problem,
    }


def _sorting(violation: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(violation[name] for name in ("policy", "urn", "path", "problem"))


def _joined(errors: Iterable[str]) -> str:
    return "".join(f"\n{error}" for error in errors)
