"""Every runtime against Trainer's own definition (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

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
UNCHANGED: Final = "self == oldSelf"


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


def _unchanged(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths that a definition lets no object change."""
    if UNCHANGED in [entry["rule"] for entry in schema.get("x-kubernetes-validations", [])]:
        yield path
    for name, part in schema.get("properties", {}).items():
        yield from _unchanged(part, f"{path}.{name}" if path else name)
    if isinstance(schema.get("items"), dict):
        yield from _unchanged(schema["items"], f"{path}[*]")


def test_what_the_api_server_lets_no_runtime_change_replaces_it(definition: dict[str, Any]) -> None:
    """Else `up` fails with "Value is immutable" once `max_restarts` or a volume's size is another one."""
    assert set(plan.IMMUTABLE) == set(_unchanged(definition))
