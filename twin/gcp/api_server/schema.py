"""A JSON body against a schema of a discovery document: unknown keys, types, enums, patterns, formats."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final, Protocol

Schema = dict[str, Any]
Violations = list[tuple[str, str]]

_WHOLE: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
# The document calls it required; the API takes what the newer field `networkPeering` says.
_OPTIONAL: Final = frozenset({("compute.networks.addPeering", "name")})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DURATION: Final = re.compile(r"-?\d+(\.\d{1,9})?s")
# Old documents mark what a caller cannot set in words only.
_OUTPUT: Final = re.compile(r"\s*(\[Output[ -]Only\]|Output only\.|@OutputOnly)", re.IGNORECASE)


class Schemas(Protocol):
    """What a document holds."""

    schemas: dict[str, Schema]


def violations(document: Schemas, name: str, body: Any, method_id: str = "") -> Violations:
    """(path, reason) of all that is wrong; the reason is worded as Google's JSON parser does.

    method_id: the method whose required fields (`annotations.required`) must be there.
    """
    violations: Violations = []
    _check(document, {"$ref": name}, body, "", method_id, violations)
    return violations


def writable(document: Schemas, name: str, body: Any) -> Any:
    """The body without what only Google writes, and without nulls: both are ignored in a request."""
    return _strip(document, {"$ref": name}, body, nulls=False)


def patchable(document: Schemas, name: str, body: Any) -> Any:
    """As `writable`, but nulls stay: in a patch they clear the field."""
    return _strip(document, {"$ref": name}, body, nulls=True)


def matches(pattern: str, value: str) -> bool:
    """Whether a value is what a pattern of a document says, from its begin to its end."""
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value) is not None


def output_only(spec: Schema) -> bool:
    """Whether only Google writes the field."""
    return bool(spec.get("readOnly")) or bool(_OUTPUT.match(spec.get("description", "")))


def _resolve(document: Schemas, spec: Schema) -> Schema:
    return document.schemas[spec["$ref"]] if "$ref" in spec else spec


def _check(
    document: Schemas, spec: Schema, value: Any, path: str, method_id: str, violations: Violations
) -> None:
    resolved = _resolve(document, spec)
    if value is None:
        return
    kind = resolved.get("type", "object")
    if kind == "any":
        return
    if kind == "object":
        _check_object(document, resolved, value, path, method_id, violations)
    elif kind == "array":
        if not isinstance(value, list):
            violations.append(
                (path, f"Invalid value ({_shortened(value)}), Field is repeated: a list is right")
            )
            return
        for index, element in enumerate(value):
            _check(document, resolved["items"], element, f"{path}[{index}]", "", violations)
    else:
        reason = _scalar_fault(resolved, kind, value)
        if reason:
            violations.append((path, reason))


def _check_object(
    document: Schemas, spec: Schema, value: Any, path: str, method_id: str, violations: Violations
) -> None:
    if not isinstance(value, dict):
        violations.append((path, f"Invalid value ({_shortened(value)}): an object is right"))
        return
    known: dict[str, Schema] = spec.get("properties", {})
    others = spec.get("additionalProperties")
    for key, entry in value.items():
        below = f"{path}.{key}" if path else str(key)
        if key in known:
            if not output_only(known[key]):
                _check(document, known[key], entry, below, "", violations)
        elif others is not None:
            _check(document, others, entry, below, "", violations)
        elif not key.startswith("@"):
            where = f" at '{path}'" if path else ""
            violations.append(
                (below, f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.')
            )
    for key, entry in known.items():
        required = method_id in entry.get("annotations", {}).get("required", ())
        if required and (method_id, key) not in _OPTIONAL and value.get(key) in (None, ""):
            violations.append((f"{path}.{key}" if path else key, f"Required field '{key}' not specified"))


def _scalar_fault(spec: Schema, kind: str, value: Any) -> str:
    if kind == "boolean":
        return "" if isinstance(value, bool) else f"Invalid value ({_shortened(value)}): a boolean is right"
    if kind == "number":
        good = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if good else f"Invalid value ({_shortened(value)}): a number is right"
    form = spec.get("format", "")
    if kind == "integer" or form in ("int64", "uint64"):
        return _whole_fault(form or "int32", value)
    if not isinstance(value, str):
        return f"Invalid value ({_shortened(value)}): a string is right"
    return _text_fault(spec, form, value)


def _text_fault(spec: Schema, form: str, value: str) -> str:
    if "enum" in spec:
        # An unset enum may be said as "".
        good = not value or value in spec["enum"]
        return "" if good else f'Invalid value "{value}": one of {", ".join(spec["enum"])} is right'
    if form == "byte":
        return "" if _base64(value) else f'Invalid value "{_shortened(value)}": base64 is right'
    if form in ("google-datetime", "date-time"):
        return "" if _TIME.fullmatch(value) else f'Invalid value "{value}": an RFC 3339 time is right'
    if form == "google-duration":
        return (
            "" if _DURATION.fullmatch(value) else f'Invalid value "{value}": seconds such as "3.5s" are right'
        )
    pattern = spec.get("pattern")
    if pattern and value and not matches(pattern, value):
        return f"Must be a match of regex '{pattern}'"
    return ""


def _whole_fault(form: str, value: Any) -> str:
    low, high = _WHOLE.get(form, _WHOLE["int64"])
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        return f"Invalid value ({_shortened(value)}): a whole number is right"
    try:
        number = int(value)
    except ValueError:
        return f'Invalid value "{_shortened(value)}": a whole number is right'
    if number != float(value) or not low <= number <= high:
        return f"Invalid value ({value}): a whole number from {low} to {high} is right"
    return ""


def _base64(value: str) -> bool:
    try:
        base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _strip(document: Schemas, spec: Schema, value: Any, *, nulls: bool) -> Any:
    resolved = _resolve(document, spec)
    if isinstance(value, list) and "items" in resolved:
        return [_strip(document, resolved["items"], element, nulls=nulls) for element in value]
    if isinstance(value, dict) and resolved.get("type", "object") == "object":
        known = resolved.get("properties", {})
        other = resolved.get("additionalProperties", {"type": "any"})
        return {
            key: _strip(document, known.get(key, other), member, nulls=nulls)
            for key, member in value.items()
            if (nulls or member is not None) and not output_only(known.get(key, {}))
        }
    if (
        resolved.get("format") in ("int64", "uint64")
        and resolved.get("type") == "string"
        and value is not None
    ):
        return str(value)  # JSON cannot hold 64 bits: Google answers such numbers as strings
    return value


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
