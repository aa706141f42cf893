"""Every object that the component registers against Kueue's own definitions (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import jsonschema
import pytest
import yaml

from aiplatform.addons.catalog import catalog
from aiplatform.queues import Queues, plan
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.queues import example
from tests.components.recording import record

TOP_LEVEL = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


@pytest.fixture(scope="module")
def definitions() -> dict[str, dict[str, Any]]:
    """Kind -> the strict schema of its objects in the version that the component registers."""
    addon = catalog()["kueue"]
    file = chart_facts.folder("kueue", addon.file_name) / "crds.yaml"
    group, version = plan.API_VERSION.split("/")
    schemas: dict[str, dict[str, Any]] = {}
    for document in yaml.load_all(file.read_text(), yaml.CSafeLoader):
        spec = document["spec"]
        assert spec["group"] == group
        (served,) = [entry for entry in spec["versions"] if entry["name"] == version and entry["storage"]]
        schema = strict(served["schema"]["openAPIV3Schema"])
        schema["properties"] = {**schema["properties"], **TOP_LEVEL}
        schemas[spec["names"]["kind"]] = schema
    return schemas


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


def objects(arguments: Any) -> list[Mapping[str, Any]]:
    recorded = record(lambda: Queues("queues", arguments))
    return [entry.inputs for entry in recorded.resources if entry.type.startswith("kubernetes:")]


def test_every_object_has_the_fields_of_its_definition(definitions: dict[str, dict[str, Any]]) -> None:
    registered = objects(example.everything()) + objects(
        example.arguments(
            fair_sharing=False,
            queues=[
                example.queue(
                    "vision",
                    {"pool": "training", "accelerators": 8},
                    preemption={"borrow_within_cohort": "LowerPriority", "max_priority_threshold": 100},
                )
            ],
        )
    )
    for item in registered:
        jsonschema.validate(item, definitions[item["kind"]])
    multikueue = {"MultiKueueCluster", "MultiKueueConfig"}
    assert {item["kind"] for item in registered} == definitions.keys() - multikueue - {"Workload"}


def test_the_schema_refuses_a_field_of_an_earlier_version(definitions: dict[str, dict[str, Any]]) -> None:
    (queue, *_) = [item for item in objects(example.everything()) if item["kind"] == "ClusterQueue"]
    wrong = {**queue, "spec": {**queue["spec"], "cohort": "research"}}
    with pytest.raises(jsonschema.ValidationError, match="'cohort' was unexpected"):
        jsonschema.validate(wrong, definitions["ClusterQueue"])
