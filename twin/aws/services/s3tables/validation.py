"""S3 Tables: table buckets, namespaces, tables, policies. Nothing is kept up here.

Sources: the API Reference of CreateTableBucket, CreateNamespace, CreateTable and PutTableBucketPolicy;
"Amazon
S3 table bucket, table, and namespace naming rules" and "S3 Tables maintenance" in the User Guide.
"""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import resource_policies
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_PLACE: Final = ("tableBucketARN", "namespace", "name")
BUCKETS, NAMESPACES, TABLES = (
    Kind(
        "s3tables", store, _PLACE[:parts], ("NotFoundException", f"The specified {what} does not exist.", 404)
    )
    for store, parts, what in (
        ("twin_table_buckets", 1, "bucket"),
        ("twin_namespaces", 2, "namespace"),
        ("twin_tables", 3, "table"),
    )
)
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_RESERVED: Final = ("xn--", "sthree-", "amzn-s3-demo-", "aws")
_SUFFIXES: Final = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9_]{0,253}[a-z0-9])?")
_TYPE: Final = re.compile(
    r"boolean|int|long|float|double|date|time|timestamp|timestamptz|string|uuid|binary|fixed\[\d+\]"
    r"|timestamp_ns|timestamptz_ns|decimal\((\d+),\s*(\d+)\)"
)
_DIGITS: Final = 38
_RANGES: Final = {
    "unreferencedDays": (1, 2147483647),
    "nonCurrentDays": (1, 2147483647),
    "targetFileSizeMB": (64, 512),
    "minSnapshotsToKeep": (1, 2147483647),
    "maxSnapshotAgeHours": (1, 2147483647),
}


def bad(words: str) -> Refusal:
    """S3 Tables' answer to parameters that it does not take."""
    return Refusal("BadRequestException", words)


def create_bucket(params: Params, state: MotoState) -> None:
    """CreateTableBucket."""
    name = str(params.get("name"))
    if not _BUCKET.fullmatch(name) or name.startswith(_RESERVED) or name.endswith(_SUFFIXES):
        raise bad(f"The specified bucket name is not valid: {name}")
    if arn_of(state, name) in BUCKETS.here(state):
        raise Refusal(
            "ConflictException", "The bucket that you tried to create already exists, and you own it.", 409
        )
    encryption(params, state)


def encryption(params: Params, state: MotoState) -> None:
    """PutTableBucketEncryption: a key goes with KMS, and is there."""
    encryption_configuration = params.get("encryptionConfiguration") or {}
    named = encryption_configuration.get("kmsKeyArn")
    if encryption_configuration and (encryption_configuration.get("sseAlgorithm") == "aws:kms") != bool(
        named
    ):
        raise bad("A KMS key must be given with the algorithm aws:kms, and with it alone.")
    key = state.key(str(named)) if named else None
    if named and (key is None or not key.enabled):
        raise bad(f"The KMS key {named} does not exist or is not enabled.")


def create_namespace(params: Params, state: MotoState) -> None:
    """CreateNamespace."""
    BUCKETS.present(params, state)
    names = params.get("namespace") or []
    if len(names) != 1 or not _NAME.fullmatch(str(names[0])) or str(names[0]).startswith("aws"):
        raise bad(f"The specified namespace name is not valid: {', '.join(map(str, names))}")
    if f"{params['tableBucketARN']};{names[0]}" in NAMESPACES.here(state):
        raise Refusal("ConflictException", "A namespace with an identical name already exists.", 409)


def create_table(params: Params, state: MotoState) -> None:
    """CreateTable."""
    BUCKETS.present(params, state)
    NAMESPACES.present(params, state)
    name = str(params.get("name"))
    if not _NAME.fullmatch(name) or name.startswith("aws"):
        raise bad(f"The specified table name is not valid: {name}")
    if TABLES.name(params) in TABLES.here(state):
        raise Refusal("ConflictException", "A table with an identical name already exists.", 409)
    schema = ((params.get("metadata") or {}).get("iceberg") or {}).get("schema") or {}
    columns = [str(field.get("name")) for field in schema.get("fields") or []]
    if len(set(columns)) != len(columns):
        raise bad("Invalid schema: two columns have the same name.")
    for column in schema.get("fields") or []:
        match = _TYPE.fullmatch(str(column.get("type")))
        wide = match is not None and match[1] and not 0 < int(match[1]) <= _DIGITS
        if match is None or wide:
            raise bad(f"Invalid schema: column {column.get('name')} has the type {column.get('type')}")
    encryption(params, state)


def policy(params: Params, state: MotoState) -> None:
    """PutTableBucketPolicy."""
    BUCKETS.present(params, state)
    resource_policies.check(params.get("resourcePolicy"), state, "s3tables", "BadRequestException")


def maintenance(params: Params, state: MotoState) -> None:
    """PutTableBucketMaintenanceConfiguration, PutTableMaintenanceConfiguration."""
    (TABLES if params.get("name") else BUCKETS).present(params, state)
    settings: Params = ((params.get("value") or {}).get("settings") or {}).get(str(params.get("type"))) or {}
    for name, value in settings.items():
        low, high = _RANGES.get(name, (None, None))
        if low is not None and high is not None and not low <= value <= high:
            raise bad(f"{name} must be between {low} and {high}, got {value}.")


def drop_bucket(params: Params, state: MotoState) -> None:
    """DeleteTableBucket: an empty one."""
    BUCKETS.present(params, state)
    if any(name.startswith(f"{params['tableBucketARN']};") for name in NAMESPACES.here(state)):
        raise Refusal("ConflictException", "The bucket you tried to delete is not empty.", 409)


def drop_namespace(params: Params, state: MotoState) -> None:
    """DeleteNamespace: an empty one."""
    NAMESPACES.present(params, state)
    if any(name.startswith(f"{NAMESPACES.name(params)};") for name in TABLES.here(state)):
        raise Refusal("ConflictException", "The namespace you tried to delete is not empty.", 409)


def point(params: Params, state: MotoState) -> None:
    """UpdateTableMetadataLocation: to a file of the table's that is there, at the version that is named."""
    description = TABLES.require(state, TABLES.name(params)).description
    if params.get("versionToken") != description["versionToken"]:
        raise Refusal(
            "ConflictException", "Provided version token does not match the table version token.", 409
        )
    where = str(params.get("metadataLocation"))
    bucket, _, key = where.partition("://")[2].partition("/")
    if (
        not where.startswith(f"{description['warehouseLocation']}/")
        or key not in state.s3.buckets[bucket].keys
    ):
        raise bad(f"The specified metadata location does not exist or is none of the table's: {where}")


def arn_of(state: MotoState, name: str) -> str:
    """A table bucket's arn."""
    return f"arn:aws:s3tables:{state.region}:{state.account}:bucket/{name}"


RULES: Final = {
    "CreateTableBucket": create_bucket,
    "DeleteTableBucket": drop_bucket,
    "PutTableBucketEncryption": encryption,
    "PutTableBucketMaintenanceConfiguration": maintenance,
    "PutTableBucketPolicy": policy,
    "CreateNamespace": create_namespace,
    "DeleteNamespace": drop_namespace,
    "CreateTable": create_table,
    "UpdateTableMetadataLocation": point,
    "PutTableMaintenanceConfiguration": maintenance,
}
