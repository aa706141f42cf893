"""Appliers and readers on AWS: the same resources for any order of the arguments."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import Output

from aiplatform._shared.principals import declare
from tests.components.aiplatform.feature_store.example import MATERIALIZER, ROLE, aws, problems
from tests.components.recording import ACCOUNT, Recording

PERMISSIONS = "aws:lakeformation/permissions:Permissions"
ANN, BOB, EVE = (f"{ROLE}{name}" for name in ("ann", "teams/bob", "eve"))


def _state(recorded: Recording) -> dict[str, Any]:
    """What the engine compares: each resource's inputs by type and name."""
    return {
        f"{resource.type} {resource.name}": resource.inputs
        for resource in recorded.resources
        if resource.custom
    }


def _of_identity(name: str) -> Output[str]:
    """The principal of a workload identity, which the engine knows later."""
    return declare(Output.from_input(f"{ROLE}{name}"), f"{ROLE}{name}")


@pytest.mark.parametrize("principal", [lambda arn: arn, lambda arn: declare(Output.from_input(arn), arn)])
def test_another_order_of_principals_changes_nothing(principal: Any) -> None:
    before = aws(appliers=[principal(ANN), principal(BOB)], readers=[principal(EVE)])
    after = aws(appliers=[principal(BOB), principal(ANN)], readers=[principal(EVE)])
    assert _state(before) == _state(after), "a preview would have changes"


def test_removing_the_first_principal_deletes_only_its_resources() -> None:
    before, after = _state(aws(appliers=[ANN, BOB])), _state(aws(appliers=[BOB]))
    gone = {name for name in before if name not in after}
    assert {name: entry for name, entry in before.items() if name not in gone} == after
    assert gone
    assert all("role-ann" in name for name in gone), gone
    revoked = [before[name]["principal"] for name in gone if name.startswith(PERMISSIONS)]
    assert revoked == [ANN], "the revoke of a grant that another one equals removes the access of both"


def test_a_principal_as_text_or_as_workload_identity_has_the_same_resources() -> None:
    assert _state(aws(readers=[f"{ROLE}acme-dev-wi-jobs"])) == _state(
        aws(readers=[_of_identity("acme-dev-wi-jobs")])
    )


def test_former_names_by_position_are_aliases() -> None:
    recorded = aws(appliers=[ANN, BOB])
    for index, role in enumerate(("ann", "teams/bob")):
        grant = recorded.one(PERMISSIONS, f"features-applier-role-{role}-tables")
        (alias,) = grant.aliases
        assert f"features-applier-{index}-tables" in alias, (
            "or it is granted first, and revoked by its old name"
        )
        assert grant.delete_before_replace


@pytest.mark.parametrize(
    ("wrong", "path", "first"),
    [
        ({"readers": [_of_identity("ann"), ANN]}, "readers[1]", "FeatureStoreArgs.readers[0]"),
        (
            {"appliers": [ANN], "readers": [_of_identity("ann")]},
            "readers[0]",
            "FeatureStoreArgs.appliers[0]",
        ),
        (
            {"readers": [MATERIALIZER["principal"]]},
            "readers[0]",
            "FeatureStoreArgs.materializer.principal",
        ),
    ],
)
def test_a_repeated_role_is_refused(wrong: dict[str, Any], path: str, first: str) -> None:
    (reported,) = problems(aws, **wrong)
    assert reported.startswith(f"FeatureStoreArgs.{path}: got 'arn:aws:iam::{ACCOUNT}:role/")
    assert reported.endswith(f"which {first} names, too; expected each role once")


@pytest.mark.parametrize(
    ("readers", "problem"),
    [
        (
            [ANN, Output.from_input(ANN)],
            r"readers\[1\]: got .*role/ann', which FeatureStoreArgs.readers\[0\]",
        ),
        ([Output.from_input("arn:aws:iam::999999999999:role/far")], "expected a role of this account"),
        (
            [Output.from_input(f"{ROLE}aws-reserved/sso.amazonaws.com/Dev")],
            "to which only AWS can attach policies",
        ),
    ],
)
def test_a_role_that_only_the_engine_knows_is_checked_when_it_is_known(readers: Any, problem: str) -> None:
    with pytest.raises(Exception, match=problem):
        aws(readers=readers)


def test_a_role_of_identity_center_is_refused() -> None:
    (reported,) = problems(aws, readers=[f"{ROLE}aws-reserved/sso.amazonaws.com/Dev"])
    assert reported.startswith("FeatureStoreArgs.readers[0]: got")
    assert "only AWS can attach policies" in reported
