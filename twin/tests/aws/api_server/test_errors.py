"""Whether a call was refused, or nobody knows what became of it."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ParamValidationError,
    ReadTimeoutError,
)

from twin.aws.api_server.errors import cloud_error
from twin.provider_interface import Unreachable

URL = "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_a_call_without_an_answer_is_no_refusal(error: BotoCoreError) -> None:
    with pytest.raises(Unreachable, match="creating EKS Cluster"):
        cloud_error("creating EKS Cluster", "eks", error)


def test_what_is_refused_is_told_in_the_cloud_s_words() -> None:
    answer = {"Error": {"Code": "InvalidSubnet.Range", "Message": "no"}}
    error = cloud_error("creating EC2 Subnet", "ec2", ClientError(answer, "CreateSubnet"), {})  # pyright: ignore[reportArgumentType]
    assert error.code == "InvalidSubnet.Range"
    assert "CreateSubnet" in str(error)
    assert cloud_error("x", "ec2", ParamValidationError(report="bad")).code == "ParamValidationError"


def test_the_property_at_fault_is_known_by_the_code_or_by_the_message() -> None:
    paths = {"Invalid: instance types": "instanceTypes", "Taken": "name"}

    def path(code: str, message: str) -> str:
        answer = {"Error": {"Code": code, "Message": message}}
        error = ClientError(answer, "CreateNodegroup")  # pyright: ignore[reportArgumentType]
        return cloud_error("x", "eks", error, paths).path

    assert path("Taken", "any") == "name"
    assert path("Invalid", "these instance types do not exist") == "instanceTypes"
    assert path("Invalid", "something else") == ""
