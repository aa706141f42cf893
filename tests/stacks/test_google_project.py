"""What docs/google-cloud.md asks of a project, compared with what the environments register."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from aiplatform.accelerators import gcp as accelerated
from tests.stacks.environments import ROOT, STACKS, built
from tests.stacks.google_permissions import ALWAYS, IN_KUBERNETES, OF_TYPES
from twin.gcp.services.compute import capacity
from twin.gcp.services.iam import data as iam

DOCUMENT = (ROOT / "docs" / "google-cloud.md").read_text()
GOOGLE = [stack for stack in STACKS if stack.startswith("gcp-")]
NODE_POOL = "gcp:container/nodePool:NodePool"
CARDS = {type_: card for card, type_ in accelerated.ACCELERATOR_TYPES.items()}


def _documented() -> list[str]:
    return re.findall(r"^\| `(roles/[\w.]+)` \|", DOCUMENT, re.MULTILINE)


@cache
def _needed() -> Mapping[str, list[str]]:
    """Permission -> the resource types that need it."""
    needed: dict[str, list[str]] = {permission: ["the program itself"] for permission in ALWAYS}
    for permissions in IN_KUBERNETES.values():
        needed.update({permission: ["Kubernetes RBAC"] for permission in permissions})
    for type_ in _registered():
        for permission in OF_TYPES.get(type_, ()):
            needed.setdefault(permission, []).append(type_)
    return needed


@cache
def _registered() -> list[str]:
    types = {line.split()[0] for stack in GOOGLE for line in built(stack).recording.names()}
    return sorted(type_ for type_ in types if type_.startswith("gcp:"))


def test_the_permissions_of_every_registered_type_are_known() -> None:
    unknown = [type_ for type_ in _registered() if type_ not in OF_TYPES]
    assert not unknown, "add what they need to tests/stacks/google_permissions.py"


def test_every_permission_is_one_that_google_has() -> None:
    named = {*_needed(), *(permission for permissions in OF_TYPES.values() for permission in permissions)}
    assert not [permission for permission in sorted(named) if not iam.is_permission(permission)]


def test_the_documented_roles_are_predefined_and_have_every_permission_that_the_program_needs() -> None:
    documented = ["roles/editor", *_documented()]
    assert len(documented) > 10, "the table of roles was not found"
    assert not [role for role in documented if not iam.exists(role)]
    lacking = {
        permission: types
        for permission, types in _needed().items()
        if not any(iam.grants(role, permission) for role in documented)
    }
    assert not lacking, "apply fails with 403: add a role to docs/google-cloud.md"


def test_no_documented_role_is_needless() -> None:
    documented = ["roles/editor", *_documented()]
    for role in documented:
        others = [other for other in documented if other != role]
        assert any(
            iam.grants(role, permission) and not any(iam.grants(other, permission) for other in others)
            for permission in _needed()
        ), f"{role} grants nothing that the others do not: least privilege leaves it out"


def test_the_roles_of_a_principal_that_only_previews_have_what_is_asked_before_anything_is_registered() -> (
    None
):
    previews = ("roles/viewer", "roles/serviceusage.serviceUsageConsumer")
    assert all(f"`{role}`" in DOCUMENT for role in previews)
    assert not [
        permission for permission in ALWAYS if not any(iam.grants(role, permission) for role in previews)
    ]


@pytest.mark.parametrize("stack", GOOGLE)
def test_the_documented_quotas_are_those_that_the_environment_asks_for(stack: str) -> None:
    vpcs = len(built(stack).recording.all("gcp:compute/network:Network"))
    for when, most in (("first `up`", False), ("grown to every `max`", True)):
        requested = Counter[str]()
        for pool in built(stack).recording.all(NODE_POOL):
            nodes = _nodes(pool.inputs, most=most)
            for resource, amount in _of_a_node(pool.inputs["nodeConfig"]):
                requested[resource] += nodes * amount
        gpus = [
            f"{count} {card}" for card, count in sorted(requested.items()) if card in CARDS.values() and count
        ]
        row = [
            f"{stack}, {when}",
            str(requested["vcpus"]),
            str(requested["ssd"]),
            ", ".join(gpus) or "0",
            str(requested["tpus"]),
            str(vpcs),
        ]
        assert f"| {' | '.join(row)} |" in DOCUMENT, "docs/google-cloud.md is stale: put this row there"


def _nodes(pool: Mapping[str, Any], *, most: bool) -> int:
    zones = len(pool["nodeLocations"])
    if pool.get("nodeCount"):
        return int(pool["nodeCount"]) * zones
    limits = pool["autoscaling"]
    if not most:
        return int(pool["initialNodeCount"]) * zones
    return int(limits.get("totalMaxNodeCount") or limits["maxNodeCount"] * zones)


def _of_a_node(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    machine = capacity.machine_type(config["machineType"])
    assert machine is not None
    yield "vcpus", machine.cpus
    if config["diskType"] == "pd-balanced":
        yield "ssd", int(config["diskSizeGb"])
    if machine.tpu:
        yield "tpus", machine.count
    for card in config.get("guestAccelerators") or ():
        yield CARDS[card["type"]], int(card["count"])
