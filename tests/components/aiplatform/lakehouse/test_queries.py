"""Queries of a lakehouse on AWS: workgroups, and permissions of grants' principals and of writers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pulumi import Output

from aiplatform.lakehouse import Lakehouse
from aiplatform.lakehouse.args import MOST_PRINCIPALS
from aiplatform.lakehouse.aws.principals import workgroup_name
from tests.components.aiplatform.lakehouse.example import (
    ANALYSTS,
    BY_TABLE,
    BY_TAGS,
    EVENTS,
    ORDERS,
    PIPELINE,
    lakehouse,
)
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

PERMISSIONS = "aws:lakeformation/permissions:Permissions"
POLICY = "aws:iam/policy:Policy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
WORKGROUP = "aws:athena/workgroup:Workgroup"


@pytest.fixture(scope="module")
def default() -> Recording:
    """Two tables, a grant by tags and one by table."""
    return lakehouse(grants=[BY_TAGS, BY_TABLE])


def _statements(policy: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_each_principal_has_a_separate_workgroup(default: Recording) -> None:
    for who in ("analysts", "support"):
        workgroup = default.one(WORKGROUP, f"lake-workgroup-role-{who}").inputs["name"]
        assert workgroup == f"acme-dev-lakehouse-{who}"
        policy = default.one(POLICY, f"lake-client-role-{who}")
        attached = default.one(ATTACHED, f"lake-client-role-{who}").inputs
        assert (attached["role"], attached["policyArn"]) == (who, policy.state["arn"]), (
            "it is attached automatically"
        )
        rights = _statements(policy.inputs["policy"])
        arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{workgroup}"
        query_statements = [
            statement
            for statement in rights.values()
            if any("Quer" in action for action in statement["Action"])
        ]
        assert [statement["Resource"] for statement in query_statements] == [arn], (
            "or it would list and fetch another's results"
        )
        assert rights["Results"]["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:athena:arn": arn}}
        assert "kms:DescribeKey" not in rights["Results"]["Action"], "it has no encryption context"
        assert rights["FindKey"]["Action"] == ["kms:DescribeKey"]
        assert f"arn:aws:glue:{REGION}:{ACCOUNT}:database/default" in rights["DefaultDatabase"]["Resource"]
        described = default.one(PERMISSIONS, f"lake-role-{who}-default-tag")
        assert described.inputs["permissions"] == ["DESCRIBE"]
        assert described.inputs["lfTagPolicy"] == {
            "resourceType": "DATABASE",
            "expressions": [{"key": "acme-dev-default", "values": ["queried"]}],
        }, "of this lakehouse alone: the same right on the database would be one with every other lakehouse's"
        tagged = default.one("aws:lakeformation/resourceLfTag:ResourceLfTag", "lake-default")
        assert tagged.inputs["database"] == {"name": "default"}
        assert tagged.inputs["lfTag"] == {"key": "acme-dev-default", "value": "queried"}
        assert default.depends(described, on=tagged)
        creation = default.one("aws:lambda/invocation:Invocation", "lake-default")
        assert default.depends(tagged, on=creation), "a new account has no such database"


def test_all_grants_of_a_principal_share_its_workgroup_and_policy() -> None:
    other = {**BY_TABLE, "name": "events", "tables": ["raw.events"], "actions": ["write"]}
    recorded = lakehouse(grants=[BY_TABLE, other, BY_TAGS])
    assert len(recorded.all(WORKGROUP)) == 2
    reported = value(recorded.result.workgroups)
    assert reported["support"] == reported["events"] != reported["analysts"]
    writing = _statements(recorded.one(POLICY, "lake-client-role-support").inputs["policy"])
    reading = _statements(recorded.one(POLICY, "lake-client-role-analysts").inputs["policy"])
    assert "glue:UpdateTable" in writing["Tables"]["Action"]
    assert "glue:UpdateTable" not in reading["Tables"]["Action"], "readers commit nothing"


def test_a_principal_that_the_program_creates_has_one_workgroup() -> None:
    def program() -> None:
        role = Output.from_input(ANALYSTS)
        grants = [{**BY_TAGS, "principal": role}, {**BY_TABLE, "name": "more", "principal": role}]
        args: Any = {
            "prefix": "acme-dev",
            "writers": [PIPELINE],
            "tables": [ORDERS, EVENTS],
            "grants": grants,
        }
        Lakehouse("lake", args)

    recorded = record(program)
    workgroup = recorded.one(WORKGROUP, "lake-workgroup-principal-analysts").inputs
    assert workgroup["name"] == "acme-dev-lakehouse-analysts"
    assert recorded.one(ATTACHED, "lake-client-principal-analysts").inputs["role"] == "analysts"


def test_the_policy_of_a_role_of_another_account_is_an_output() -> None:
    partner = "arn:aws:iam::999988887777:role/partner"
    recorded = lakehouse(grants=[{**BY_TABLE, "principal": partner}])
    assert not recorded.all(WORKGROUP), "it queries in a workgroup of the other account"
    assert not recorded.all(POLICY)
    assert not [resource for resource in recorded.all(PERMISSIONS) if "default" in resource.name]
    rights = _statements(value(recorded.result.client_policies)["support"])
    assert set(rights) == {"Tables", "AskLakeFormation"}


@pytest.mark.parametrize(
    "role",
    ["a" * 64, "team/reads", "data+science@acme", "data=science@acme", "x" * 63 + "@"],
)
def test_a_workgroups_name_is_valid_for_any_role(role: str) -> None:
    longest = "a" * 27
    name = workgroup_name(longest, f"arn:aws:iam::{ACCOUNT}:role/{role}")
    assert re.fullmatch(r"[a-zA-Z0-9._-]{1,128}", name)


def test_workgroups_of_two_roles_have_different_names() -> None:
    roles = ["data+science", "data-science", "data=science", "data", "x-data"]
    names = {workgroup_name("acme-dev", f"arn:aws:iam::{ACCOUNT}:role/{role}") for role in roles}
    assert len(names) == len(roles)


def test_no_policy_is_attached_to_a_role_of_identity_center() -> None:
    role = "aws-reserved/sso.amazonaws.com/us-west-2/AWSReservedSSO_Analysts_0123456789abcdef"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    recorded = lakehouse(grants=[{**BY_TAGS, "principal": arn}])
    assert recorded.all(POLICY) == [], "IAM refuses to put a policy on it"
    workgroup = value(recorded.result.outputs["workgroups"]["analysts"])
    rights = _statements(value(recorded.result.outputs["client_policies"]["analysts"]))
    assert rights["Query"]["Resource"].endswith(f"workgroup/{workgroup}"), "it queries as all others do"
    key = recorded.one("aws:kms/key:Key", "lake-key").inputs["policy"]
    assert _statements(key)["ResultsOfOthers0"]["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": arn}


def test_the_keys_policy_fits_the_most_principals() -> None:
    grants = [
        {**BY_TAGS, "name": f"team-{index}", "principal": f"arn:aws:iam::{ACCOUNT}:role/{index:x<64}"}
        for index in range(MOST_PRINCIPALS)
    ]
    recorded = lakehouse(prefix="acme-production", grants=grants)
    assert len(recorded.one("aws:kms/key:Key", "lake-key").inputs["policy"]) < 32_768 - 2_500, (
        "what streams, batches and paths of roles add has to fit too"
    )


def test_an_output_with_a_role_of_identity_center_is_refused() -> None:
    role = Output.from_input(
        f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_01"
    )
    with pytest.raises(Exception, match="to which only AWS can attach policies"):
        lakehouse(grants=[{**BY_TAGS, "principal": role}])


def test_writers_may_assume_the_writer_role(default: Recording) -> None:
    policy = default.one(ROLE_POLICY, "lake-writers-role-pipeline").inputs
    assert policy["role"] == "pipeline"
    (right,) = json.loads(policy["policy"])["Statement"]
    assert right["Action"] == ["sts:AssumeRole", "sts:TagSession"], "sessions of Pods carry tags along"
    assert right["Resource"] == default.one("aws:iam/role:Role", "lake-writer").state["arn"]


def test_a_principal_that_commits_to_a_table_is_granted_only_its_folder() -> None:
    whole = {**BY_TABLE, "actions": ["read", "write"], "classifications": ["public", "internal", "pii"]}
    zone = {**BY_TAGS, "actions": ["write"], "zones": ["raw", "curated"]}
    recorded = lakehouse(grants=[whole, zone])
    places = {
        resource.name: resource.inputs["dataLocation"]["arn"]
        for resource in recorded.all(PERMISSIONS)
        if resource.inputs["permissions"] == ["DATA_LOCATION_ACCESS"]
        and resource.name.startswith("lake-role-")
    }
    assert places == {
        "lake-role-support-curated.orders-location": f"arn:aws:s3:::acme-dev-curated-{ACCOUNT}/tables/orders",
        "lake-role-analysts-raw.events-location": f"arn:aws:s3:::acme-dev-raw-{ACCOUNT}/tables/events",
    }, "orders has pii, which the second one may not write"


def test_queries_are_limited_and_their_results_are_separate(default: Recording) -> None:
    workgroup = default.one(WORKGROUP, "lake-workgroup-role-analysts").inputs
    configuration = workgroup["configuration"]
    assert configuration["enforceWorkgroupConfiguration"] is True
    assert configuration["bytesScannedCutoffPerQuery"] == 100 * 1024**3
    key = default.one("aws:kms/key:Key")
    assert configuration["managedQueryResultsConfiguration"] == {
        "enabled": True,
        "encryptionConfiguration": {"kmsKey": key.state["arn"]},
    }
    athena = _statements(key.inputs["policy"])["AthenaKeepsResults"]
    others = _statements(key.inputs["policy"])["ResultsOfOthers0"]
    assert (others["Effect"], others["Principal"]) == ("Deny", {"AWS": "*"})
    arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{workgroup['name']}"
    assert others["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:athena:arn": arn},
        "ArnNotEquals": {"aws:PrincipalArn": ANALYSTS},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }, "IAM may let others read in every workgroup; Athena itself must not be denied"
    assert athena["Condition"]["ArnLike"]["aws:SourceArn"].endswith("workgroup/acme-dev-lakehouse-*")
