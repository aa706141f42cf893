"""How strict each policy is in each profile, how it is configured, and what is exempt from it.

`strictness.yaml` and `exemptions.yaml` stand beside the policies; the engine's own configuration of a pack
(`--policy-pack-config`) comes last.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

from .discovery import ROOT, PackError
from .policy import LEVELS, PROFILES, SEVERITIES, Level, Policy, Profile

STRICTNESS: Final = ROOT / "strictness.yaml"
EXEMPTIONS: Final = ROOT / "exemptions.yaml"
# What no program calls its own: a pattern that is like it, is like all.
_ANY: Final = ("\0", "urn:pulumi:\0::\0::\0::\0", "urn:pulumi:\0::\0::\0:\0/\0:\0::\0")
_EXEMPTION_KEYS: Final = ("policy", "resource", "owner", "reason", "expires")


@dataclass(frozen=True)
class Exemption:
    """One resource, or those of a pattern, that one policy leaves alone until a day."""

    policy: str
    """The policy's id."""
    resource: str
    """The resource's URN, or its logical name; `*` stands for any characters, and nothing else for more than
    itself: names have brackets."""
    owner: str
    """Who answers for it."""
    reason: str
    """Why it is right."""
    expires: datetime.date
    """The last day on which it holds."""

    def covers(self, policy: str, name: str, urn: str) -> bool:
        """Whether it is about this fault."""
        return policy == self.policy and any(_is_like(each, self.resource) for each in (name, urn))


def _is_like(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


@dataclass(frozen=True)
class Strictness:
    """What holds in every profile."""

    by_severity: Mapping[str, Mapping[str, Level]]
    """Severity -> profile -> level."""
    levels: Mapping[str, Mapping[str, Level]] = field(default_factory=dict[str, Mapping[str, Level]])
    """Policy -> profile -> level, where it is not its severity's."""
    options: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, Any]]]
    )
    """Policy -> profile -> its own configuration."""

    def level(self, policy: Policy, profile: Profile) -> Level:
        """How strict a policy is in a profile."""
        for said in (self.levels.get(policy.id, {}), policy.levels):
            level = said.get(profile)
            if level is not None:
                return level
        return self.by_severity[policy.severity][profile]

    def of(self, policy: Policy, profile: Profile) -> dict[str, Any]:
        """A policy's configuration in a profile, its defaults filled in."""
        defaults = {key: option.default for key, option in policy.options.items()}
        return {**defaults, **self.options.get(policy.id, {}).get(profile, {})}


def read_strictness(policies: Sequence[Policy], file: Path = STRICTNESS) -> Strictness:
    """Raises PackError with every fault of the file."""
    document = _mapping(_load(file), file.name)
    known = {policy.id: policy for policy in policies}
    faults = [
        f"{key}: unknown key, expected by_severity or policies"
        for key in document
        if key not in ("by_severity", "policies")
    ]
    by_severity = _by_severity(document.get("by_severity"), faults)
    levels: dict[str, dict[str, Level]] = {}
    options: dict[str, dict[str, dict[str, Any]]] = {}
    for name, said in _mapping(document.get("policies") or {}, "policies").items():
        policy = known.get(name)
        if policy is None:
            faults.append(f"policies.{name}: no policy of that name{_nearest(name, known)}")
            continue
        for profile, value in _mapping(said, f"policies.{name}").items():
            where = f"policies.{name}.{profile}"
            if profile not in PROFILES:
                faults.append(f"{where}: unknown profile, expected one of {', '.join(PROFILES)}")
                continue
            own = {"level": value} if isinstance(value, str) else dict(_mapping(value, where))
            level = own.pop("level", None)
            if level is not None:
                faults += _level_faults(where, level)
                levels.setdefault(name, {})[profile] = cast(Level, level)
            faults += option_faults(where, policy, own)
            options.setdefault(name, {})[profile] = own
    if faults:
        raise PackError(_told(file.name, faults))
    return Strictness(by_severity, levels, options)


def _by_severity(said: Any, faults: list[str]) -> dict[str, dict[str, Level]]:
    table = _mapping(said or {}, "by_severity")
    for severity in SEVERITIES:
        row = _mapping(table.get(severity) or {}, f"by_severity.{severity}")
        for profile in PROFILES:
            where = f"by_severity.{severity}.{profile}"
            faults += _level_faults(where, row[profile]) if profile in row else [f"{where}: missing"]
    faults += [f"by_severity.{name}: no such severity" for name in table if name not in SEVERITIES]
    return cast("dict[str, dict[str, Level]]", table)


def _level_faults(where: str, level: Any) -> list[str]:
    if level in LEVELS:
        return []
    return [f"{where}: got {level!r}, expected an enforcement level: {', '.join(LEVELS)}"]


def option_faults(where: str, policy: Policy, given: Mapping[str, Any]) -> list[str]:
    """What is wrong with a policy's own configuration."""
    faults: list[str] = []
    for key, value in given.items():
        option = policy.options.get(key)
        if option is None:
            known = ", ".join(policy.options) or "no key at all"
            faults.append(f"{where}.{key}: {policy.id} knows no such key, expected {known}")
        elif not _fits(option.schema, value):
            faults.append(f"{where}.{key}: got {value!r}, expected {_words(option.schema)}")
    return faults


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Of JSON schema what options use: type, enum, minimum, items. The engine checks its own configuration by
    the whole of it; what stands in strictness.yaml never comes to the engine."""
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


def _words(schema: Mapping[str, Any]) -> str:
    kinds = {"array": "a list", "object": "an object", "integer": "an integer"}
    words = kinds.get(schema["type"], str(schema["type"]))

    if "enum" in schema:
        words = f"one of {', '.join(map(str, schema['enum']))}"
    return words + (f" of at least {schema['minimum']}" if "minimum" in schema else "")


def read_exemptions(
    policies: Iterable[Policy], today: datetime.date, file: Path = EXEMPTIONS
) -> list[Exemption]:
    """The exemptions in force. Raises PackError for one that lacks something, or that has expired: it is
    renewed by a person, or taken out."""
    listed: Any = _load(file) or []
    if not isinstance(listed, list):
        raise PackError(f"{file.name}: expected a list of exemptions")
    known = {policy.id for policy in policies}
    faults: list[str] = []
    found: list[Exemption] = []
    entries = cast("list[Any]", listed)
    for index, (line, entry) in enumerate(zip(_lines(file), entries, strict=True)):
        where = f"line {line}: [{index}]"
        if not isinstance(entry, Mapping):
            faults.append(f"{where}: got {entry!r}, expected {', '.join(_EXEMPTION_KEYS)}")
            continue
        given = cast("Mapping[str, Any]", entry)
        wrong = list(_exemption_faults(given, known, today))
        faults += [f"{where}{fault}" for fault in wrong]
        if not wrong:
            found.append(Exemption(**given))
    if faults:
        raise PackError(_told(file.name, faults))
    return found


def _exemption_faults(given: Mapping[str, Any], known: set[str], today: datetime.date) -> Iterable[str]:
    for key in given:
        if key not in _EXEMPTION_KEYS:
            yield f".{key}: unknown key, expected {', '.join(_EXEMPTION_KEYS)}"
    for key in ("policy", "resource", "owner", "reason"):
        value = given.get(key)
        if not isinstance(value, str) or not value.strip():
            yield f".{key}: {_got(value)}, expected words"
    name = given.get("policy")
    if isinstance(name, str) and name and name not in known:
        yield f".policy: no policy {name!r}{_nearest(name, known)}"
    if isinstance(given.get("resource"), str) and any(_is_like(each, given["resource"]) for each in _ANY):
        yield f".resource: got {given['resource']!r}, expected a name or URN: nothing is exempt as a whole"
    day = given.get("expires")
    if not isinstance(day, datetime.date) or isinstance(day, datetime.datetime):
        yield f".expires: {_got(day)}, expected a day, 2027-01-31"
    elif day < today:
        yield f".expires: {day} is over; renew it with its reason, or take it out and mend the fault"


def _got(value: Any) -> str:
    return "missing" if value is None else f"got {str(value)!r}"


def _lines(file: Path) -> list[int]:
    """Where the entries of a file that is a list begin."""
    with file.open() as stream:
        # Any: the types leave out what it gives.
        node = cast("Any", yaml).compose(stream, yaml.SafeLoader)
    return [entry.start_mark.line + 1 for entry in node.value] if node is not None else []


def _load(file: Path) -> Any:
    try:
        with file.open() as stream:
            return yaml.safe_load(stream)
    except FileNotFoundError:
        raise PackError(f"{file.name}: missing; it stands beside the policies") from None
    except yaml.YAMLError as error:
        raise PackError(f"{file.name}: {' '.join(str(error).split())}") from None


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PackError(f"{where}: got {value!r}, expected keys with values")
    return cast("Mapping[str, Any]", value)


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _told(file: str, faults: Sequence[str]) -> str:
    return "\n".join([f"{file}: {len(faults)} fault(s)", *(f"  {fault}" for fault in faults)])
