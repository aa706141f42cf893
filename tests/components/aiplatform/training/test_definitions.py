"""Every runtime against Trainer's own definition (AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from aiplatform.training import plan
from aiplatform.training.args import TRAINER
from tests.components.aiplatform.addons.definitions import schema, validator
from tests.components.aiplatform.training.example import fabric_pool, settings
from tests.components.aiplatform.training.test_plan import MORE

KINDS = ("tcpx", "tcpxo", "rdma")
UNCHANGED: Final = "self == oldSelf"


@pytest.mark.parametrize(
    ("cloud", "more"),
    [
        ("aws", {**MORE, "topologies": {"training": "network"}, "service_account": "workloads"}),
        ("gcp", {}),
    ],
)
@pytest.mark.parametrize("fabric", [False, True], ids=["plain", "fabric"])
def test_every_runtime_has_the_fields_of_its_definition(
    cloud: str, more: dict[str, Any], *, fabric: bool
) -> None:
    if fabric:
        kinds = ("efa",) if cloud == "aws" else KINDS
        more = {"gpu_pools": [fabric_pool(kind) for kind in kinds]}
    manifests = plan.runtimes(settings(cloud, **more), {})
    assert manifests
    for manifest in manifests.values():
        validator(TRAINER, plan.KIND, plan.API_VERSION).validate(manifest)


def _unchanged(definition: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths that a definition lets no object change."""
    if UNCHANGED in [entry["rule"] for entry in definition.get("x-kubernetes-validations", [])]:
        yield path
    for name, part in definition.get("properties", {}).items():
        yield from _unchanged(part, f"{path}.{name}" if path else name)
    if isinstance(definition.get("items"), dict):
        yield from _unchanged(definition["items"], f"{path}[*]")


def test_what_the_api_server_lets_no_runtime_change_replaces_it() -> None:
    """Else `up` fails with "Value is immutable" once `max_restarts` or a volume's size is another one."""
    assert set(plan.IMMUTABLE) == set(_unchanged(schema(TRAINER, plan.KIND, plan.API_VERSION)))
