"""Tables: loaded with credentials for their files, and committed to by those that may alter them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Answer, Refusal
from twin.aws.iam import authorization, policy_evaluation, service_rights
from twin.aws.services.glue import iceberg_commits
from twin.aws.services.glue import permissions as glue
from twin.aws.services.glue.iceberg import InvalidIcebergError
from twin.aws.services.glue.iceberg_rest import namespaces
from twin.aws.services.glue.iceberg_rest.request import Asked, reported
from twin.aws.services.glue.operations import federated
from twin.aws.services.lakeformation import credential_vending, glue_filter
from twin.aws.services.lakeformation import permissions as lakeformation
from twin.aws.services.lakeformation.state import Lake
from twin.aws.services.s3tables import files

Params = dict[str, Any]

_DELEGATED: Final = "vended-credentials"
_TABLE_INPUT: Final = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)


def listed(asked: Asked) -> Answer:
    """ListTables: the Iceberg tables that the caller may see."""
    namespaces.database(asked)
    found = asked.glue("get_tables", DatabaseName=asked.of)["TableList"]
    names = [
        each["Name"]
        for each in found
        if str((each.get("Parameters") or {}).get("table_type")).upper() == "ICEBERG"
    ]
    return reported({"identifiers": [{"namespace": [asked.of], "name": name} for name in names]})


def exists(asked: Asked) -> Answer:
    """Whether a table is there."""
    _get(asked)
    return reported(None, 204)


def load(asked: Asked) -> Answer:
    """LoadTable, with credentials where the request asks for them."""
    with asked.front.moto.lock:
        _get(asked)
        return reported(_loaded(asked, asked.name))


def _loaded(asked: Asked, name: str) -> Params:
    look = asked.look
    lake = Lake(look.moto.backend("lakeformation", look.region))
    free = lakeformation.open_to_iam(lake, asked.path, name)
    if not free:
        # The metadata reports values of columns, and the credentials open whole files.
        credential_vending.unfiltered(look, lake, look.caller, asked.path, name)
    version = _version(asked, name)
    body: Params = {
        "metadata-location": version.where,
        "metadata": json.loads(version.metadata.model_dump_json()),
        "config": {},
    }
    wanted = asked.call.environ.get("HTTP_X_ICEBERG_ACCESS_DELEGATION", "")
    if _DELEGATED in wanted and credential_vending.registered(look, asked.path, name) is not None:
        body.update(_credentials(asked, lake, name, free=free))
    return body


def _credentials(asked: Asked, lake: Lake, name: str, *, free: bool) -> Params:
    look = asked.look
    given = {"SELECT", "INSERT", "DELETE"}
    if not free:
        columns = glue_filter.columns(look, asked.path, name)
        given &= lakeformation.of_table(lake, look.caller, asked.path, name, columns).permissions
    if not given:
        return {}
    if not credential_vending.full_access(lake):
        raise Refusal(
            "AccessDeniedException",
            "External engines have no full table access in this account (AllowFullTableExternalDataAccess)",
        )
    who = asked.front.identity.principal(asked.call.access_key)
    need = policy_evaluation.Asked("lakeformation:GetDataAccess", "*", {})
    authorization.demand(asked.call, asked.front, who, need)
    made = credential_vending.vend(asked.front, look, asked.path, name, given, 3600)
    config = {
        "s3.access-key-id": made.access_key,
        "s3.secret-access-key": made.secret,
        "s3.session-token": made.token,
        "s3.session-token-expires-at-ms": str(int(made.expires.timestamp() * 1000)),
        "client.region": look.region,
    }
    return {"config": config, "storage-credentials": [{"prefix": made.place, "config": config}]}


def make(asked: Asked) -> Answer:
    """CreateTable: Glue makes it, at its namespace's location where none is given."""
    body = asked.body
    if body.get("stage-create"):
        raise NotImplementedError("a staged create")
    database = namespaces.database(asked)
    name = str(body.get("name") or "")
    below = str(database.get("LocationUri") or "").rstrip("/")
    location = body.get("location") or (f"{below}/{name}" if below else "")
    if not name or not body.get("schema") or not location:
        raise Refusal("BadRequestException", "A table needs a name, a schema and a location")
    schema = body["schema"]
    wanted: Params = {
        "Location": location,
        "Schema": {
            "Type": "struct",
            "Fields": [_renamed(each, _FIELD) for each in schema["fields"]],
            "IdentifierFieldIds": schema.get("identifier-field-ids") or [],
        },
        "Properties": body.get("properties") or {},
    }
    spec, order = body.get("partition-spec"), body.get("write-order")
    if spec and spec.get("fields"):
        wanted["PartitionSpec"] = {"SpecId": 0, "Fields": [_renamed(each, _PART) for each in spec["fields"]]}
    if order and order.get("fields"):
        wanted["WriteOrder"] = {"OrderId": 1, "Fields": [_renamed(each, _SORT) for each in order["fields"]]}
    asked.glue(
        "create_table",
        DatabaseName=asked.of,
        Name=name,
        OpenTableFormatInput={
            "IcebergInput": {"MetadataOperation": "CREATE", "Version": "2", "CreateIcebergTableInput": wanted}
        },
    )
    return reported(_loaded(asked, name))


_FIELD: Final = {"id": "Id", "name": "Name", "required": "Required", "type": "Type", "doc": "Doc"}
_PART: Final = {"source-id": "SourceId", "field-id": "FieldId", "name": "Name", "transform": "Transform"}
_SORT: Final = {
    "source-id": "SourceId",
    "transform": "Transform",
    "direction": "Direction",
    "null-order": "NullOrder",
}


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> Params:
    return {new: given[old] for old, new in names.items() if given.get(old) is not None}


def drop(asked: Asked) -> Answer:
    """DropTable: from the catalog. Its files stay."""
    _get(asked)
    asked.glue("delete_table", DatabaseName=asked.of, Name=asked.name)
    return reported(None, 204)


def commit(asked: Asked) -> Answer:
    """UpdateTable: what the request requires holds, its updates are made, and the catalog points to them."""
    from pydantic import ValidationError
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table import CommitTableRequest
    from pyiceberg.table.update import update_table_metadata

    table = {"namespace": [asked.of], "name": asked.name}
    try:
        wanted = CommitTableRequest.model_validate({**asked.body, "identifier": table})
    except ValidationError as error:
        raise Refusal("BadRequestException", f"Malformed request: {error}") from None
    with asked.front.moto.lock:
        _may_commit(asked)
        before = _version(asked, asked.name)
        try:
            for requirement in wanted.requirements:
                requirement.validate(before.metadata)
            after = update_table_metadata(before.metadata, wanted.updates, metadata_location=before.where)
        except CommitFailedException as error:
            raise Refusal("CommitFailedException", str(error)) from None
        except (ValueError, TypeError) as error:
            raise Refusal("BadRequestException", str(error)) from None
        where = before.where
        if after != before.metadata:
            where = _write(asked, before, after)
    return reported({"metadata-location": where, "metadata": json.loads(after.model_dump_json())})


def _may_commit(asked: Asked) -> None:
    """IAM and Lake Formation are asked before anything is written."""
    front = asked.front
    who = front.identity.principal(asked.call.access_key)
    for arn in service_rights.of_table(asked.call.region, front.instance.account, asked.path, asked.name):
        authorization.demand(asked.call, front, who, policy_evaluation.Asked("glue:UpdateTable", arn, {}))
    _version(asked, asked.name)
    glue_filter.demand(asked.look, "ALTER", asked.path, asked.name)


def _write(asked: Asked, before: iceberg_commits.Version, after: Any) -> str:
    look = asked.look
    backend = asked.databases
    where = iceberg_commits.next_file(backend, after, before.where, f"{asked.path}/{asked.name}")
    bucket, _, key = where.partition("://")[2].partition("/")
    lake = Lake(look.moto.backend("lakeformation", look.region))
    writer = glue.writer(files.arn_of(look, where), lake, look.caller)
    why = glue.denied(writer, bucket, key, look)
    if why:
        raise Refusal("AccessDeniedException", f"Cannot write the Iceberg metadata to {where}: {why}")
    asked.front.eks.aws.call(
        "s3", "put_object", Bucket=bucket, Key=key, Body=after.model_dump_json().encode()
    )
    if asked.bucket:
        _point(asked, where)
        return where
    held = iceberg_commits.entry(backend, asked.of, asked.name)
    given = iceberg_commits.pointed(held, after, where, before.where)
    asked.glue(
        "update_table",
        DatabaseName=asked.of,
        TableInput={name: given[name] for name in _TABLE_INPUT if given.get(name) is not None},
        SkipArchive=True,
    )
    return where


def _point(asked: Asked, where: str) -> None:
    """S3 Tables is reported where its table's metadata is from now on, by what Lake Formation works as."""
    arn = federated.bucket_arn(asked.databases, asked.bucket)
    table = {"tableBucketARN": arn, "namespace": asked.of, "name": asked.name}
    aws = asked.front.eks.aws
    token = aws.call("s3tables", "get_table_metadata_location", **table)["versionToken"]
    aws.call(
        "s3tables", "update_table_metadata_location", **table, versionToken=token, metadataLocation=where
    )


def _get(asked: Asked) -> Params:
    try:
        return asked.glue("get_table", DatabaseName=asked.of, Name=asked.name)["Table"]
    except Refusal as error:
        if error.code == "EntityNotFoundException":
            raise _missing(asked, asked.name) from None
        raise


def _version(asked: Asked, name: str) -> iceberg_commits.Version:
    backend = asked.databases
    if asked.path not in backend or name not in backend[asked.path].tables:
        raise _missing(asked, name)
    try:
        return iceberg_commits.current(backend, asked.path, name)
    except InvalidIcebergError as error:
        raise Refusal("BadRequestException", str(error)) from None


def _missing(asked: Asked, name: str) -> Refusal:
    return Refusal("NoSuchTableException", f"Table does not exist: {asked.of}.{name}")
