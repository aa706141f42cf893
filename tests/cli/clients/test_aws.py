"""boto3's clients: pages, and errors as results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from cli.clients.aws import ApiError, Client
from cli.clients.errors import UncheckedError


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    # Else moto makes 1300 images for each test.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield Client("us-west-2")


def test_entries_of_all_pages_are_returned(client: Client) -> None:
    offerings = client.pages("ec2", "describe_instance_type_offerings", "InstanceTypeOfferings")
    assert any(entry["InstanceType"] == "m7i.large" for entry in offerings)
    assert client.pages("eks", "list_clusters", "clusters") == []
    assert len(client.pages("ec2", "describe_addresses", "Addresses")) == 0, "it has no pages"


def test_answer_of_the_service_keeps_its_code(client: Client) -> None:
    with pytest.raises(ApiError) as raised:
        client.call("s3", "head_bucket", Bucket="nobodys-bucket")
    assert raised.value.code == "404"


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnauthorizedOperation"])
def test_missing_permission_is_named(client: Client, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    def denied(self: Any, operation: str, _: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", denied)
    with pytest.raises(UncheckedError, match="it takes the permission ec2:DescribeAddresses") as raised:
        client.call("ec2", "describe_addresses")
    assert not isinstance(raised.value, ApiError)


def test_service_that_cannot_be_reached_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(UncheckedError, match="sts:GetCallerIdentity: Could not connect"):
        Client("us-west-2").call("sts", "get_caller_identity")
