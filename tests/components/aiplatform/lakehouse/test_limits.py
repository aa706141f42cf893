"""What IAM and Lake Formation would refuse of a declaration, reported before anything is registered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.aws.managed_policies import INLINE, MANAGED, size
from tests.components.aiplatform.lakehouse.example import BY_TABLE, EVENTS, ORDERS, lakehouse, problems
from tests.components.recording import ACCOUNT, Recording

PARTNER = "arn:aws:iam::999988887777:role/partner"
WRITES: dict[str, Any] = {
    "name": "partner",
    "principal": PARTNER,
    "actions": ["write"],
    "tables": ["raw.events"],
}
NETWORK = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": ["subnet-a", "subnet-b"]}


def _batches(count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"load-{index}", "script": f"s3://acme-scripts/{'team/' * 10}load_{index:03}.py"}
        for index in range(count)
    ]


def _tables(count: int) -> list[dict[str, Any]]:
    rules = {"quality": {"rules": [{"rule": "rows", "low": 1}], "schedule": "0 6 * * *"}}
    return [{**EVENTS, "name": f"events_{index:03}_of_the_shop", **rules} for index in range(count)]


def _inline(recorded: Recording, role: str) -> int:
    name = recorded.one("aws:iam/role:Role", role).state["name"]
    policies = [
        resource.inputs["policy"]
        for resource in recorded.all("aws:iam/rolePolicy:RolePolicy")
        if resource.inputs["role"] == name
    ]
    assert policies
    return sum(map(size, policies))


def test_whitespace_is_not_counted() -> None:
    assert size(json.dumps({"a": ["b", "c"]}, indent=4)) == len('{"a":["b","c"]}')


def test_scripts_that_exceed_the_writers_policy_are_refused() -> None:
    allowed = lakehouse(batches=_batches(70), network=NETWORK)
    assert _inline(allowed, "lake-writer") <= INLINE
    (reported,) = problems(batches=_batches(100), network=NETWORK)
    assert reported.startswith("LakehouseArgs.batches: ")
    assert "expected at most 10,240, which is IAM's limit" in reported


def test_tables_that_exceed_the_quality_roles_policy_are_refused() -> None:
    allowed = lakehouse(tables=_tables(100))
    assert _inline(allowed, "lake-tester") <= INLINE
    (reported,) = problems(tables=_tables(200))
    assert reported.startswith("LakehouseArgs.tables: ")
    assert "the role that reads each table with `quality`" in reported


def test_streams_that_exceed_the_producers_policy_are_refused() -> None:
    streams = [{"name": f"{'s' * 49}-{index:02}", "table": "raw.events"} for index in range(50)]
    allowed = lakehouse(streams=streams[:40])
    assert size(allowed.one("aws:iam/policy:Policy").inputs["policy"]) <= MANAGED
    (reported,) = problems(streams=streams)
    assert reported.startswith("LakehouseArgs.streams: ")
    assert "expected at most 6,144, which is IAM's limit" in reported


def test_the_longest_permissions_of_a_principal_fit_a_managed_policy() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{'r' * 64}"
    grants = [{**BY_TABLE, "principal": role}, {**WRITES, "principal": role}]
    longest = {"prefix": "a" * 27, "store": "s3_tables", "tables": [EVENTS]}
    for arguments in ({"prefix": "a" * 27}, longest):
        said = [grant for grant in grants if "tables" not in arguments or grant is not grants[0]]
        recorded = lakehouse(**{**arguments, "grants": said})
        (policy,) = recorded.all("aws:iam/policy:Policy")
        assert size(policy.inputs["policy"]) < MANAGED // 2, (
            "two lakehouses' rights fit one, with room to grow"
        )


def test_a_role_of_another_account_may_only_read() -> None:
    (reported,) = problems(grants=[WRITES], tables=[ORDERS, EVENTS])
    assert reported == (
        f"LakehouseArgs.grants[0].actions: got write for {PARTNER}, a role of another account; expected "
        f"read, or a role of this account, {ACCOUNT}, that the other one may assume"
    )
    assert lakehouse(grants=[{**WRITES, "actions": ["read"]}])


@pytest.mark.parametrize("actions", [["write"], ["read", "write"]])
def test_a_table_bucket_has_no_location_to_grant(actions: list[str]) -> None:
    recorded = lakehouse(store="s3_tables", tables=[EVENTS], grants=[{**WRITES, "actions": actions}])
    grants = recorded.all("aws:lakeformation/permissions:Permissions")
    assert not [resource for resource in grants if resource.inputs.get("dataLocation")]
