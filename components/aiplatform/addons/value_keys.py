"""Which values the charts of add-ons have: Helm ignores a value that its chart does not have.

`python -m tools.chart_value_keys FOLDER` writes `value_keys.json` from the charts' values and schemas.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

from aiplatform._shared.args import Problem, nearest

_OF_HELM: Final = ("global",)
"""Values of every chart: those of its subcharts."""


@cache
def keys(addon: str) -> Mapping[str, Any] | None:
    """Return the keys of a chart's values: of an object those below it, None where any value may be."""
    text = files("aiplatform.addons").joinpath("value_keys.json").read_text()
    return json.loads(text).get(addon)


def problems(addon: str, values: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Yield a problem for each value that the chart of an add-on does not have. path: that of the values."""
    yield from _problems(values, {**(keys(addon) or {}), **dict.fromkeys(_OF_HELM)}, path)


def _problems(values: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key, value in values.items():
        if key not in known:
            suggestion = nearest(key, known) or f"; expected one of {', '.join(sorted(known))}"
            yield Problem(f"{path}.{key}", f"unknown value of the chart{suggestion}")
        elif isinstance(value, Mapping) and known[key]:
            yield from _problems(cast("Mapping[str, Any]", value), known[key], f"{path}.{key}")
