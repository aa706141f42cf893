"""Secrets Manager through the API server: secrets, values, policies, rotation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"


def allow(principal: Any, **more: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_secret_and_its_value_live_and_go(clients: Clients, key: str) -> None:
    context = clients.context()
    secret = make(context, SECRET, name="ml/auth", kmsKeyId=key, recoveryWindowInDays=0, tags={"a": "b"})
    arn = secret.id
    assert arn.startswith("arn:aws:secretsmanager:us-west-2:")
    assert secret.outputs["kmsKeyId"] == key
    assert secret.update(description="new", tags={"a": "c"})["description"] == "new"
    first = make(context, VERSION, secretId=arn, secretString="one")
    assert first.outputs["versionStages"] == ["AWSCURRENT"]
    second = make(context, VERSION, secretId=arn, secretString="two")
    version = first.read()
    assert version is not None
    assert version["versionStages"] == ["AWSPREVIOUS"], "the newer one is current"
    assert clients("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == "two"
    hidden = make(context, VERSION, secretId=arn, secretStringWo="three", secretStringWoVersion=1)
    assert "secretString" not in hidden.outputs, "a value that is only written is in no output"
    for resource in (hidden, second, first):
        resource.delete()
    secret.delete()
    assert secret.read() is None
    assert hidden.read() is None
    again = make(context, SECRET, name="ml/auth", recoveryWindowInDays=7)
    again.delete()
    with pytest.raises(CloudError, match="already scheduled for deletion") as error:
        make(context, SECRET, name="ml/auth")
    assert error.value.path == "name"


def test_what_secrets_manager_refuses(clients: Clients) -> None:
    context = clients.context()
    assert "0" in refused(context, SECRET, name="x", recoveryWindowInDays=5)["recoveryWindowInDays"]
    assert (
        "conflicts"
        in refused(context, VERSION, secretId="x", secretString="a", secretBinary="YQ==")["secretBinary"]
    )
    for change, path, words in (
        ({"name": "a b"}, "name", "Invalid name"),
        ({"name": "x", "kmsKeyId": "arn:aws:kms:us-west-2:1:key/none"}, "kmsKeyId", "can't encrypt"),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(context, SECRET, **change)
        assert error.value.path == path
    one = make(context, SECRET, name="one", recoveryWindowInDays=0)
    with pytest.raises(CloudError, match="ResourceExistsException"):
        make(context, SECRET, name="one")
    with pytest.raises(CloudError, match="can't find the specified secret") as error:
        make(context, VERSION, secretId="none", secretString="x")
    assert error.value.path == "secretId"
    one.delete()


def test_a_policy_names_who_is_there_and_not_everybody(clients: Clients) -> None:
    context = clients.context()
    secret = make(context, SECRET, name="shared", recoveryWindowInDays=0)
    root = f"arn:aws:iam::{clients.server.instance.account}:root"
    policy = make(context, POLICY, secretArn=secret.id, policy=allow({"AWS": root}), blockPublicPolicy=True)
    assert policy.outputs["secretArn"] == secret.id
    with pytest.raises(CloudError, match="did not prevent broad access"):
        policy.update(policy=allow("*"))
    ghost = f"arn:aws:iam::{clients.server.instance.account}:role/ghost"
    with pytest.raises(CloudError, match="unsupported principal") as error:
        policy.update(policy=allow({"AWS": ghost}))
    assert error.value.path == "policy"
    policy.delete()
    assert policy.read() is None
    secret.delete()


def test_a_secret_of_rds_is_changed_by_rds_alone(clients: Clients) -> None:
    clients("rds").create_db_instance(
        DBInstanceIdentifier="own",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="own",
        ManageMasterUserPassword=True,
    )
    database = clients("rds").describe_db_instances(DBInstanceIdentifier="own")["DBInstances"][0]
    arn = database["MasterUserSecret"]["SecretArn"]
    secrets = clients("secretsmanager")
    with pytest.raises(secrets.exceptions.InvalidRequestException, match="managed by rds"):
        secrets.put_secret_value(SecretId=arn, SecretString="mine")
    clients("rds").delete_db_instance(DBInstanceIdentifier="own", SkipFinalSnapshot=True)
