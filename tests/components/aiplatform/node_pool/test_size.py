"""The outputs of a node pool that state how large it is, for quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK, machine_types
from tests.components.recording import record


def sizes(**more: Any) -> tuple[Any, ...]:
    arguments: Any = {"prefix": "acme-dev", "name": "general", "cluster": CLUSTER, "network": NETWORK, **more}
    recorded = record(
        lambda: NodePool("cpu", arguments), answers=machine_types() if "cluster" in more else None
    )
    result: Mapping[str, Any] | None = recorded.one("aiplatform:index:NodePool").outputs
    assert result is not None
    return tuple(result[key] for key in ("min_nodes", "max_nodes", "vcpus_per_node", "memory_gib_per_node"))


def test_the_maximum_counts_each_entry_and_the_smallest_type_counts() -> None:
    types = ["m7i.4xlarge", "m6i.2xlarge"]
    pool = {"instance_types": types, "capacity": ["spot", "on_demand"], "min": 1, "max": 5}
    assert sizes(**pool) == (1, 10, 8, 32)


def test_the_size_on_google_cloud_follows_from_the_machine_type() -> None:
    where = {"cluster": GOOGLE_CLUSTER, "network": GOOGLE_NETWORK}
    assert sizes(**where, instance_types=["e2-standard-4"]) == (0, 3, 4, 16)


def test_a_type_whose_name_states_no_size_has_none() -> None:
    assert sizes(instance_types=["t3.large"])[2:] == (0, 0)
