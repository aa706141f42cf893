"""Data Firehose: roles, tables, keys. What is put into a stream is not delivered here.

Sources: the API Reference of CreateDeliveryStream and StartDeliveryStreamEncryption; "Deliver data to Apache
Iceberg Tables" and "Controlling access" in the Developer Guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws import policy, principals
from twin.aws.call import Refusal
from twin.aws.rules import assumable
from twin.aws.rules.look import Look

Params = dict[str, Any]

_SERVICE: Final = "firehose.amazonaws.com"


def invalid(words: str) -> Refusal:
    """Firehose's answer to parameters that it does not take."""
    return Refusal("InvalidArgumentException", words)


def create(params: Params, look: Look) -> None:
    """CreateDeliveryStream."""
    for destination in _destinations(params, "Configuration"):
        _check(destination, look)


def update(params: Params, look: Look) -> None:
    """UpdateDestination."""
    for destination in _destinations(params, "Update"):
        _check(destination, look)


def _destinations(params: Params, suffix: str) -> Iterator[Params]:
    for name, value in params.items():
        if name.endswith(f"Destination{suffix}") and isinstance(value, dict):
            yield value


def _check(destination: Params, look: Look) -> None:
    role = None
    for part in (destination, *(destination.get(name) or {} for name in _PARTS)):
        arn = part.get("RoleARN")
        if arn:
            found = assumable.by(_SERVICE, str(arn), look)
            if found is None:
                raise invalid(f"Firehose is unable to assume role {arn}. Please check the role provided.")
            role = role or found
        bucket = str(part.get("BucketARN") or "").removeprefix("arn:aws:s3:::")
        if bucket and bucket not in look.s3.buckets:
            raise invalid(f"The bucket {part['BucketARN']} does not exist or Firehose may not reach it.")
        _key(part, look)
    for table in destination.get("DestinationTableConfigurationList") or []:
        _table(table, role, look)


_PARTS: Final = ("S3Configuration", "S3Update", "S3BackupConfiguration", "S3BackupUpdate")


def _key(part: Params, look: Look) -> None:
    named = ((part.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}).get("AWSKMSKeyARN")
    key = look.key(named) if named else None
    if named and (key is None or not key.enabled):
        raise Refusal("InvalidKMSResourceException", f"The KMS key {named} does not exist or is not enabled.")


def _table(table: Params, role: Any, look: Look) -> None:
    database, name = str(table.get("DestinationDatabaseName")), str(table.get("DestinationTableName"))
    held = look.moto.backend("glue", look.region).databases.get(database)
    arn = f"arn:aws:glue:{look.region}:{look.account}:table/{database}/{name}"
    there = held is not None and name in held.tables
    may = role is not None and policy.allows(list(principals.documents(role)), "glue:GetTable", arn, {})
    if not there or not may:
        raise invalid(
            f"Role {getattr(role, 'arn', '')} is not authorized to perform: glue:GetTable for the given "
            "table or "
            f"the table does not exist: {database}.{name}."
        )


def encrypt(params: Params, look: Look) -> None:
    """StartDeliveryStreamEncryption."""
    given = params.get("DeliveryStreamEncryptionConfigurationInput") or {}
    named, own = given.get("KeyARN"), given.get("KeyType") == "CUSTOMER_MANAGED_CMK"
    if own != bool(named):
        raise invalid("KeyARN goes with the key type CUSTOMER_MANAGED_CMK, and with it alone.")
    key = look.key(named) if named else None
    if named and (key is None or not key.enabled):
        raise Refusal("InvalidKMSResourceException", f"The KMS key {named} does not exist or is not enabled.")


RULES: Final = {
    "CreateDeliveryStream": create,
    "UpdateDestination": update,
    "StartDeliveryStreamEncryption": encrypt,
}
