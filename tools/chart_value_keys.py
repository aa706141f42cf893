"""Write which values the charts of add-ons have: `python -m tools.chart_value_keys FOLDER`.

FOLDER has a folder `<chart>-<version>` with values.yaml, and values.schema.json where the chart has one, of
each chart of the catalog. By the result, `components/aiplatform/addons/value_keys.json`, a misspelt value is
refused before anything is installed: Helm ignores it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from aiplatform.addons.catalog import catalog
from aiplatform.addons.values import VALUES

FILE: Final = Path("components/aiplatform/addons/value_keys.json")
_FREE: Final = ("resources", "securitycontext", "annotations", "labels", "selector", "affinity")
"""Ends of the names of objects whose keys are the user's, or Kubernetes' own: charts list some of them."""
_COMMENTED: Final[Mapping[str, dict[str, Any]]] = {
    "argo-workflows-1.0.18": {"controller": {"pdb": {"minAvailable": None}}},
    "dcgm-exporter-4.8.2": {"customMetrics": None},
    "gpu-operator-v26.7.0": {"operator": {"version": None}, "validator": {"version": None}},
}
"""Values that charts document as comments, without a default."""
_PASSED_ON: Final[Mapping[str, tuple[str, str]]] = {"gateway-helm-v1.9.0": ("config", "envoyGateway")}
"""Values that a chart passes on to its program as they are: a key, and one below it."""
_DEEPEST: Final = 12


def keys(folder: Path) -> dict[str, Any]:
    """Return the keys of a chart's values: those of an object, None where any value may be."""
    text = (folder / "values.yaml").read_text()
    file = folder / "values.schema.json"
    schema = json.loads(file.read_text()) if file.is_file() else {}
    known = merged(of_values(yaml.load(text, yaml.CSafeLoader)) or {}, of_schema(schema, schema) or {}) or {}
    contained = {chart.parent.name: keys(chart.parent) for chart in folder.glob("charts/*/values.yaml")}
    keys_of_chart = merged(merged(known, contained), _COMMENTED.get(folder.name, {})) or {}
    if folder.name in _PASSED_ON:
        key, below = _PASSED_ON[folder.name]
        keys_of_chart[key][below] = None
    return keys_of_chart


def of_values(value: Any) -> dict[str, Any] | None:
    """Return the keys of default values. An empty object may have any."""
    if not isinstance(value, Mapping) or not value:
        return None
    entries = cast("Mapping[str, Any]", value)
    return {name: None if is_free(name) else of_values(entry) for name, entry in entries.items()}


def of_schema(node: Any, root: Mapping[str, Any], depth: int = 0) -> dict[str, Any] | None:
    """Return the keys that a JSON schema lists."""
    while isinstance(node, Mapping) and "$ref" in node:
        target: Any = root
        for part in str(cast("Mapping[str, Any]", node)["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        node = target
    properties = cast("Mapping[str, Any]", node).get("properties") if isinstance(node, Mapping) else None
    if not properties or depth == _DEEPEST:
        return None
    return {
        name: None if is_free(name) else of_schema(below, root, depth + 1)
        for name, below in cast("Mapping[str, Any]", properties).items()
    }


def merged(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the keys of both. Where one lists none, the other's apply."""
    if first is None or second is None:
        return first if second is None else second
    return {name: merged(first.get(name), second.get(name)) for name in {**first, **second}}


def is_free(name: str) -> bool:
    """Whether the keys of an object with this name are not the chart's to list."""
    return name.lower().endswith(_FREE)


if __name__ == "__main__":
    charts = {name: keys(Path(sys.argv[1], catalog()[name].file_name)) for name in sorted(VALUES)}
    FILE.write_text(json.dumps(charts, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"wrote {FILE}\n")
