"""Tables: loaded with credentials for their files, and committed to by those that may alter them."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.api_server.request import Answer, Refusal
from twin.aws.iam import authorization, policy_evaluation, service_rights
from twin.aws.services.glue import iceberg_commits
from twin.aws.services.glue import permissions as glue
from twin.aws.services.glue.iceberg import InvalidIcebergError
from twin.aws.services.glue.iceberg_rest import namespaces
from twin.aws.services.glue.iceberg_rest.request import CatalogRequest, reported
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


def list_tables(request: CatalogRequest) -> Answer:
    """ListTables: the Iceberg tables that the caller may see."""
    namespaces.database(request)
    tables = request.glue("get_tables", DatabaseName=request.of)["TableList"]
    names = [
        table["Name"]
        for table in tables
        if str((table.get("Parameters") or {}).get("table_type")).upper() == "ICEBERG"
    ]
    return reported({"identifiers": [{"namespace": [request.of], "name": name} for name in names]})


def load(request: CatalogRequest) -> Answer:
    """LoadTable, with credentials where the request asks for them."""
    with request.server.moto.lock:
        _get(request)
        return reported(_loaded(request, request.name))


def _loaded(request: CatalogRequest, name: str) -> Params:
    state = request.moto_state
    lake = Lake(state.moto.backend("lakeformation", state.region))
    free = lakeformation.open_to_iam(lake, request.path, name)
    if not free:
        # The metadata reports values of columns, and the credentials open whole files.
        credential_vending.unfiltered(state, lake, state.caller, request.path, name)
    version = _version(request, name)
    body: Params = {
        "metadata-location": version.where,
        "metadata": json.loads(version.metadata.model_dump_json()),
        "config": {},
    }
    wanted = request.call.environ.get("HTTP_X_ICEBERG_ACCESS_DELEGATION", "")
    if _DELEGATED in wanted and credential_vending.registered(state, request.path, name) is not None:
        body.update(_credentials(request, lake, name, free=free))
    return body


def _credentials(request: CatalogRequest, lake: Lake, name: str, *, free: bool) -> Params:
    state = request.moto_state
    permissions = {"SELECT", "INSERT", "DELETE"}
    if not free:
        columns = glue_filter.columns(state, request.path, name)
        permissions &= lakeformation.of_table(lake, state.caller, request.path, name, columns).permissions
    if not permissions:
        return {}
    if not credential_vending.full_access(lake):
        raise Refusal(
            "AccessDeniedException",
            "External engines have no full table access in this account (AllowFullTableExternalDataAccess)",
        )
    who = request.server.identity.principal(request.call.access_key)
    need = policy_evaluation.AuthorizationRequest("lakeformation:GetDataAccess", "*", {})
    authorization.demand(request.call, request.server, who, need)
    credentials = credential_vending.vend(request.server, state, request.path, name, permissions, 3600)
    config = {
        "s3.access-key-id": credentials.access_key,
        "s3.secret-access-key": credentials.secret,
        "s3.session-token": credentials.token,
        "s3.session-token-expires-at-ms": str(int(credentials.expires.timestamp() * 1000)),
        "client.region": state.region,
    }
    return {"config": config, "storage-credentials": [{"prefix": credentials.place, "config": config}]}


def commit(request: CatalogRequest) -> Answer:
    """UpdateTable: what the request requires holds, its updates are made, and the catalog points to them."""
    from pydantic import ValidationError
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table import CommitTableRequest
    from pyiceberg.table.update import update_table_metadata

    table = {"namespace": [request.of], "name": request.name}
    try:
        wanted = CommitTableRequest.model_validate({**request.body, "identifier": table})
    except ValidationError as error:
        raise Refusal("BadRequestException", f"Malformed request: {error}") from None
    with request.server.moto.lock:
        _may_commit(request)
        before = _version(request, request.name)
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
            where = _write(request, before, after)
    return reported({"metadata-location": where, "metadata": json.loads(after.model_dump_json())})


def _may_commit(request: CatalogRequest) -> None:
    """IAM and Lake Formation are asked before anything is written."""
    server = request.server
    who = server.identity.principal(request.call.access_key)
    for arn in service_rights.of_table(
        request.call.region, server.instance.account, request.path, request.name
    ):
        authorization.demand(
            request.call, server, who, policy_evaluation.AuthorizationRequest("glue:UpdateTable", arn, {})
        )
    _version(request, request.name)
    glue_filter.demand(request.moto_state, "ALTER", request.path, request.name)


def _write(request: CatalogRequest, before: iceberg_commits.Version, after: Any) -> str:
    state = request.moto_state
    backend = request.databases
    where = iceberg_commits.next_file(backend, after, before.where, f"{request.path}/{request.name}")
    bucket, _, key = where.partition("://")[2].partition("/")
    lake = Lake(state.moto.backend("lakeformation", state.region))
    writer = glue.writer(files.arn_of(state, where), lake, state.caller)
    why = glue.denied(writer, bucket, key, state)
    if why:
        raise Refusal("AccessDeniedException", f"Cannot write the Iceberg metadata to {where}: {why}")
    request.server.eks.aws.call(
        "s3", "put_object", Bucket=bucket, Key=key, Body=after.model_dump_json().encode()
    )
    if request.bucket:
        _point(request, where)
        return where
    entry = iceberg_commits.entry(backend, request.of, request.name)
    table_input = iceberg_commits.pointed(entry, after, where, before.where)
    request.glue(
        "update_table",
        DatabaseName=request.of,
        TableInput={name: table_input[name] for name in _TABLE_INPUT if table_input.get(name) is not None},
        SkipArchive=True,
    )
    return where


def _point(request: CatalogRequest, where: str) -> None:
    """S3 Tables is reported where its table's metadata is from now on, by what Lake Formation works as."""
    arn = federated.bucket_arn(request.databases, request.bucket)
    table = {"tableBucketARN": arn, "namespace": request.of, "name": request.name}
    aws = request.server.eks.aws
    token = aws.call("s3tables", "get_table_metadata_location", **table)["versionToken"]
    aws.call(
        "s3tables", "update_table_metadata_location", **table, versionToken=token, metadataLocation=where
    )


def _get(request: CatalogRequest) -> Params:
    try:
        return request.glue("get_table", DatabaseName=request.of, Name=request.name)["Table"]
    except Refusal as error:
        if error.code == "EntityNotFoundException":
            raise _missing(request, request.name) from None
        raise


def _version(request: CatalogRequest, name: str) -> iceberg_commits.Version:
    backend = request.databases
    if request.path not in backend or name not in backend[request.path].tables:
        raise _missing(request, name)
    try:
        return iceberg_commits.current(backend, request.path, name)
    except InvalidIcebergError as error:
        raise Refusal("BadRequestException", str(error)) from None


def _missing(request: CatalogRequest, name: str) -> Refusal:
    return Refusal("NoSuchTableException", f"Table does not exist: {request.of}.{name}")
