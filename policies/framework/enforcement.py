"""Enforcement levels and options of policies by profile, and exemptions.

Sources: `enforcement.yaml` and `exemptions.yaml` next to the policies; the engine's configuration of the pack
(`--policy-pack-config`) overrides them.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

from .discovery import ROOT, PackError
from .policy import LEVELS, PROFILES, SEVERITIES, Level, Policy, Profile
from .renamed import RENAMED

ENFORCEMENT: Final = ROOT / "enforcement.yaml"
EXEMPTIONS: Final = ROOT / "exemptions.yaml"
# Names that no program uses: a pattern that matches one of them matches every name.
_ANY: Final = ("\0", "urn:pulumi:\0::\0::\0::\0", "urn:pulumi:\0::\0::\0:\0/\0:\0::\0")
_EXEMPTION_KEYS: Final = ("policy", "resource", "owner", "reason", "expires")


@dataclass(frozen=True)
class Exemption:
    """Exempts a resource, or those of a pattern, from one policy until a date."""

    policy: str
    """The policy's id."""
    resource: str
    """The resource's URN or logical name. `*` matches any characters; every other character, such as a
    bracket, matches itself."""
    owner: str
    """The person or team that is responsible for it."""
    reason: str
    expires: datetime.date
    """The last day on which it applies."""

    def covers(self, policy: str, name: str, urn: str) -> bool:
        """Return whether it applies to a violation."""
        return policy == self.policy and self.names(name, urn)

    def names(self, name: str, urn: str) -> bool:
        """Return whether it is for a resource."""
        return any(_matches(text, self.resource) for text in (name, urn))


def _matches(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


@dataclass(frozen=True)
class Enforcement:
    """Levels and options by profile."""

    by_severity: Mapping[str, Mapping[str, Level]]
    """Severity -> profile -> level."""
    levels: Mapping[str, Mapping[str, Level]] = field(default_factory=dict[str, Mapping[str, Level]])
    """Policy -> profile -> level, where it differs from that of the severity."""
    options: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, Any]]]
    )
    """Policy -> profile -> options."""

    def level(self, policy: Policy, profile: Profile) -> Level:
        """Return the level of a policy in a profile."""
        for levels in (self.levels.get(policy.id, {}), policy.levels):
            level = levels.get(profile)
            if level is not None:
                return level
        return self.by_severity[policy.severity][profile]

    def options_of(self, policy: Policy, profile: Profile) -> dict[str, Any]:
        """Return the options of a policy in a profile, with its defaults."""
        defaults = {key: option.default for key, option in policy.options.items()}
        return {**defaults, **self.options.get(policy.id, {}).get(profile, {})}


def read_enforcement(policies: Sequence[Policy], file: Path = ENFORCEMENT) -> Enforcement:
    """Read the file. Raises PackError with every problem in it."""
    document = _mapping(_load(file), file.name)
    known = {policy.id: policy for policy in policies}
    problems = [
        f"{key}: unknown key; expected by_severity or policies"
        for key in document
        if key not in ("by_severity", "policies")
    ]
    by_severity = _by_severity(document.get("by_severity"), problems)
    levels: dict[str, dict[str, Level]] = {}
    options: dict[str, dict[str, dict[str, Any]]] = {}
    for name, profiles in _mapping(document.get("policies") or {}, "policies").items():
        policy = known.get(name)
        if policy is None:
            problems.append(f"policies.{name}: {unknown_policy(name, known)}")
            continue
        for profile, value in _mapping(profiles, f"policies.{name}").items():
            where = f"policies.{name}.{profile}"
            if profile not in PROFILES:
                problems.append(f"{where}: unknown profile; expected one of {', '.join(PROFILES)}")
                continue
            configured = {"level": value} if isinstance(value, str) else dict(_mapping(value, where))
            level = configured.pop("level", None)
            if level is not None:
                problems += _level_problems(where, level)
                levels.setdefault(name, {})[profile] = cast(Level, level)
            problems += option_problems(where, policy, configured)
            options.setdefault(name, {})[profile] = configured
    if problems:
        lines = _lines(file)
        raise PackError("\n".join(f"{_place(file, problem, lines)}: {problem}" for problem in problems))
    return Enforcement(by_severity, levels, options)


def _place(file: Path, problem: str, lines: Mapping[str, int]) -> str:
    """Return `<file>:<line>` of the key path that a problem begins with, or of the nearest key above it."""
    path = problem.partition(": ")[0]
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return f"{file.name}:{lines.get(path, 1)}"


def _by_severity(value: Any, problems: list[str]) -> dict[str, dict[str, Level]]:
    table = _mapping(value or {}, "by_severity")
    for severity in SEVERITIES:
        row = _mapping(table.get(severity) or {}, f"by_severity.{severity}")
        for profile in PROFILES:
            where = f"by_severity.{severity}.{profile}"
            problems += (
                _level_problems(where, row[profile])
                if profile in row
                else [f"{where}: missing; expected {_LEVEL}"]
            )
    problems += [
        f"by_severity.{name}: unknown severity; expected one of {', '.join(SEVERITIES)}"
        for name in table
        if name not in SEVERITIES
    ]
    return cast("dict[str, dict[str, Level]]", table)


_LEVEL: Final = f"an enforcement level: {', '.join(LEVELS)}"


def _level_problems(where: str, level: Any) -> list[str]:
    return [] if level in LEVELS else [f"{where}: got {level!r}; expected {_LEVEL}"]


def unknown_policy(name: str, known: Iterable[str]) -> str:
    """Return the problem of an id that no policy has, with the id that was probably meant."""
    if name in RENAMED:
        return f"the policy {name!r} was renamed; expected {RENAMED[name]!r}"
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"unknown policy {name!r}; expected an id of docs/policies.md" + (
        f"; did you mean {close[0]!r}?" if close else ""
    )


def option_problems(where: str, policy: Policy, options: Mapping[str, Any]) -> list[str]:
    """Return the problems of a policy's configured options."""
    problems: list[str] = []
    for key, value in options.items():
        option = policy.options.get(key)
        if option is None:
            expected = ", ".join(policy.options) or f"no key: {policy.id} has no options"
            problems.append(f"{where}.{key}: unknown key; expected {expected}")
        elif not _fits(option.schema, value):
            problems.append(f"{where}.{key}: got {value!r}; expected {_expected(option.schema)}")
    return problems


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Validate against the part of JSON schema that options use: type, enum, minimum, items. The engine
    validates its configuration against all of it; it does not see enforcement.yaml."""
    kind = _TYPES[schema["type"]]
    if isinstance(value, bool) and kind is not bool:
        return False
    if not isinstance(value, kind) or ("enum" in schema and value not in schema["enum"]):
        return False
    if "minimum" in schema and value < schema["minimum"]:
        return False
    if isinstance(value, list) and "items" in schema:
        return all(_fits(schema["items"], entry) for entry in cast("list[Any]", value))
    return True


def _expected(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kinds = {"array": "a list", "object": "an object", "integer": "an integer"}
    expected = kinds.get(schema["type"], str(schema["type"]))
    return expected + (f" of at least {schema['minimum']}" if "minimum" in schema else "")


def read_exemptions(
    policies: Iterable[Policy], today: datetime.date, file: Path = EXEMPTIONS
) -> list[Exemption]:
    """Return the exemptions in force. Raises PackError for one that is incomplete or has expired: its owner
    has to renew or remove it."""
    entries: Any = _load(file) or []
    if not isinstance(entries, list):
        raise PackError(f"{file.name}:1: got {entries!r}; expected a list of exemptions")
    known = {policy.id for policy in policies}
    lines = _lines(file)
    problems: list[str] = []
    exemptions: list[Exemption] = []
    for index, entry in enumerate(cast("list[Any]", entries)):
        place = f"{file.name}:{lines[f'[{index}]']}: [{index}]"
        if not isinstance(entry, Mapping):
            problems.append(f"{place}: got {entry!r}; expected {', '.join(_EXEMPTION_KEYS)}")
            continue
        fields = cast("Mapping[str, Any]", entry)
        wrong = list(_exemption_problems(fields, known, today))
        problems += [f"{place}{problem}" for problem in wrong]
        if not wrong:
            exemptions.append(Exemption(**fields))
    if problems:
        raise PackError("\n".join(problems))
    return exemptions


def _exemption_problems(fields: Mapping[str, Any], known: set[str], today: datetime.date) -> Iterable[str]:
    for key in fields:
        if key not in _EXEMPTION_KEYS:
            yield f".{key}: unknown key; expected {', '.join(_EXEMPTION_KEYS)}"
    for key in ("policy", "resource", "owner", "reason"):
        value = fields.get(key)
        if not isinstance(value, str) or not value.strip():
            yield f".{key}: {_got(value)}; expected a text"
    name = fields.get("policy")
    if isinstance(name, str) and name and name not in known:
        yield f".policy: {unknown_policy(name, known)}"
    pattern = fields.get("resource")
    if isinstance(pattern, str) and any(_matches(text, pattern) for text in _ANY):
        yield f".resource: {pattern!r} matches every resource; expected a name or a URN"
    expires = fields.get("expires")
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        yield f".expires: {_got(expires)}; expected a date such as 2027-01-31"
    elif expires < today:
        yield f".expires: expired on {expires}; expected a later date, or no exemption for a fixed violation"


def _got(value: Any) -> str:
    return "missing" if value is None else f"got {str(value)!r}"


def _lines(file: Path) -> dict[str, int]:
    """Return the line of each key path of a YAML file."""
    with file.open() as stream:
        # Any: the types of PyYAML do not include the result.
        return dict(_node_lines(cast("Any", yaml).compose(stream, yaml.SafeLoader), ""))


def _node_lines(node: Any, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in cast("list[tuple[Any, Any]]", node.value):
            where = f"{path}.{key.value}" if path else str(key.value)
            yield where, key.start_mark.line + 1
            yield from _node_lines(value, where)
    elif isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(cast("list[Any]", node.value)):
            yield f"{path}[{index}]", entry.start_mark.line + 1


def _load(file: Path) -> Any:
    try:
        with file.open() as stream:
            return yaml.safe_load(stream)
    except FileNotFoundError:
        raise PackError(f"{file.name}: missing; expected it next to the policies") from None
    except yaml.YAMLError as error:
        raise PackError(f"{file.name}: {' '.join(str(error).split())}") from None


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PackError(f"{where}: got {value!r}; expected keys with values")
    return cast("Mapping[str, Any]", value)
