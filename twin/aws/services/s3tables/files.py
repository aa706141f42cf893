"""The files of S3 Tables' tables: each table has a separate bucket, which S3's calls of objects work on.

Amazon S3 user guide, "Access management for S3 Tables": reading its objects is `s3tables:GetTableData`,
writing them `s3tables:PutTableData`, both on the table.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.services.s3tables.validation import BUCKETS, TABLES
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState
from twin.iceberg import metadata

Params = dict[str, Any]

_SUFFIX: Final = "--table-s3"
_READS: Final = frozenset({"GetObject", "GetObjectVersion", "GetObjectAttributes"})
_WRITES: Final = frozenset({"PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"})


def is_table(place: str) -> bool:
    """Whether a bucket, or a place in one (`s3://bucket/key`), is of a table of S3 Tables."""
    return place.removeprefix("s3://").partition("/")[0].endswith(_SUFFIX)


def arn_of(state: MotoState, place: str) -> str:
    """The arn that a place in S3 is governed by: the table's of S3 Tables, or its own."""
    table = _of_place(state.moto.backend("s3tables", state.region), place) if is_table(place) else None
    if table is None:
        return "arn:aws:s3:::" + place.partition("://")[2]
    return str(table[1].description["tableARN"])


def _of_place(backend: Any, place: str) -> tuple[str, extension_store.Thing] | None:
    bucket = place.removeprefix("s3://").partition("/")[0]
    for key, table in TABLES.all(backend).items():
        if table.description["warehouseLocation"] == f"s3://{bucket}":
            return key.partition(";")[0], table
    return None


def right(moto: Any, bucket: str, action: str, context: Mapping[str, str]) -> AuthorizationRequest:
    """The right on a table that a call on an object of it needs. Raises Refusal for calls that no table
    takes."""
    deed = "GetTableData" if action in _READS else "PutTableData" if action in _WRITES else ""
    if not deed:
        raise not_allowed()
    for region in _regions(moto):
        backend = moto.backend("s3tables", region)
        entry = _of_place(backend, bucket)
        if entry is not None:
            internal = BUCKETS.all(backend)[entry[0]].internal
            return AuthorizationRequest(
                f"s3tables:{deed}", entry[1].description["tableARN"], context, internal.get("policy")
            )
    return AuthorizationRequest(f"s3tables:{deed}", None, context)


def not_allowed() -> Refusal:
    """S3's answer to what a table's own bucket does not take."""
    return Refusal("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)


def _regions(moto: Any) -> list[str]:
    from moto.s3tables.models import s3tables_backends

    return list(s3tables_backends[moto.account])


# What a table's life does with them


def _s3(backend: Any) -> Any:
    from moto.s3.models import s3_backends

    return s3_backends[backend.account_id]["aws"]


def make(backend: Any, place: str, encryption: Params) -> None:
    """The bucket of a new table, encrypted as the table is."""
    bucket = _s3(backend).create_bucket(place.removeprefix("s3://"), backend.region_name)
    if encryption.get("kmsKeyArn"):
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": encryption["kmsKeyArn"]}
        bucket.encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": rule}}


def begin(backend: Any, where: str, arn: str, declared: Params) -> None:
    """The first metadata file of a table that is made with columns, which are numbered in their order."""
    bucket, _, key = where.partition("://")[2].partition("/")
    fields = [
        {"Id": number, "Name": field["name"], "Type": field["type"], "Required": bool(field.get("required"))}
        for number, field in enumerate(declared["schema"]["fields"], start=1)
    ]
    table = {
        "Location": f"s3://{bucket}",
        "Schema": {"SchemaId": 0, "Fields": fields},
        "Properties": declared.get("properties") or {},
    }
    metadata_ = metadata(table, 2, arn, time.time())
    _s3(backend).put_object(bucket, key, json.dumps(metadata_).encode())


def drop(backend: Any, place: str) -> None:
    """A table is gone, and its files with it."""
    bucket = place.removeprefix("s3://")
    store = _s3(backend)
    for key in list(store.buckets[bucket].keys):
        store.delete_object(bucket, key)
    store.delete_bucket(bucket)
