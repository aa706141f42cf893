"""Roles that a component creates for a service, with their policies."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from aiplatform._shared.aws.policy_documents import allow, trust
from aiplatform._shared.aws.roles import ServiceRole, service_role
from tests.components.recording import Recording, record

ROLE = "aws:iam/role:Role"
INLINE = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def _record(**arguments: Any) -> Recording:
    def program() -> ServiceRole:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        return service_role("job", parent=parent, trust=trust("glue.amazonaws.com"), **arguments)

    return record(program)


def test_a_service_role_has_its_statements_inline_and_aws_policies_attached() -> None:
    read = allow(["s3:GetObject"], "arn:aws:s3:::data/*")
    recording = _record(
        statements=[read],
        policy_name="read",
        managed=["AmazonEKSClusterPolicy"],
        name_prefix="acme-dev-job",
    )
    role = recording.one(ROLE)
    assert (role.name, role.inputs["namePrefix"]) == ("job", "acme-dev-job")
    policy = recording.one(INLINE)
    assert (policy.name, policy.inputs["name"]) == ("job", "read")
    assert json.loads(policy.inputs["policy"])["Statement"] == [read]
    attachment = recording.one(ATTACHMENT)
    assert attachment.name == "job-AmazonEKSClusterPolicy"
    assert attachment.inputs["policyArn"] == "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    assert len(recording.result.policies) == 2, "what uses the role depends on both"


def test_statements_may_depend_on_a_resource() -> None:
    def program() -> ServiceRole:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        key = pulumi.Output.from_input("arn:aws:kms:eu-central-1:111122223333:key/1")
        statements = key.apply(lambda arn: [allow(["kms:Decrypt"], arn)])
        return service_role("job", parent=parent, trust=trust("glue.amazonaws.com"), statements=statements)

    (statement,) = json.loads(record(program).one(INLINE).inputs["policy"])["Statement"]
    assert statement["Resource"].endswith("key/1")


def test_a_service_role_without_statements_has_no_policy() -> None:
    recording = _record()
    assert not recording.all(INLINE), "IAM refuses an empty document"
    assert recording.result.policies == []


def test_options_of_a_service_role_are_those_of_the_role_only() -> None:
    recording = _record(
        statements=[allow(["s3:GetObject"], "*")], opts=pulumi.ResourceOptions(delete_before_replace=True)
    )
    assert recording.one(ROLE).delete_before_replace
    assert not recording.one(INLINE).delete_before_replace
