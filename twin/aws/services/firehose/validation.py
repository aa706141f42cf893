"""Data Firehose: roles, tables, keys, records; delivery.py delivers what is put into a stream.

Sources: the API Reference of CreateDeliveryStream and StartDeliveryStreamEncryption; "Deliver data to Apache
Iceberg Tables" and "Controlling access" in the Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements, principals, service_roles
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_RECORD: Final = 1000 * 1024
_BATCH: Final = 4 * 1024 * 1024
_SERVICE: Final = "firehose.amazonaws.com"


def invalid(words: str) -> Refusal:
    """Firehose's answer to parameters that it does not take."""
    return Refusal("InvalidArgumentException", words)


def create(params: Params, state: MotoState) -> None:
    """CreateDeliveryStream."""
    for destination in _destinations(params, "Configuration"):
        _check(destination, state)


def update(params: Params, state: MotoState) -> None:
    """UpdateDestination."""
    for destination in _destinations(params, "Update"):
        _check(destination, state)


def _destinations(params: Params, suffix: str) -> Iterator[Params]:
    for name, value in params.items():
        if name.endswith(f"Destination{suffix}") and isinstance(value, dict):
            yield value


def _check(destination: Params, state: MotoState) -> None:
    role = None
    for part in (destination, *(destination.get(name) or {} for name in _PARTS)):
        arn = part.get("RoleARN")
        if arn:
            service_role = service_roles.by(_SERVICE, str(arn), state)
            if service_role is None:
                raise invalid(f"Firehose is unable to assume role {arn}. Please check the role provided.")
            role = role or service_role
        bucket = str(part.get("BucketARN") or "").removeprefix("arn:aws:s3:::")
        if bucket and bucket not in state.s3.buckets:
            raise invalid(f"The bucket {part['BucketARN']} does not exist or Firehose may not reach it.")
        _key(part, state)
    for table in destination.get("DestinationTableConfigurationList") or []:
        _table(table, role, state)


_PARTS: Final = ("S3Configuration", "S3Update", "S3BackupConfiguration", "S3BackupUpdate")


def _key(part: Params, state: MotoState) -> None:
    named = ((part.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}).get("AWSKMSKeyARN")
    key = state.key(named) if named else None
    if named and (key is None or not key.enabled):
        raise Refusal("InvalidKMSResourceException", f"The KMS key {named} does not exist or is not enabled.")


def _table(table: Params, role: Any, state: MotoState) -> None:
    database, name = str(table.get("DestinationDatabaseName")), str(table.get("DestinationTableName"))
    database_ = state.moto.backend("glue", state.region).databases.get(database)
    arn = f"arn:aws:glue:{state.region}:{state.account}:table/{database}/{name}"
    there = database_ is not None and name in database_.tables
    may = role is not None and policy_statements.allows(
        list(principals.documents(role)), "glue:GetTable", arn, {}
    )
    if not there or not may:
        raise invalid(
            f"Role {getattr(role, 'arn', '')} is not authorized to perform: glue:GetTable for the given "
            "table or "
            f"the table does not exist: {database}.{name}."
        )


def encrypt(params: Params, state: MotoState) -> None:
    """StartDeliveryStreamEncryption."""
    configuration = params.get("DeliveryStreamEncryptionConfigurationInput") or {}
    named, extension_store = (
        configuration.get("KeyARN"),
        configuration.get("KeyType") == "CUSTOMER_MANAGED_CMK",
    )
    if extension_store != bool(named):
        raise invalid("KeyARN goes with the key type CUSTOMER_MANAGED_CMK, and with it alone.")
    key = state.key(named) if named else None
    if named and (key is None or not key.enabled):
        raise Refusal("InvalidKMSResourceException", f"The KMS key {named} does not exist or is not enabled.")


def put(params: Params, state: MotoState) -> None:
    """PutRecord, PutRecordBatch: of a size that Firehose takes."""
    name = params.get("DeliveryStreamName")
    if name not in state.moto.backend("firehose", state.region).delivery_streams:
        words = f"Firehose {name} under account {state.account} not found."
        raise Refusal("ResourceNotFoundException", words)
    records = params.get("Records") or [params.get("Record") or {}]
    sizes = [len(record.get("Data") or b"") for record in records]
    if sum(sizes) > _BATCH or max(sizes) > _RECORD:
        raise invalid(f"A record has at most {_RECORD} bytes, the records of a call {_BATCH} bytes together.")


RULES: Final = {
    "PutRecord": put,
    "PutRecordBatch": put,
    "CreateDeliveryStream": create,
    "UpdateDestination": update,
    "StartDeliveryStreamEncryption": encrypt,
}


# Operations


def _iceberg(call: Call, backend: Any) -> bool:
    return "Iceberg" in backend.delivery_streams[call.params["DeliveryStreamName"]].destinations[0]


def _id() -> str:
    from moto.moto_api._internal import mock_random

    return mock_random.get_random_hex(100)


def take(call: Call, backend: Any) -> Answer | None:
    """PutRecord into an Iceberg table, which moto does not know."""
    return (
        extension_store.respond(call, {"RecordId": _id(), "Encrypted": False})
        if _iceberg(call, backend)
        else None
    )


def take_all(call: Call, backend: Any) -> Answer | None:
    """PutRecordBatch into an Iceberg table."""
    if not _iceberg(call, backend):
        return None
    reported = [{"RecordId": _id()} for _ in call.params["Records"]]
    return extension_store.respond(
        call, {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": reported}
    )


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "PutRecord": take,
    "PutRecordBatch": take_all,
}
