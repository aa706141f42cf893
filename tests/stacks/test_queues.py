"""The topic `queues`: what an environment's file states, against its pools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks import gpu_check_queues
from stacks.loading import SettingsError, load_file
from tests.stacks.environments import built, settings_of
from tests.stacks.test_google_files import changed

QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"


def problems(folder: Path, change: dict[str, Any], stack: str = "gcp-dev") -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(folder, change, stack))
    return list(refused.value.problems)


def queue(*quotas: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "shared", "quotas": list(quotas)}]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"queues/queues": queue({"pool": "generl", "cpu": 4})},
            "queues.queues[0].quotas[0].pool: got 'generl'; expected one of general, t4; did you mean "
            "'general'?",
        ),
        (
            {"queues/queues": queue({"pool": "t4", "accelerators": 9})},
            "queues.queues[0].quotas[0].accelerators: got 9 nvidia.com/gpu; expected at most 8 "
            "nvidia.com/gpu: the pool 't4' has at most 8 nodes",
        ),
        (
            {"queues/topologies": {"t4": "host"}},
            "queues.topologies.t4: got 'host', but the pool may be empty",
        ),
        ({"queues/queue": []}, "queues.queue: unknown key; did you mean 'queues'?"),
        ({"queues/gpu_pools": []}, "queues.gpu_pools: unknown key"),
    ],
)
def test_a_wrong_key_is_refused_with_its_path(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    [reported] = problems(tmp_path, change)
    assert problem in reported


def test_a_wrong_pool_is_reported_without_the_queues_that_have_a_part_of_it(tmp_path: Path) -> None:
    [reported] = problems(tmp_path, {"gpu_pools/t4/count": 3})
    assert "gpu_pools.t4.count: got 3" in reported


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod", "gcp-dev", "gcp-prod"])
def test_every_queue_waits_for_kueue_and_its_pools_have_a_flavor(stack: str) -> None:
    recorded, settings = built(stack).recording, built(stack).settings
    queues = recorded.all(QUEUE)
    assert settings.queues is not None
    tests = gpu_check_queues.queues_of(settings).values()
    assert {item.name for item in queues} == {
        f"queues-queue-{name}" for name in (*(entry.name for entry in settings.queues.queues), *tests)
    }
    kueue = recorded.one("kubernetes:helm.sh/v4:Chart", "addons-kueue")
    assert all(recorded.depends(item, kueue) for item in queues)
    flavors = {item.name for item in recorded.all(QUEUE.replace("ClusterQueue", "ResourceFlavor"))}
    assert flavors == {f"queues-flavor-{name}" for name in (*settings.node_pools, *settings.gpu_pools)}


def test_prod_waits_longer_for_pods_than_dev() -> None:
    dev, prod = (settings_of(stack).addons for stack in ("aws-dev", "aws-prod"))
    assert dev is not None
    assert prod is not None
    assert prod.pods_ready.timeout_minutes > dev.pods_ready.timeout_minutes
    assert dev.pods_ready.attempts < prod.pods_ready.attempts, (
        "a job that cannot start is reported soon in dev"
    )
