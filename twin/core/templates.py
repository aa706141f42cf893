"""Templates of a call's parameters and of ids, with `{name}` for values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.provider_interface import UNKNOWN

_PLACE: Final = re.compile(r"\{(\w+)\}")
_EMPTY: Final[tuple[Any, ...]] = ({}, [])


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its values; what has none is left out."""
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, Mapping):
        filled = {key: fill(value, values) for key, value in template.items()}
        return {
            key: value
            for key, value in filled.items()
            if value is not None
            and not (value in _EMPTY and template[key] not in _EMPTY and _is_mapping(template[key]))
        }
    if isinstance(template, (list, tuple)):
        return [value for member in template if (value := fill(member, values)) is not None]
    return template


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACE.fullmatch(template)
    if whole:
        return values.get(whole[1])
    wanted = _PLACE.findall(template)
    if any(values.get(name) is UNKNOWN for name in wanted):
        return UNKNOWN
    if any(values.get(name) is None for name in wanted):
        return None
    return _PLACE.sub(lambda match: str(values[match[1]]), template)


def parse(form: str, text: str) -> dict[str, str]:
    """The values in a text of a form: `{clusterName}:{addonName}` in `a:b`. {} where it does not fit."""
    pattern = "".join(
        f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(_PLACE.split(form))
    )
    match = re.fullmatch(pattern, text)
    return match.groupdict() if match else {}
