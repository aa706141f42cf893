"""Every AWS policy of the program agrees with AWS's definitions of actions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.components.recording import Recording
from tests.inventories import variants
from tests.inventories.aws_definitions import actions, overlaps
from tests.inventories.aws_policies import KINDS, Document, documents, errors
from tests.stacks.environments import STACKS, built

READER = KINDS["aws:iam/rolePolicy:RolePolicy.policy"]
TRUST = KINDS["aws:iam/role:Role.assumeRolePolicy"]
KEY = KINDS["aws:kms/key:Key.policy"]
BUCKET = "arn:aws:s3:::acme-raw"
SUBNET = "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1"
ALLOWED: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"{BUCKET}/*"}


def recordings() -> Iterator[tuple[str, Recording]]:
    """Yield the recordings of the inventories on AWS."""
    yield from ((stack, built(stack).recording) for stack in STACKS if stack.startswith("aws-"))
    yield from ((name, variants.recorded(name)) for name in variants.NAMES if "/aws" in name)


def problems(*statements: Any, kind: Any = READER) -> list[str]:
    document = Document("policy", kind, {"Version": "2012-10-17", "Statement": list(statements)})
    return [error.removeprefix("policy: statement 0: ") for error in errors(document)]


def test_no_policy_of_the_program_contradicts_awss_definitions() -> None:
    seen: dict[str, str] = {}
    count = 0
    for name, recording in recordings():
        for document in documents(recording):
            count += 1
            for error in errors(document):
                seen.setdefault(error, name)
    assert count > 300, "does this test still find the policies?"
    assert not seen, "\n".join(f"{name}: {error}" for error, name in seen.items())


def test_every_managed_policy_that_is_attached_exists() -> None:
    # Loading them takes a second, which other tests should not spend.
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    managed = {
        f"arn:aws:iam::aws:policy{policy['Path']}{name}"
        for name, policy in json.loads(aws_managed_policies_data).items()
    }
    attached = {
        str(attachment.inputs["policyArn"])
        for _, recording in recordings()
        for attachment in recording.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    ours = {arn for arn in attached if ":iam::aws:policy/" in arn}
    assert ours, "does this test still find the attachments?"
    assert ours <= managed, f"AWS manages no policy {', '.join(sorted(ours - managed))}"


NO_KEY = "requests of s3:GetObject do not have this key"


def when(operator: str, key: str) -> dict[str, Any]:
    """A condition with one key."""
    return {"Condition": {operator: {key: "x"}}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"Action": "ec2:DescribeSubnetsX"}, "no such action; did you mean ec2:DescribeSubnets?"),
        ({"Action": "kmss:Decrypt"}, "kmss:Decrypt: no such action; did you mean kms?"),
        ({"Action": "s3:GetObjct*"}, "s3:GetObjct*: no such action"),
        ({"Resource": BUCKET}, f"s3:GetObject: applies to none of {BUCKET}; expected"),
        ({"Action": ["s3:ListBucket", "s3:GetObject"]}, "s3:ListBucket: applies to none of"),
        ({"Action": "s3:ListBucket"}, f"s3:ListBucket: applies to none of {BUCKET}/*; expected"),
        ({"Resource": [f"{BUCKET}/*", SUBNET]}, f"{SUBNET}: a resource of none of the actions s3:GetObject"),
        ({"Action": "ec2:DescribeSubnets", "Resource": SUBNET}, "ec2:DescribeSubnets: applies to none of"),
        ({"Resource": "acme-raw/*"}, "Resource: got 'acme-raw/*'; expected an ARN or *"),
        ({"Effect": "Permit"}, "Effect: got 'Permit', expected Allow or Deny"),
        ({"Conditions": {}}, "Conditions: no such element"),
        ({"Principal": "*"}, "Principal: not allowed in such a policy"),
        ({"Sid": "read-raw"}, "Sid: got 'read-raw', expected letters and digits"),
        (when("StringEqual", "aws:SourceVpc"), "Condition.StringEqual: no such operator"),
        (when("StringEquals", "s3:prefix"), NO_KEY),
        (when("StringEquals", "aws:SourceVcp"), NO_KEY),
        (when("StringEquals", "aws:SecureTransport"), "is of type Bool, which StringEquals does not compare"),
        (when("StringEquals", "aws:CalledVia"), "has several values; expected ForAnyValue:StringEquals or"),
    ],
)
def test_a_statement_that_aws_would_ignore_or_refuse_is_reported(
    change: dict[str, Any], problem: str
) -> None:
    assert not problems(ALLOWED), "the statement is valid before the change"
    reported = "\n".join(problems({**ALLOWED, **change}))
    assert problem in reported, reported


def test_a_request_on_several_resources_needs_all_of_them() -> None:
    glue = "arn:aws:glue:eu-central-1:111122223333"
    run: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "ec2:RunInstances",
        "Resource": "arn:aws:ec2:eu-central-1:111122223333:instance/*",
    }
    assert any(
        "ec2:RunInstances: each request needs a resource of type image, too" in problem
        for problem in problems(run)
    ), problems(run)
    assert not problems({**run, "Resource": "*"})
    table = {"Effect": "Allow", "Action": "glue:GetTable", "Resource": [f"{glue}:table/raw/*"]}
    more = {"Effect": "Allow", "Action": "glue:Get*", "Resource": [f"{glue}:catalog", f"{glue}:database/raw"]}
    assert any("glue:GetTable: each request needs" in problem for problem in problems(table)), problems(table)
    assert not problems(table, more), "another statement of the document may allow the other type"


def test_each_kind_of_document_has_its_own_actions_and_elements() -> None:
    principal = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    assert not problems({**principal, "Action": "sts:AssumeRole"}, kind=TRUST)
    assert problems({**principal, "Action": "s3:GetObject"}, kind=TRUST) == [
        "s3:GetObject: expected an action of sts in such a policy"
    ]
    assert problems({**principal, "Action": "kms:Decrypt"}, kind=KEY) == ["Resource: missing"], (
        "KMS refuses a key policy without one"
    )
    anyone = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    assert problems(anyone, kind=KEY) == ["Principal: missing"]


def test_a_claim_belongs_to_the_identity_provider_that_is_trusted() -> None:
    issuer = "oidc.eks.eu-central-1.amazonaws.com/id/0123"
    provider = f"arn:aws:iam::111122223333:oidc-provider/{issuer}"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:a:b"}},
    }
    assert not problems(statement, kind=TRUST)
    other = {**statement, "Condition": {"StringEquals": {"token.example.com:sub": "x"}}}
    assert "do not have this key" in problems(other, kind=TRUST)[0]


def test_a_document_over_awss_quota_is_reported() -> None:
    many = {**ALLOWED, "Resource": [f"{BUCKET}/{number:0100}/*" for number in range(100)]}
    assert any("expected at most 10240" in problem for problem in problems(many))


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:s3:::a", "arn:${Partition}:s3:::${BucketName}", True),
        ("arn:aws:s3:::a/*", "arn:${Partition}:s3:::${BucketName}", False),
        ("arn:aws:s3:::a*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:s3:::a/b/c", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:sqs:::a", "arn:${Partition}:s3:::${BucketName}", False),
        ("arn:aws:iam::1:role/a/b", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True),
        ("arn:aws:kms:*:1:key/?", "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}", True),
        ("arn:aws:kms:*:1:alias/a", "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}", False),
        ("arn:aws:s3:::${aws:username}/*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("*", "arn:${Partition}:s3:::${BucketName}", True),
    ],
)
def test_a_pattern_is_compared_with_the_format_of_an_arn(pattern: str, arn: str, *, expected: bool) -> None:
    assert overlaps(pattern, arn) is expected


def test_a_wildcard_stands_for_the_actions_that_it_matches() -> None:
    assert {action.name for action in actions("kms:ReEncrypt*")} == {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
    assert [action.name for action in actions("S3:getobject")] == ["s3:GetObject"], (
        "case does not matter to IAM"
    )
