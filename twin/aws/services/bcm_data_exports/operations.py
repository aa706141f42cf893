"""Data Exports, which moto lacks: exports of the cost and usage report to a bucket."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
EXPORTS: Final = Kind(
    "ce",
    "twin_data_exports",
    ("ExportArn",),
    ("ResourceNotFoundException", "The export {} does not exist.", 400),
)
SERVICE: Final = "bcm-data-exports.amazonaws.com"
REGION: Final = "us-east-1"
_HEALTHY: Final = {"StatusCode": "HEALTHY"}
_TABLE: Final = "COST_AND_USAGE_REPORT"
_QUERY: Final = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<table>\w+)\s*(WHERE\s.+)?", re.I | re.S
)
_COLUMN: Final = re.compile(r"[a-z0-9_.]+(\s+AS\s+[a-z0-9_]+)?", re.I)
_SETTINGS: Final = {
    "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY": {"TRUE", "FALSE"},
    "INCLUDE_RESOURCES": {"TRUE", "FALSE"},
    "INCLUDE_SPLIT_COST_ALLOCATION_DATA": {"TRUE", "FALSE"},
    "TIME_GRANULARITY": {"HOURLY", "DAILY", "MONTHLY"},
}

_VIEW: Final = re.compile(r"arn:aws[a-z-]*:billing::\d{12}:billingview/[\w/.+=@-]+")


def check(params: Params, state: MotoState) -> None:
    """CreateExport, UpdateExport: named columns, known settings, and a bucket that the service writes to."""
    export: Params = params["Export"]
    query = _QUERY.fullmatch(export["DataQuery"]["QueryStatement"])
    if query is None or query["table"] != _TABLE:
        raise Refusal("ValidationException", "The query statement is not valid.")
    for column in query["columns"].split(","):
        if _COLUMN.fullmatch(column.strip()) is None:
            raise Refusal("ValidationException", f"The column {column.strip()} is not valid.")
    for table, settings in (export["DataQuery"].get("TableConfigurations") or {}).items():
        for name, value in settings.items():
            valid = _VIEW.fullmatch(value) if name == "BILLING_VIEW_ARN" else value in _SETTINGS.get(name, ())
            if table != _TABLE or not valid:
                raise Refusal("ValidationException", f"{table}: {name} is not valid with {value}.")
    destination: Params = export["DestinationConfigurations"]["S3Destination"]
    output = destination["S3OutputConfigurations"]
    if (output["Format"] == "PARQUET") != (output["Compression"] == "PARQUET"):
        raise Refusal("ValidationException", "Format and compression do not fit.")
    _writable(destination["S3Bucket"], state)


def _writable(bucket: str, state: MotoState) -> None:
    known: Any = state.moto.backend("s3").buckets.get(bucket)
    text: Any = getattr(known, "policy", None)
    document = json.loads(text) if text else {}
    for statement in document.get("Statement", ()):
        services = (statement.get("Principal") or {}) if isinstance(statement.get("Principal"), dict) else {}
        allowed = statement["Effect"] == "Allow" and SERVICE in _several(services.get("Service"))
        if allowed and {"s3:PutObject", "s3:GetBucketPolicy"} <= {*_several(statement["Action"])}:
            return
    raise Refusal("ValidationException", f"S3 bucket permission validation failed: {bucket}.")


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _create(params: Params, backend: Any) -> Params:
    export: Params = params["Export"]
    others = EXPORTS.all(backend).values()
    if any(other.description["Name"] == export["Name"] for other in others):
        raise Refusal("ValidationException", f"An export with the name {export['Name']} exists.")
    arn = f"arn:aws:bcm-data-exports:{REGION}:{backend.account_id}:export/{export['Name']}-{uuid.uuid4()}"
    configurations = (export["DataQuery"].get("TableConfigurations") or {}).get("COST_AND_USAGE_REPORT")
    if configurations is not None:
        # Data Exports states the view of the account (hashicorp/terraform-provider-aws issue 43978).
        view = f"arn:aws:billing::{backend.account_id}:billingview/primary"
        configurations.setdefault("BILLING_VIEW_ARN", view)
    EXPORTS.add(backend, arn, {**export, "ExportArn": arn})
    extension_store.tags(backend, arn).update(extension_store.pairs(params.get("ResourceTags")))
    return {"ExportArn": arn}


def _exists(params: Params, state: MotoState) -> None:
    EXPORTS.require(state, params["ResourceArn"])


def _list(_params: Params, backend: Any) -> Params:
    exports = [
        {"ExportArn": arn, "ExportName": thing.description["Name"], "ExportStatus": _HEALTHY}
        for arn, thing in EXPORTS.all(backend).items()
    ]
    return {"Exports": exports}


def _update(params: Params, backend: Any) -> Params:
    arn = params["ExportArn"]
    EXPORTS.get(params, backend).description = {**params["Export"], "ExportArn": arn}
    return {"ExportArn": arn}


def _delete(params: Params, backend: Any) -> Params:
    EXPORTS.drop()(params, backend)
    return {"ExportArn": params["ExportArn"]}


RULES: Final[dict[str, Callable[[Params, MotoState], None]]] = {
    **dict.fromkeys(("CreateExport", "UpdateExport"), check),
    **dict.fromkeys(("TagResource", "ListTagsForResource"), _exists),
}
_TAGS: Final = extension_store.TagCalls("ResourceArn", "ResourceTags", "ResourceTagKeys", "ResourceTags")
OPERATIONS: Final = extension_store.operations(
    {
        **_TAGS.acts(),
        "CreateExport": _create,
        "DeleteExport": _delete,
        "GetExport": EXPORTS.describe("Export", ExportStatus=_HEALTHY),
        "ListExports": _list,
        "UpdateExport": _update,
    }
)
