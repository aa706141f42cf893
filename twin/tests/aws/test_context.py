"""A provider's configuration: account, tags, regions, intents."""

from __future__ import annotations

from typing import Any

import pytest

from twin.aws import configuration
from twin.aws.context import INTENT_HEADER, Tags
from twin.provider_interface import CloudError
from twin.tests.aws.conftest import configured, moto_url

__all__ = ["moto_url"]


def test_another_account_is_refused_in_the_providers_words(moto_url: str) -> None:
    with pytest.raises(CloudError, match="AWS account ID not allowed: 123456789012"):
        configured(moto_url, allowedAccountIds=["999999999999"])
    with pytest.raises(CloudError, match="AWS account ID not allowed"):
        configured(moto_url, forbiddenAccountIds=["123456789012"])
    assert configured(moto_url, allowedAccountIds=["123456789012"]).account == "123456789012"


def test_a_role_is_assumed(moto_url: str) -> None:
    role = {"roleArn": "arn:aws:iam::123456789012:role/deployer", "sessionName": "session"}
    assert "assumed-role/deployer/session" in configured(moto_url, assumeRoles=[role]).caller_arn


def test_configuration_is_checked_without_a_call() -> None:
    paths = {
        failure.path
        for failure in configuration.check({"region": "us-west-9", "allowedAccountIds": '["12"]'})
    }
    assert paths == {"region", "allowedAccountIds[0]"}


def test_tags_of_the_provider_and_of_the_resource() -> None:
    tags = Tags({"owner": "a", "team": "b"}, frozenset({"skip"}), ("tmp:",))
    assert tags.merged({"owner": "c"}) == {"owner": "c", "team": "b"}
    remote = {"owner": "a", "skip": "1", "tmp:x": "1", "aws:y": "1", "new": "1"}
    assert tags.seen(remote) == {"owner": "a", "new": "1"}
    assert tags.of_resource(remote, None) == {"new": "1"}
    assert tags.of_resource(remote, {"owner": "a"}) == {"owner": "a", "new": "1"}, (
        "one that the resource repeats is its own"
    )


def test_a_call_carries_its_intent_and_a_token_made_of_it(moto_url: str) -> None:
    context = configured(moto_url).with_intent("i-1")
    client = context.clients.get("ec2", context.region)
    seen: list[dict[str, Any]] = []
    client.meta.events.register("before-send", lambda request, **_: seen.append(dict(request.headers)))
    for _ in range(2):
        context.call("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"})
    assert [headers[INTENT_HEADER] for headers in seen] == [b"i-1", b"i-1"] or [
        headers[INTENT_HEADER] for headers in seen
    ] == ["i-1", "i-1"]
    token = context._with_token("ec2", "CreateNatGateway", {"SubnetId": "subnet-1"})
    assert token == context._with_token("ec2", "CreateNatGateway", {"SubnetId": "subnet-1"}), (
        "the body is the same"
    )
    assert token != context.with_intent("i-2")._with_token(
        "ec2", "CreateNatGateway", {"SubnetId": "subnet-1"}
    )


def test_the_order_of_a_map_is_nothing_to_a_call_s_body(moto_url: str) -> None:
    context = configured(moto_url).with_intent("i-2")
    seen: list[Any] = []
    context.clients.get("eks", context.region).meta.events.register(
        "before-send", lambda request, **_: seen.append(request.body)
    )
    labels = {"b": "1", "a": "2"}
    for label in (labels, dict(reversed(labels.items()))):
        params = {"clusterName": "none", "nodegroupName": "n", "subnets": [], "nodeRole": "r"}
        with pytest.raises(Exception, match="CreateNodegroup"):  # moto has no cluster of that name
            context.call("eks", "CreateNodegroup", {**params, "labels": label})
    assert seen[0] == seen[1], "the front knows a repeated call by its body"
