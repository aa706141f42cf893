"""Every object that the component registers against Karpenter's own definitions (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from aiplatform.addons.catalog import catalog
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.karpenter.example import recorded, specs
from tests.components.aiplatform.queues.test_definitions import strict

KINDS = {"EC2NodeClass": "ec2nodeclasses.karpenter.k8s.aws", "NodePool": "nodepools.karpenter.sh"}


def schema(kind: str) -> dict[str, Any]:
    """Return the strict schema of the spec of a kind."""
    path = chart_facts.folder("karpenter-crd", catalog()["karpenter-crd"].file_name)
    (definition,) = [
        document for document in chart_facts.definitions(path) if document["metadata"]["name"] == KINDS[kind]
    ]
    (served,) = [entry for entry in definition["spec"]["versions"] if entry["storage"]]
    assert served["name"] == "v1"
    return strict(served["schema"]["openAPIV3Schema"]["properties"]["spec"])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_object_has_the_fields_of_its_definition(kind: str) -> None:
    everything: dict[str, Any] = {
        "image_versions": {"al2023": "v20261110"},
        "disruption_budgets": [{"nodes": "0", "reasons": ["drifted"], "schedule": "@daily", "hours": 12}],
        "expire_after_hours": 336,
        "termination_grace_hours": 24,
        "consolidation": "balanced",
    }
    for registered in (recorded(), recorded(**everything)):
        objects = specs(registered, kind)
        assert objects
        for name, spec in objects.items():
            problems = [
                f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
                for error in jsonschema.Draft202012Validator(schema(kind)).iter_errors(spec)
            ]
            assert problems == []
