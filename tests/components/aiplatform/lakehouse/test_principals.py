"""The principals of grants on AWS: one for each role, for any order and names of its grants."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output
from pulumi_aws import iam

from aiplatform._shared.principals import declare
from aiplatform.lakehouse import Lakehouse
from tests.components.aiplatform.lakehouse.example import (
    ANALYSTS,
    BY_TABLE,
    BY_TAGS,
    EVENTS,
    ORDERS,
    PIPELINE,
    SUPPORT,
    lakehouse,
    problems,
)
from tests.components.recording import ACCOUNT, Recording, record

PERMISSIONS = "aws:lakeformation/permissions:Permissions"
WORKGROUP = "aws:athena/workgroup:Workgroup"
WRITES: dict[str, Any] = {
    "name": "events",
    "principal": SUPPORT,
    "actions": ["write"],
    "tables": ["raw.events"],
}


def _state(recorded: Recording) -> dict[str, Any]:
    """What the engine compares: each resource's inputs by type and name."""
    return {
        # Archives of two programs are never equal.
        f"{resource.type} {resource.name}": {
            key: value for key, value in resource.inputs.items() if key != "code"
        }
        for resource in recorded.resources
        if resource.custom
    }


def _later(arn: str) -> Output[str]:
    """The principal of a workload identity, which the engine knows later."""
    return declare(Output.from_input(arn), arn)


def _as_identities(grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**grant, "principal": _later(grant["principal"])} for grant in grants]


GRANTS = [BY_TAGS, BY_TABLE, WRITES]


@pytest.mark.parametrize("form", [list, _as_identities])
def test_another_order_of_grants_and_writers_changes_nothing(form: Any) -> None:
    writers = [PIPELINE, f"arn:aws:iam::{ACCOUNT}:role/loader"]
    before = lakehouse(grants=form(GRANTS), writers=writers)
    after = lakehouse(grants=form(GRANTS[::-1]), writers=writers[::-1])
    assert _state(before) == _state(after), "a preview would have changes"


def test_another_name_of_a_grant_changes_nothing() -> None:
    renamed = [{**grant, "name": f"{grant['name']}-team"} for grant in GRANTS]
    assert _state(lakehouse(grants=GRANTS)) == _state(lakehouse(grants=renamed)), (
        "granted again under another name, and then revoked under the first"
    )


def test_removing_the_first_principal_deletes_only_its_grants() -> None:
    before, after = _state(lakehouse(grants=GRANTS)), _state(lakehouse(grants=GRANTS[1:]))
    gone = {name for name in before if name not in after}
    changed = {name for name in after if before[name] != after[name]}
    assert gone
    assert all("role-analysts" in name for name in gone), gone
    assert changed == {"aws:kms/key:Key lake-key"}, "which denies the results of one workgroup less"


def test_two_lakehouses_of_one_account_share_no_grant() -> None:
    """What Lake Formation knows of a grant is principal and resource: an equal one of another lakehouse would
    be revoked by the first that is destroyed."""
    dev, prod = (
        lakehouse(prefix=prefix, grants=GRANTS).all(PERMISSIONS) for prefix in ("acme-dev", "acme-prod")
    )

    def known(grants: Any) -> set[str]:
        parts = ("principal", "database", "table", "tableWithColumns", "lfTagPolicy", "dataLocation")
        return {
            json.dumps({part: resource.inputs.get(part) for part in parts}, sort_keys=True)
            for resource in grants
            if resource.inputs["principal"] in (ANALYSTS, SUPPORT)
        }

    assert len(known(dev)) == len(
        [resource for resource in dev if resource.inputs["principal"] in (ANALYSTS, SUPPORT)]
    )
    assert not known(dev) & known(prod)


def test_a_workload_identity_and_its_arn_are_one_principal() -> None:
    recorded = lakehouse(grants=[BY_TABLE, {**WRITES, "principal": _later(SUPPORT)}])
    assert len(recorded.all(WORKGROUP)) == 1, "Athena refuses a second workgroup of the name"
    (policy,) = recorded.all("aws:iam/policy:Policy")
    assert "glue:UpdateTable" in policy.inputs["policy"], "it has the rights of both grants"
    assert policy.inputs["name"] == "acme-dev-lakehouse-client-support"


@pytest.mark.parametrize("second", [SUPPORT, Output.from_input(SUPPORT)])
def test_outputs_of_one_role_fail_before_anything_is_granted(second: Any) -> None:
    grants = [{**BY_TABLE, "principal": Output.from_input(SUPPORT)}, {**WRITES, "principal": second}]
    with pytest.raises(
        Exception, match=r"grants\[1\].principal: got .*, which LakehouseArgs.grants\[0\]"
    ) as error:
        lakehouse(grants=grants)
    assert "expected the same output in both grants, or the arn as text" in str(error.value)


def test_a_replaced_role_replaces_no_grant_of_other_roles() -> None:
    def program() -> None:
        later = iam.Role("later", name="later", assume_role_policy="{}")
        grants = [BY_TABLE, {**WRITES, "principal": later.arn}]
        args: Any = {
            "prefix": "acme-dev",
            "writers": [PIPELINE],
            "tables": [ORDERS, EVENTS],
            "grants": grants,
        }
        Lakehouse("lake", args)

    recorded = record(program)
    role = recorded.one("aws:iam/role:Role", "later")
    principals = {
        resource.name: role.urn in resource.property_dependencies.get("principal", ())
        for resource in recorded.all(PERMISSIONS)
    }
    assert any(principals.values()), "the grants of that role"
    assert not any(depends for name, depends in principals.items() if "role-support" in name), principals


def test_an_output_with_a_role_of_another_account_is_refused() -> None:
    foreign = Output.from_input("arn:aws:iam::999999999999:role/partner")
    with pytest.raises(Exception, match="one of another account by its arn as text"):
        lakehouse(grants=[{**BY_TABLE, "principal": foreign}])


def test_grants_of_one_output_create_no_duplicates() -> None:
    one = Output.from_input(SUPPORT)
    (reported,) = problems(
        grants=[{**BY_TABLE, "principal": one}, {**BY_TABLE, "name": "again", "principal": one}]
    )
    assert reported == (
        "LakehouseArgs.grants[1].tables: got curated.orders for the same output, which grant 'support' has "
        "already; expected one grant for both"
    )


def test_grants_have_their_former_names_as_aliases() -> None:
    recorded = lakehouse(grants=_as_identities([BY_TAGS, WRITES]))
    former = {
        resource.name: resource.aliases
        for resource in (*recorded.all(PERMISSIONS), *recorded.all(WORKGROUP))
        if resource.name.startswith(("lake-role-", "lake-workgroup-")) and "default" not in resource.name
    }
    expected = {
        "lake-role-analysts-curated": "lake-principal-analysts-curated",
        "lake-role-analysts-serving": "lake-principal-analysts-serving",
        "lake-role-analysts-zones-curated-serving": "lake-grant-analysts",
        "lake-role-support-raw": "lake-principal-events-raw",
        "lake-role-support-raw.events": "lake-grant-events-raw.events",
        "lake-role-support-raw.events-location": "lake-principal-events-raw.events-location",
        "lake-workgroup-role-analysts": "lake-workgroup-principal-analysts",
        "lake-workgroup-role-support": "lake-workgroup-principal-events",
    }
    assert set(former) == set(expected)
    for name, was in expected.items():
        assert any(was in alias for alias in former[name]), (name, former[name])


def test_a_repeated_writer_is_refused() -> None:
    (reported,) = problems(writers=[PIPELINE, _later(PIPELINE)], tables=[ORDERS, EVENTS])
    assert reported == (
        f"LakehouseArgs.writers[1]: got '{PIPELINE}', which LakehouseArgs.writers[0] names, too; expected "
        "each role once"
    )
