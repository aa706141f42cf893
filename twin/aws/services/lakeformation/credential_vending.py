"""Credentials that Lake Formation hands out: sessions of a registered location's role, for one table's files.

Lake Formation developer guide, "Using Lake Formation application integration"; API reference,
"GetTemporaryGlueTableCredentials".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam.principals import Principal
from twin.aws.services.glue.operations import federated
from twin.aws.services.lakeformation import glue_filter
from twin.aws.services.lakeformation import permissions as lakeformation
from twin.aws.services.lakeformation.state import Lake, Location
from twin.aws.services.s3tables import files
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_OPERATIONS: Final = ("GetTemporaryGlueTableCredentials", "GetTemporaryGluePartitionCredentials")
_ENGINE: Final = "LakeFormationAuthorizedCaller"
"""The session tag of an engine that Lake Formation trusts to filter."""
_READS: Final = ("s3:GetObject", "s3:GetObjectVersion")
_KEYS: Final = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
_DEEDS: Final = {
    "SELECT": _READS,
    "INSERT": (*_READS, "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    "DELETE": (*_READS, "s3:PutObject", "s3:DeleteObject"),
}


@dataclass(frozen=True)
class Vended:
    """Credentials and the folder that they are for (`s3://bucket/prefix`)."""

    access_key: str
    secret: str
    token: str
    expires: datetime
    place: str


def answer(call: Call, server: Any) -> Answer | None:
    """GetTemporaryGlueTableCredentials and that for a partition; None for any other call."""
    if call.service != "lakeformation" or call.operation not in _OPERATIONS:
        return None
    params = call.params
    of, name = _table(str(params.get("TableArn") or ""), call.region, server.instance.account)
    wanted: list[str] = params.get("Permissions") or ["SELECT"]
    with server.moto.lock:
        who = server.identity.principal(call.access_key)
        state = MotoState(server.moto, call.region, lambda: who.owner)
        _allowed(state, who, of, name, wanted, params.get("SupportedPermissionTypes") or ())
        seconds = int(params.get("DurationSeconds") or 3600)
        credentials = vend(server, state, of, name, wanted, seconds)
    body: Params = {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.token,
        "Expiration": credentials.expires.timestamp(),
    }
    if call.operation == _OPERATIONS[0]:
        body["VendedS3Path"] = [credentials.place]
    return Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode())


def _table(arn: str, region: str, account: str) -> tuple[str, str]:
    parts = arn.split(":", 5)
    kind, _, name = parts[-1].partition("/")
    levels = 3 if name.startswith(f"{federated.S3_TABLES}/") else 1
    if len(parts) != 6 or parts[2] != "glue" or kind != "table" or name.count("/") != levels:
        raise Refusal("InvalidInputException", f"Invalid table arn: {arn}")
    if (parts[3], parts[4]) != (region, account):
        raise Refusal("EntityNotFoundException", f"Table of another account or region: {arn}")
    of, _, table = name.rpartition("/")
    return of, table


def _allowed(
    state: MotoState, who: Principal, of: str, name: str, wanted: Sequence[str], supported: Sequence[str]
) -> None:
    databases = federated.databases(state)
    if of not in databases or name not in databases[of].tables:
        raise Refusal("EntityNotFoundException", f"Table {name} not found.")
    lake = Lake(state.moto.backend("lakeformation", state.region))
    trusted = trusts_engine(lake, who)
    if not trusted and not full_access(lake):
        raise Refusal(
            "AccessDeniedException",
            "Application integration is not enabled: neither external data filtering for the caller's "
            "session tag, nor full table access for external engines",
        )
    for permission in wanted:
        glue_filter.demand(state, permission, of, name)
    if not lakeformation.open_to_iam(lake, of, name):
        unfiltered(state, lake, who.owner, of, name, supported if trusted else ())


def unfiltered(
    state: MotoState, lake: Lake, owner: str, of: str, name: str, supported: Sequence[str] = ()
) -> None:
    """Refuse a principal whose reading is cut to rows or columns that its engine would not cut it to."""
    columns = glue_filter.columns(state, of, name)
    permissions = lakeformation.of_table(lake, owner, of, name, columns)
    if not permissions.cells or permissions.whole(columns):
        return
    need = "CELL_FILTER_PERMISSION" if any(cell.rows for cell in permissions.cells) else "COLUMN_PERMISSION"
    if need not in supported:
        raise Refusal(
            "PermissionTypeMismatchException",
            f"The engine does not support filtering data based on the enabled permissions for {name}: {need}",
        )


def full_access(lake: Lake) -> bool:
    """Whether engines get credentials for tables that a principal may read all of."""
    return str(lake.settings.get("AllowFullTableExternalDataAccess")).lower() == "true"


def trusts_engine(lake: Lake, who: Principal) -> bool:
    """Whether the caller is an engine that filters, by its session tag."""
    settings = lake.settings
    allow_list = settings.get("ExternalDataFilteringAllowList") or []
    accounts = [str(entry.get("DataLakePrincipalIdentifier")) for entry in allow_list]
    return (
        str(settings.get("AllowExternalDataFiltering")).lower() == "true"
        and who.account in accounts
        and who.tags.get(_ENGINE) in (settings.get("AuthorizedSessionTagValueList") or [])
    )


def vend(
    server: Any, state: MotoState, of: str, name: str, permissions: Iterable[str], seconds: int
) -> Vended:
    """A session of the location's role for a table's files. Raises Refusal where Lake Formation has none."""
    place = _files(state, of, name)
    location = registered(state, of, name)
    if location is None:
        raise Refusal(
            "InvalidInputException", f"The location of {name} is not registered with Lake Formation"
        )
    if location.linked:
        raise NotImplementedError("credentials by Lake Formation's service-linked role")
    who = hashlib.sha256(state.caller.encode()).hexdigest()[:12]
    session = server.eks.aws.call(
        "sts",
        "assume_role",
        RoleArn=location.role_arn,
        RoleSessionName=f"AWSLF-00-GL-{state.account}-{who}",
        Policy=json.dumps(_cut(state, place, permissions)),
        DurationSeconds=seconds,
    )["Credentials"]
    expires: datetime = session["Expiration"]
    return Vended(
        session["AccessKeyId"],
        session["SecretAccessKey"],
        session["SessionToken"],
        expires.astimezone(UTC),
        place,
    )


def registered(state: MotoState, of: str, name: str) -> Location | None:
    """The location that a table's files are in, where Lake Formation governs it."""
    place = _files(state, of, name)
    lake = Lake(state.moto.backend("lakeformation", state.region))
    location = lakeformation.location_of(lake, files.arn_of(state, place))
    return None if location is None or location.hybrid else location


def _files(state: MotoState, of: str, name: str) -> str:
    table: Any = federated.databases(state)[of].tables[name]
    descriptor = table.versions[str(table._current_version)].get("StorageDescriptor") or {}
    return str(descriptor.get("Location") or "").rstrip("/")


def _cut(state: MotoState, place: str, permissions: Iterable[str]) -> Params:
    names = set(permissions)
    if not files.is_table(place):
        return _policy(place, names)
    writes = names & {"ALL", "SUPER_USER", "INSERT", "DELETE"}
    actions = ["s3tables:GetTableData", *(["s3tables:PutTableData"] if writes else [])]
    keys = {"Effect": "Allow", "Action": _KEYS, "Resource": "*"}
    whole = {"Effect": "Allow", "Action": actions, "Resource": files.arn_of(state, place)}
    return {"Version": "2012-10-17", "Statement": [whole, keys]}


def _policy(place: str, permissions: Iterable[str]) -> Params:
    """What the session is cut to: a table's folder, and what was asked for."""
    bucket, _, prefix = place.partition("://")[2].partition("/")
    names = set(permissions)
    deeds = _DEEDS if names & {"ALL", "SUPER_USER"} else {key: _DEEDS[key] for key in _DEEDS if key in names}
    actions = sorted({action for deed in deeds.values() for action in deed})
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/{prefix}/*"},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{bucket}",
                "Condition": {"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}},
            },
            {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": f"arn:aws:s3:::{bucket}"},
            {"Effect": "Allow", "Action": _KEYS, "Resource": "*"},
        ],
    }
