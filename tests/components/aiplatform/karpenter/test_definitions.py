"""Every object that the component registers against Karpenter's own definitions (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.components.aiplatform.addons.definitions import schema
from tests.components.aiplatform.karpenter.example import recorded, specs

KINDS = {"EC2NodeClass": "karpenter.k8s.aws/v1", "NodePool": "karpenter.sh/v1"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_object_has_the_fields_of_its_definition(kind: str) -> None:
    everything: dict[str, Any] = {
        "image_versions": {"al2023": "v20261110"},
        "disruption_budgets": [{"nodes": "0", "reasons": ["drifted"], "schedule": "@daily", "hours": 12}],
        "expire_after_hours": 336,
        "termination_grace_hours": 24,
        "consolidation": "balanced",
    }
    spec_schema = schema("karpenter-crd", kind, KINDS[kind])["properties"]["spec"]
    for registered in (recorded(), recorded(**everything)):
        objects = specs(registered, kind)
        assert objects
        for name, spec in objects.items():
            problems = [
                f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
                for error in jsonschema.Draft202012Validator(spec_schema).iter_errors(spec)
            ]
            assert problems == []
