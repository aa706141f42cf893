"""The JSON schema of an environment file, made from the model: `python -m stacks.schema`.

Editors complete and check environment files by it, through the modeline in each file's first line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, cast

from stacks.loading import FOLDER, TOP_LEVEL
from stacks.settings import TOPICS, Settings, key

FILE: Final = Path(FOLDER) / "schema.json"


def schema() -> dict[str, Any]:
    """The schema of a whole file. What a profile supplies is not required here."""
    model = Settings.model_json_schema(ref_template="#/$defs/{model}")
    definitions = cast("dict[str, dict[str, Any]]", model["$defs"])
    properties = cast("dict[str, Any]", model["properties"])
    strings = {name: {"type": "string"} for name in TOP_LEVEL if name not in ("config", "environment")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An ai-platform environment",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            **strings,
            "environment": {"description": "Pulumi ESC environments"},
            "config": {
                "type": "object",
                "required": [key("environment"), key("network"), key("cluster")],
                "properties": {key(topic): properties[topic] for topic in TOPICS},
                "patternProperties": {"^(?!ai-platform:).+:": {}},
                "additionalProperties": False,
            },
        },
        "$defs": definitions,
    }


def rendered() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered())
    sys.stdout.write(f"wrote {FILE}\n")
