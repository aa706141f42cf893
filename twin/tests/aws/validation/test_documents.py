"""Sizes, characters and rights of IAM, KMS and CloudWatch Logs, as AWS refuses them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.validation.conftest import TRUST, document, refused


@pytest.fixture(scope="module")
def role(clients: Clients) -> str:
    """A role without policies."""
    clients("iam").create_role(RoleName="sized", AssumeRolePolicyDocument=TRUST)
    return "sized"


def sized(size: int) -> str:
    """A policy of about so many characters without whitespace."""
    text = json.dumps(json.loads(document()), separators=(",", ":"))
    return document(Resource=f"arn:aws:s3:::{'x' * (size - len(text) - 12)}")


def test_policies_have_a_size(clients: Clients, role: str) -> None:
    iam = clients("iam")
    code, why = refused(
        clients, "iam", "put_role_policy", RoleName=role, PolicyName="a", PolicyDocument=sized(10300)
    )
    assert (code, why) == ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role sized")
    iam.put_role_policy(RoleName=role, PolicyName="a", PolicyDocument=sized(6000))
    iam.put_role_policy(RoleName=role, PolicyName="a", PolicyDocument=sized(6100))
    code, _ = refused(
        clients, "iam", "put_role_policy", RoleName=role, PolicyName="b", PolicyDocument=sized(6000)
    )
    assert code == "LimitExceeded", "all inline policies of a role count together"
    code, why = refused(clients, "iam", "create_policy", PolicyName="big", PolicyDocument=sized(6200))
    assert (code, why) == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    spaced = json.dumps(json.loads(sized(6000)), indent=400)
    assert len(spaced) > 6144
    iam.create_policy(PolicyName="spaced", PolicyDocument=spaced)  # whitespace does not count


def test_a_service_linked_role_takes_no_policy(clients: Clients) -> None:
    iam = clients("iam")
    name = iam.create_service_linked_role(AWSServiceName="lex.amazonaws.com")["Role"]["RoleName"]
    (managed_policy,) = iam.list_policies(Scope="AWS", MaxItems=1)["Policies"]
    for operation, policy in (
        ("put_role_policy", {"PolicyName": "a", "PolicyDocument": document()}),
        ("attach_role_policy", {"PolicyArn": managed_policy["Arn"]}),
    ):
        code, why = refused(clients, "iam", operation, RoleName=name, **policy)
        assert code == "UnmodifiableEntity", why


def test_a_trust_policy_has_a_size(clients: Clients) -> None:
    services = [f"s{n}.amazonaws.com" for n in range(200)]
    text = document(Resource=None, Action="sts:AssumeRole", Principal={"Service": services})
    code, why = refused(clients, "iam", "create_role", RoleName="wide", AssumeRolePolicyDocument=text)
    assert (code, why) == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")


def test_a_role_has_at_most_ten_managed_policies(clients: Clients, role: str) -> None:
    iam = clients("iam")
    policies = iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]
    for policy in policies[:10]:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
    code, why = refused(clients, "iam", "attach_role_policy", RoleName=role, PolicyArn=policies[10]["Arn"])
    assert (code, why) == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
    iam.attach_role_policy(RoleName=role, PolicyArn=policies[0]["Arn"])  # again is no eleventh


@pytest.mark.parametrize("text", ["Nodes — all of them", "naïve → café", "x" * 1001])
def test_a_roles_description_has_latin_characters_alone(clients: Clients, text: str) -> None:
    code, why = refused(
        clients, "iam", "create_role", RoleName="n", AssumeRolePolicyDocument=TRUST, Description=text
    )
    assert (code, "description" in why) == ("ValidationError", True)


def test_an_open_id_connect_provider_has_few_thumbprints(clients: Clients) -> None:
    url, thumbprint = "https://oidc.example.com/id", "a" * 40
    call: dict[str, Any] = {"Url": url, "ClientIDList": ["sts.amazonaws.com"]}
    operation = "create_open_id_connect_provider"
    assert refused(clients, "iam", operation, **call, ThumbprintList=["zz"])[0] == "ValidationError"
    assert refused(clients, "iam", operation, **call, ThumbprintList=["g" * 40])[0] == "InvalidInput"
    assert refused(clients, "iam", operation, **call, ThumbprintList=[thumbprint] * 6)[0] == "LimitExceeded"
    clients("iam").create_open_id_connect_provider(**call)
    assert refused(clients, "iam", operation, **call)[0] == "EntityAlreadyExists"


def test_more_than_fifty_tags_are_refused(clients: Clients, role: str) -> None:
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(51)]
    assert refused(clients, "iam", "tag_role", RoleName=role, Tags=tags)[0] in (
        "InvalidInput",
        "ValidationError",
        "LimitExceeded",
    )
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    code, _ = refused(clients, "ec2", "create_vpc", CidrBlock="10.0.0.0/16", TagSpecifications=specification)
    assert code == "TagLimitExceeded"


def key(clients: Clients, *statements: dict[str, Any]) -> str:
    """A key whose policy lets the account and who is named."""
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [root, *statements]})
    return clients("kms").create_key(Policy=text)["KeyMetadata"]["Arn"]


def test_a_log_groups_key_must_let_the_service_use_it(clients: Clients) -> None:
    logs = clients("logs")
    arn = "arn:aws:logs:us-west-2:123456789012:log-group:/mine"
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-west-2.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    }
    call = {"logGroupName": "/mine"}
    code, why = refused(clients, "logs", "create_log_group", **call, kmsKeyId=key(clients))
    assert (code, "is not allowed to be used" in why) == ("InvalidParameterException", True)
    good = key(clients, may)
    other = {"logGroupName": "/other", "kmsKeyId": good}
    assert refused(clients, "logs", "create_log_group", **other)[0] == "InvalidParameterException", (
        "the statement is for one group"
    )
    logs.create_log_group(**call, kmsKeyId=good)

    def log_group() -> dict[str, Any]:
        return logs.describe_log_groups(logGroupNamePrefix="/mine")["logGroups"][0]

    assert log_group()["kmsKeyId"] == good
    logs.disassociate_kms_key(**call)
    assert "kmsKeyId" not in log_group(), "moto lacks the operation"
    assert refused(clients, "logs", "associate_kms_key", **call, kmsKeyId=key(clients))[0] == (
        "InvalidParameterException"
    )
    logs.associate_kms_key(**call, kmsKeyId=good)
    assert log_group()["kmsKeyId"] == good
    assert refused(clients, "logs", "disassociate_kms_key", logGroupName="/none")[0] == (
        "ResourceNotFoundException"
    )


def test_a_keys_policy_names_principals_that_exist(clients: Clients, role: str) -> None:
    def of(name: str) -> str:
        root = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"}
        named = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::123456789012:role/{name}"},
            "Action": "kms:Decrypt",
        }
        statements = [{**arn, "Resource": "*"} for arn in (root, named)]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    code, why = refused(clients, "kms", "create_key", Policy=of("absent"))
    assert (code, "invalid principals" in why) == ("MalformedPolicyDocumentException", True)
    clients("kms").create_key(Policy=of(role))
