"""The online store in Valkey: its users, and their permissions."""

from __future__ import annotations

import json

from tests.components.aiplatform.feature_store.example import statements
from tests.components.recording import Recording


def test_the_server_only_reads_valkey_and_the_materializer_writes_it(valkey: Recording) -> None:
    users = {resource.inputs["userName"]: resource for resource in valkey.all("aws:elasticache/user:User")}
    assert set(users) == {"acme-dev-feature-server", "acme-dev-feature-materializer"}
    may = {name: set(resource.inputs["accessString"].split()) for name, resource in users.items()}
    assert "+@write" in may["acme-dev-feature-materializer"]
    commands = {entry for entry in may["acme-dev-feature-server"] if entry.startswith("+")}
    assert commands == {
        "+@read",
        "+@connection",
        "+cluster|slots",
        "+cluster|shards",
        "+cluster|nodes",
        "+command",
        "+info",
    }, "the server lets every client push, and so must not be able to"
    assert len(valkey.all("aws:secretsmanager/secretVersion:SecretVersion")) == 2, "each has its own password"
    (members,) = valkey.all("aws:elasticache/userGroup:UserGroup")
    assert set(members.inputs["userIds"]) == {resource.inputs["userId"] for resource in users.values()}
    secrets = {
        resource.inputs["metadata"]["name"]: resource for resource in valkey.all("kubernetes:core/v1:Secret")
    }
    assert set(secrets) == {"feature-server-online", "feature-materializer-online"}
    for name, secret in secrets.items():
        of_part = f"acme-dev-{name.removesuffix('-online')}"
        assert of_part in json.dumps(secret.inputs["stringData"], default=str)
    for kind, part in (
        ("apps/v1:Deployment", "feature-server"),
        ("batch/v1:CronJob", "feature-materializer"),
    ):
        refers = json.dumps(valkey.one(f"kubernetes:{kind}").inputs["spec"])
        assert refers.count(f"{part}-online") == 2, "user and password"
        assert refers.count('-online"') == 2, "and of no other part's Secret"


def test_valkey_accepts_only_the_cluster_and_its_users(valkey: Recording) -> None:
    cache = valkey.one("aws:elasticache/serverlessCache:ServerlessCache").inputs
    assert (cache["engine"], cache["userGroupId"], cache["snapshotRetentionLimit"]) == (
        "valkey",
        "acme-dev-features",
        5,
    )
    assert cache["kmsKeyId"]
    for user in valkey.all("aws:elasticache/user:User"):
        assert user.inputs["accessString"].startswith("on ~* -@all ")
        assert "-@dangerous" in user.inputs["accessString"], "no command that empties the cache"
    for rule in valkey.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        assert rule.inputs["referencedSecurityGroupId"] == "sg-0c1u5te2"
    assert "OnlineStore" not in statements(valkey, "server"), "IAM does not let anyone into Valkey"
    for secret in valkey.all("aws:secretsmanager/secret:Secret"):
        assert secret.inputs["recoveryWindowInDays"] == 0, "a destroy leaves nothing"
    for version in valkey.all("aws:secretsmanager/secretVersion:SecretVersion"):
        assert version.ignore_changes == ("secretString",), "another password at each deployment locks out"
