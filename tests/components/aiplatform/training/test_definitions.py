"""Every runtime against Trainer's own definition (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from aiplatform.addons.catalog import catalog
from aiplatform.training import plan
from aiplatform.training.args import TRAINER
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.queues.test_definitions import TOP_LEVEL, strict
from tests.components.aiplatform.training.example import fabric_pool, settings
from tests.components.aiplatform.training.test_plan import MORE

KINDS = ("tcpx", "tcpxo", "rdma")


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The strict schema of runtimes."""
    file = chart_facts.folder(TRAINER, catalog()[TRAINER].file_name) / "crds.yaml"
    documents = yaml.load_all(file.read_text(), yaml.CSafeLoader)
    [chosen] = [entry for entry in documents if entry and entry["spec"]["names"]["kind"] == plan.KIND]
    [version] = chosen["spec"]["versions"]
    assert plan.API_VERSION.endswith(f"/{version['name']}")
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] = {**schema["properties"], **TOP_LEVEL}
    return schema


@pytest.mark.parametrize(
    ("cloud", "more"),
    [
        ("aws", {**MORE, "topologies": {"training": "network"}, "service_account": "workloads"}),
        ("gcp", {}),
    ],
)
@pytest.mark.parametrize("fabric", [False, True], ids=["plain", "fabric"])
def test_every_runtime_has_the_fields_of_its_definition(
    definition: dict[str, Any], cloud: str, more: dict[str, Any], *, fabric: bool
) -> None:
    if fabric:
        kinds = ("efa",) if cloud == "aws" else KINDS
        more = {"gpu_pools": [fabric_pool(kind) for kind in kinds]}
    manifests = plan.runtimes(settings(cloud, **more), {})
    assert manifests
    for manifest in manifests.values():
        jsonschema.validate(manifest, definition)
