"""kill -9 while an `up` of gcp-dev runs: the engine, the cloud, and all processes at once; the next `up`
converges without duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.killing import end, ids_of_stack, is_engine, kill_midway, kill_restarted, more
from tests.end_to_end.reduced import KUBERNETES_LAYER
from twin.tests.waiting import eventually

# test_crash.py does the same on AWS in every run.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "compute.networks": ("gcp:compute/network:Network",),
    "compute.subnetworks": ("gcp:compute/subnetwork:Subnetwork",),
    "compute.routers": ("gcp:compute/router:Router",),
    "compute.addresses": ("gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress"),
    "compute.firewallPolicies": ("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy",),
    "dns.managedZones": ("gcp:dns/managedZone:ManagedZone",),
    "cloudkms.cryptoKeys": ("gcp:kms/cryptoKey:CryptoKey",),
    "logging.sinks": ("gcp:logging/projectSink:ProjectSink",),
    "iam.serviceAccounts": ("gcp:serviceaccount/account:Account",),
    "container.clusters": ("gcp:container/cluster:Cluster",),
    "container.nodePools": ("gcp:container/nodePool:NodePool",),
}
"""Kinds of the inventory of which the stack owns every resource, and their types."""


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Twin]:
    """The twin of gcp-dev, before its first `up`."""
    twin = Twin("gcp-dev", home, without=KUBERNETES_LAYER)
    yield twin
    twin.remove()


def test_the_engine_is_killed_in_the_middle_of_the_network(dev: Twin) -> None:
    kill_midway(dev, more(dev, 12), is_engine)


def test_the_cloud_is_killed_in_the_middle_of_its_calls(dev: Twin) -> None:
    reached = more(dev, 12)
    running = dev.spawn("up", dev.environment)
    eventually("further resources exist", lambda: running.poll() is not None or reached())
    kill_restarted(dev, ["cloud"])
    # The `up` may have failed: the provider's retries may end before the restart.
    end(running, may_have_ended=True)


def test_all_processes_are_killed_while_the_cluster_is_created(dev: Twin) -> None:
    further = more(dev, 2)
    kill_midway(dev, lambda: "container.clusters" in dev.inventory() and further(), lambda _: True)


def test_the_next_up_converges_without_a_duplicate(dev: Twin) -> None:
    dev.up()
    owned, inventory = ids_of_stack(dev), dev.inventory()
    for kind, tokens in KINDS.items():
        ids = [id for token in tokens for id in owned[token]]
        assert _names(inventory[kind]) == _names(ids), f"{kind}: the stack owns each, and no other is there"
    system = dev.core().list_node(label_selector="ai-platform/pool=system").items
    assert len(system) == 2, "the system pool's two"
    dev.cli("preview", dev.environment, "--refresh", "--expect-no-changes")
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}


def test_a_destroy_after_a_killed_up_leaves_nothing(dev: Twin) -> None:
    kill_midway(dev, more(dev, 14), lambda _: True)
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}, "resources whose creation was interrupted are deleted, too"


def _names(ids: list[str]) -> list[str]:
    # Ids of one kind write the location in different forms; the last segment is the name.
    return sorted(id.rpartition("/")[2] for id in ids)
