"""Where a query's results are kept, under which key, and whether its asker may have them kept there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Call, Refusal
from twin.aws.iam import authorization
from twin.aws.services.athena.operations import result_of
from twin.aws.services.athena.queries.storage import place
from twin.aws.services.kms import permissions as kms

Params = dict[str, Any]


def encryption(reported: Params) -> dict[str, str]:
    """How an execution's objects are put, in S3's words."""
    configuration = (reported.get("ResultConfiguration") or {}).get("EncryptionConfiguration") or {}
    option = configuration.get("EncryptionOption")
    if option == "SSE_KMS":
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": configuration["KmsKey"]}
    return {"ServerSideEncryption": "AES256"} if option == "SSE_S3" else {}


def may_keep(call: Call, server: Any, inside: Callable[[str, str], Inside]) -> None:
    """Whether the caller may have results put where they go, which Athena looks at before it begins. Raises
    Refusal."""
    params = call.params
    region = call.region or server.instance.region
    groups = server.moto.backend("athena", region).work_groups
    group = groups.get(params.get("WorkGroup") or "primary")
    if group is None:
        return  # Athena says that there is none
    if (group.configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"):
        may_use_key(call, server, group, "kms:GenerateDataKey")
        return
    location = str(result_of(params, group.configuration).get("OutputLocation") or "")
    if not location.startswith("s3://"):
        return  # Athena says so
    bucket, _ = place(location)
    try:
        inside(call.access_key, region).call("s3", "get_bucket_location", Bucket=bucket)
    except Refusal as error:
        text = f"Unable to verify/create output bucket {bucket}: {error.message}"
        raise Refusal("InvalidRequestException", text) from None


def may_use_key(call: Call, server: Any, group: Any, action: str) -> None:
    """Managed results are encrypted in their asker's name (Athena user guide, "Encrypt managed query
    results"). Raises Refusal."""
    managed = group.configuration.get("ManagedQueryResultsConfiguration") or {}
    key = (managed.get("EncryptionConfiguration") or {}).get("KmsKey")
    region = call.region or server.instance.region
    context = {
        "kms:EncryptionContext:aws:athena:arn": group.arn,
        "kms:EncryptionContextKeys": "aws:athena:arn",
    }
    with server.moto.lock:
        who = server.identity.principal(call.access_key)
        for request in kms.by_service(server.moto, region, "athena", action, key, context):
            authorization.demand(call, server, who, request)
