"""Every object that the component registers against Kueue's own definitions (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from aiplatform.addons.catalog import catalog
from aiplatform.queues import Queues, plan
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.addons.definitions import validator
from tests.components.aiplatform.queues import example
from tests.components.recording import record

Definitions = dict[str, jsonschema.Draft202012Validator]


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """Kind -> what its objects must match, in the version that the component registers."""
    path = chart_facts.folder("kueue", catalog()["kueue"].file_name)
    kinds = [definition["spec"]["names"]["kind"] for definition in chart_facts.definitions(path)]
    return {kind: validator("kueue", kind, plan.API_VERSION) for kind in kinds}


def objects(arguments: Any) -> list[Mapping[str, Any]]:
    recorded = record(lambda: Queues("queues", arguments))
    return [entry.inputs for entry in recorded.resources if entry.type.startswith("kubernetes:")]


def test_every_object_has_the_fields_of_its_definition(
    definitions: Definitions,
) -> None:
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
        definitions[item["kind"]].validate(item)
    multikueue = {"MultiKueueCluster", "MultiKueueConfig"}
    assert {item["kind"] for item in registered} == definitions.keys() - multikueue - {"Workload"}


def test_the_schema_refuses_a_field_of_an_earlier_version(
    definitions: Definitions,
) -> None:
    (queue, *_) = [item for item in objects(example.everything()) if item["kind"] == "ClusterQueue"]
    wrong = {**queue, "spec": {**queue["spec"], "cohort": "research"}}
    with pytest.raises(jsonschema.ValidationError, match="'cohort' was unexpected"):
        definitions["ClusterQueue"].validate(wrong)
