"""The JSON schema of an environment file, made from the model: `python -m stacks.schema`.

Editors complete and check environment files by it, through the modeline in each file's first line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, cast

from stacks.settings import TOPICS, Settings, key
from stacks.settings.composition import Layer
from stacks.shared_files import IDENTITIES, OWN_TOPICS, ROOT_KEY
from stacks.yaml_files import FOLDER, TOP_LEVEL

FILE: Final = Path(FOLDER) / "schema.json"


def schema() -> dict[str, Any]:
    """The schema of environment files, of shared ones, and of those of a layer's stack.

    What a profile or a shared file may supply is not required here: the program reports what is missing.
    """
    model = Settings.model_json_schema(ref_template="#/$defs/{model}")
    definitions = cast("dict[str, dict[str, Any]]", model["$defs"])
    layer = Layer.model_json_schema(ref_template="#/$defs/{model}")
    properties = {**cast("dict[str, Any]", model["properties"]), "layer": layer}
    for topic in TOPICS:
        if topic not in OWN_TOPICS:
            _relax(properties[topic], definitions, topic)
    strings = {name: {"type": "string"} for name in TOP_LEVEL if name not in ("config", "environment")}
    shareable = {key(topic): properties[topic] for topic in TOPICS if topic not in OWN_TOPICS}
    topics = {key(topic): properties[topic] for topic in properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An ai-platform environment",
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["config"]}, {"required": [ROOT_KEY]}],
        "properties": {
            **strings,
            "environment": {"description": "Pulumi ESC environments"},
            "config": {
                "type": "object",
                "properties": topics,
                "patternProperties": {"^(?!ai-platform:).+:": {}},
                "additionalProperties": False,
                "if": {"required": [key("layer")]},
                "then": {
                    "not": {"anyOf": [{"required": [topic]} for topic in topics if topic != key("layer")]}
                },
                "else": {
                    "required": [key("environment")],
                    "if": {"required": [key("shared")]},
                    "else": {"required": [key("network"), key("cluster")]},
                },
            },
            ROOT_KEY: {
                "description": "What the environments share that name this file (environments/shared/).",
                "type": "object",
                "properties": shareable,
                "additionalProperties": False,
            },
        },
        "$defs": definitions,
    }


def _relax(node: dict[str, Any], definitions: dict[str, dict[str, Any]], path: str) -> None:
    """Require nothing of an object that is merged with others, and of an entry of a list with identities only
    these; entries of other lists replace as a whole and keep what they require."""
    for option in (node, *node.get("anyOf", ())):
        definition = definitions.get(str(option.get("$ref", "")).rpartition("/")[2], option)
        if isinstance(definition.get("additionalProperties"), dict):
            _relax(definition["additionalProperties"], definitions, path)
        elif definition.get("type") == "array" and path in IDENTITIES:
            _entry(definition["items"], definitions)["required"] = list(IDENTITIES[path])
        elif definition.get("type") == "object":
            definition.pop("required", None)
            for name, below in definition.get("properties", {}).items():
                _relax(below, definitions, f"{path}.{name}")


def _entry(node: dict[str, Any], definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return definitions[str(node["$ref"]).rpartition("/")[2]]


def rendered() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered())
    sys.stdout.write(f"wrote {FILE}\n")
