"""Errors in the words of the AWS provider, which are those of the AWS SDK for Go v2 behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnectionError

from twin.aws.validation.parameters import service_model
from twin.provider_interface import CloudError, Unreachable

_UNTYPED = ("ec2", "sts")
"""Protocols whose models name no error: the SDK prints `api error Code: message` for them."""

# A refused connection too: it may be the last of several attempts, of which an earlier one got through.
_UNANSWERED = (HTTPClientError, NoConnectionError, IncompleteReadError)


def code_of(error: ClientError) -> str:
    """AWS's error code (`InvalidSubnet.Range`)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def words(service: str, error: ClientError | BotoCoreError) -> str:
    """The error as the provider prints it."""
    if not isinstance(error, ClientError):
        return f"operation error {service_model(service).service_id}: {error}"
    answer: Mapping[str, Any] = error.response
    details = answer.get("Error", {})
    meta = answer.get("ResponseMetadata", {})
    code = details.get("Code", "Unknown")
    typed = service not in _UNTYPED and code in _modelled(service)
    return (
        f"operation error {service_model(service).service_id}: {error.operation_name}, "
        f"https response error StatusCode: {meta.get('HTTPStatusCode', 0)}, "
        f"RequestID: {meta.get('RequestId', '')}, "
        f"{'' if typed else 'api error '}{code}: {details.get('Message', '')}"
    )


def cloud_error(
    action: str, service: str, error: ClientError | BotoCoreError, paths: Mapping[str, str] | None = None
) -> CloudError:
    """What the core shows: `creating EC2 Subnet: operation error EC2: CreateSubnet, ...`.

    paths: the wrong property by AWS's error code, or by `Code: words of the message` where the code alone
    does not report it. Raises Unreachable for a call that got no answer.
    """
    if isinstance(error, _UNANSWERED):
        raise Unreachable(f"{action}: {words(service, error)}") from error
    code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
    return CloudError(
        f"{action}: {words(service, error)}", code=code, path=_path(paths or {}, code, str(error))
    )


def _path(paths: Mapping[str, str], code: str, message: str) -> str:
    for known, path in paths.items():
        named, _, fragment = known.partition(": ")
        if named == code and fragment in message:
            return path
    return ""


def _modelled(service: str) -> set[str]:
    model = service_model(service)
    return {shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes} | {
        shape.name for shape in model.error_shapes
    }
