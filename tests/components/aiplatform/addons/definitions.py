"""Objects against the definitions of their kinds, as published with the charts (AIPLATFORM_CHART_FACTS).

`jsonschema.validate` checks the schema before the object, each time: seconds of CPU for an InferenceService.
API servers have accepted these schemas, so `validator` checks objects only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

import jsonschema

from aiplatform.addons.catalog import catalog
from tests.components.aiplatform.addons import chart_facts

_TOP_LEVEL: Final = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object"},
}


@cache
def schema(addon: str, kind: str, api_version: str) -> dict[str, Any]:
    """Return the strict schema of a kind's objects. addon: whose chart has the definition."""
    group, _, name = api_version.partition("/")
    path = chart_facts.folder(addon, catalog()[addon].file_name)
    [version] = [
        version
        for definition in chart_facts.definitions(path)
        if (definition["spec"]["group"], definition["spec"]["names"]["kind"]) == (group, kind)
        for version in definition["spec"]["versions"]
        if version["name"] == name
    ]
    assert version["storage"], f"{kind}: {api_version} is not its current version"
    result = strict(version["schema"]["openAPIV3Schema"])
    return {**result, "properties": {**result["properties"], **_TOP_LEVEL}}


@cache
def validator(addon: str, kind: str, api_version: str) -> jsonschema.Draft202012Validator:
    """Return what refuses objects that do not match `schema`."""
    return jsonschema.Draft202012Validator(schema(addon, kind, api_version))


def strict(schema: Any) -> Any:
    """Return a schema that refuses unknown keys, which the API server only drops."""
    if isinstance(schema, list):
        return [strict(entry) for entry in cast("list[Any]", schema)]
    if isinstance(schema, str) and schema.startswith("^(?i)"):
        return f"(?i)^{schema.removeprefix('^(?i)')}"  # Go takes a flag anywhere
    if not isinstance(schema, Mapping):
        return schema
    result = {key: strict(entry) for key, entry in cast("Mapping[str, Any]", schema).items()}
    if isinstance(result.get("properties"), dict) and result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result
