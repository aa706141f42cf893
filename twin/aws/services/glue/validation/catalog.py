"""Glue's catalog: databases, tables, Iceberg's first metadata, table optimizers.

moto notes that a table is Iceberg and writes nothing; Glue writes the first metadata file to the table's
location. Table optimizers moto has none.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import principals, service_roles
from twin.aws.services import facts
from twin.aws.services.glue import iceberg, iceberg_commits
from twin.aws.services.glue import permissions as glue
from twin.aws.services.glue.operations import federated
from twin.aws.services.lakeformation import state
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_INVALID: Final = "InvalidInputException"
_MISSING: Final = "EntityNotFoundException"


@dataclass
class Optimizer:
    """What keeps a table small; AWS runs it, the twin does not."""

    kind: str
    configuration: Params


# Rules


def create_database(params: Params, moto_state: MotoState) -> None:
    """CreateDatabase."""
    name = str(params["DatabaseInput"]["Name"])
    _lower(name, "Database")
    if name in _backend(moto_state).databases:
        raise Refusal("AlreadyExistsException", "Database already exists.")


def create_table(params: Params, moto_state: MotoState) -> None:
    """CreateTable: a table of that name is not there, and an Iceberg one is one that Iceberg takes."""
    table_input = params.get("TableInput") or {}
    name = str(table_input.get("Name") or params.get("Name") or "")
    if not name:
        raise Refusal(_INVALID, "Table name cannot be null")
    _lower(name, "Table")
    if name in database(moto_state, params["DatabaseName"]).tables:
        raise Refusal("AlreadyExistsException", "Table already exists.")
    wanted = _wanted(params)
    if wanted is None:
        return
    _location(wanted["Location"], moto_state)
    version = _version(params)
    if version not in ("1", "2", "3"):
        raise Refusal(_INVALID, f"Unsupported format version: {version}")
    if version == "3":
        raise NotImplementedError("an Iceberg table of format version 3")
    try:
        iceberg.check(wanted)
    except iceberg.InvalidIcebergError as error:
        raise Refusal(_INVALID, f"Failed to create Iceberg table {name}: {error}") from None


def update_table(params: Params, moto_state: MotoState) -> None:
    """UpdateTable: of a table that is there and, where a version is named, at that version."""
    table_input = params.get("TableInput") or {}
    name = str(table_input.get("Name") or params.get("Name") or "")
    if not name:
        raise Refusal(_INVALID, "Table name cannot be null")
    existing = table(moto_state, params["DatabaseName"], name)
    version_id = params.get("VersionId")
    if version_id and str(version_id) != str(existing._current_version):
        raise Refusal(
            "ConcurrentModificationException",
            f"Update table failed due to concurrent modifications: version {version_id} is not the "
            "current one",
        )
    if params.get("UpdateOpenTableFormatInput"):
        if table_input:
            raise Refusal(_INVALID, "TableInput cannot be given along with UpdateOpenTableFormatInput")
        try:
            _, after = _evolved(params, _backend(moto_state))
        except iceberg.InvalidIcebergError as error:
            raise Refusal(_INVALID, f"Failed to update Iceberg table {name}: {error}") from None
        _location(after.location, moto_state)


def _evolved(params: Params, backend: Any) -> tuple[iceberg_commits.Version, Any]:
    """An Iceberg table's newest version, and the metadata that is asked for."""
    before = iceberg_commits.current(backend, params["DatabaseName"], str(params["Name"]))
    table_format_input = params["UpdateOpenTableFormatInput"]
    return before, iceberg_commits.evolved(before.metadata, table_format_input, before.where)


def optimizer(params: Params, moto_state: MotoState) -> None:
    """CreateTableOptimizer, UpdateTableOptimizer: of an Iceberg table, by a role that Glue can assume."""
    existing = table(moto_state, params["DatabaseName"], params["TableName"])
    if existing.versions[str(existing._current_version)].get("Parameters", {}).get("table_type") != "ICEBERG":
        raise Refusal(_INVALID, f"Table {existing.name} is not an Iceberg table")
    wanted = params["TableOptimizerConfiguration"]
    kind = params["Type"]
    others = [name for name in _PARTS.values() if name in wanted and name != _PARTS[kind]]
    if others:
        raise Refusal(_INVALID, f"{others[0]} does not go with a table optimizer of type {kind}")
    arn = wanted.get("roleArn")
    if not arn:
        raise Refusal(_INVALID, "RoleArn is required")
    if service_roles.by("glue.amazonaws.com", arn, moto_state) is None:
        raise Refusal(
            _INVALID,
            f"The role {arn} does not exist, or its trust policy does not let glue.amazonaws.com assume it",
        )
    _numbers((wanted.get(_PARTS[kind]) or {}).get("icebergConfiguration") or {})


_FACTS: Final = facts(__name__)
_PARTS: Final[dict[str, str]] = _FACTS["optimizers"]


def _numbers(configuration: Params) -> None:
    for name, (least, most) in _FACTS["ranges"].items():
        value = configuration.get(name)
        if value is not None and not least <= value <= most:
            raise Refusal(_INVALID, f"{name} must be between {least} and {most}, got {value}")


def create_optimizer(params: Params, moto_state: MotoState) -> None:
    """CreateTableOptimizer."""
    optimizer(params, moto_state)
    if (*_key(params), params["Type"]) in optimizers(_backend(moto_state)):
        raise Refusal("AlreadyExistsException", f"Table optimizer of type {params['Type']} already exists")


def present_optimizer(params: Params, moto_state: MotoState) -> None:
    """UpdateTableOptimizer, DeleteTableOptimizer, GetTableOptimizer."""
    if (*_key(params), params["Type"]) not in optimizers(_backend(moto_state)):
        raise Refusal(_MISSING, f"Table optimizer of type {params['Type']} not found")


def update_optimizer(params: Params, moto_state: MotoState) -> None:
    """UpdateTableOptimizer."""
    present_optimizer(params, moto_state)
    optimizer(params, moto_state)


def _lower(name: str, what: str) -> None:
    if name != name.lower():
        raise Refusal(_INVALID, f"{what} name {name!r} must be lower-case: {name.lower()!r} would be right")


def _location(location: str, moto_state: MotoState) -> None:
    bucket, prefix = _place(location)
    if bucket not in moto_state.s3.buckets:
        raise Refusal(
            _INVALID, f"Cannot write the Iceberg metadata to {location}: The specified bucket does not exist"
        )
    if moto_state.caller:
        key = f"{prefix}/metadata/00000.metadata.json".lstrip("/")
        here = state.of_region(moto_state.account, moto_state.region)
        who = glue.writer(f"arn:aws:s3:::{bucket}/{key}", here, moto_state.caller)
        why = glue.denied(who, bucket, key, moto_state)
        if why:
            raise Refusal(_INVALID, f"Cannot write the Iceberg metadata to {location}: Access Denied: {why}")


def _place(location: str) -> tuple[str, str]:
    scheme, _, rest = location.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise Refusal(_INVALID, f"Location {location!r} is none of S3: s3://bucket/prefix would be right")
    return bucket, prefix.strip("/")


def _wanted(params: Params) -> Params | None:
    """The Iceberg table that is asked for, or None for a plain one."""
    iceberg_input = (params.get("OpenTableFormatInput") or {}).get("IcebergInput")
    if not iceberg_input:
        return None
    table_input = params.get("TableInput") or {}
    create_input = iceberg_input.get("CreateIcebergTableInput")
    if create_input:
        if table_input:
            raise Refusal(_INVALID, "TableInput cannot be given along with CreateIcebergTableInput")
        return create_input
    descriptor = table_input.get("StorageDescriptor") or {}
    if not descriptor.get("Location"):
        raise Refusal(_INVALID, "Location information cannot be null while creating an iceberg table")
    if table_input.get("PartitionKeys"):
        raise Refusal(_INVALID, "PartitionKeys cannot be given for an Iceberg table: a partition spec is")
    return {
        "Location": descriptor["Location"],
        "Schema": iceberg.of_columns(descriptor.get("Columns") or []),
        "Properties": {},
    }


def _version(params: Params) -> str:
    return str(params["OpenTableFormatInput"]["IcebergInput"].get("Version") or "2")


def _backend(moto_state: MotoState) -> Any:
    return moto_state.moto.backend("glue", moto_state.region)


def database(moto_state: MotoState, name: str) -> Any:
    """A database by name or path, or Glue's refusal."""
    database = federated.databases(moto_state).get(name)
    if database is None:
        raise Refusal(_MISSING, f"Database {name} not found.")
    return database


def table(moto_state: MotoState, of: str, name: str) -> Any:
    """A table, or Glue's refusal."""
    table = database(moto_state, of).tables.get(name)
    if table is None:
        raise Refusal(_MISSING, f"Table {name} not found.")
    return table


RULES: Final = {
    "CreateDatabase": create_database,
    "CreateTable": create_table,
    "UpdateTable": update_table,
    "CreateTableOptimizer": create_optimizer,
    "UpdateTableOptimizer": update_optimizer,
    "DeleteTableOptimizer": present_optimizer,
    "GetTableOptimizer": present_optimizer,
}


# Operations


def optimizers(backend: Any) -> dict[tuple[str, ...], Optimizer]:
    """A region's table optimizers by database, table and type."""
    return vars(backend).setdefault("table_optimizers", {})


def _key(params: Params) -> tuple[str, str]:
    return str(params["DatabaseName"]), str(params["TableName"])


def make_database(call: Call, backend: Any) -> Answer:
    """CreateDatabase, with the permissions that Lake Formation's settings give on what is new."""
    database_input: Params = dict(call.params["DatabaseInput"])
    here = state.of_region(backend.account_id, backend.region_name)
    if database_input.get("CreateTableDefaultPermissions") is None:
        database_input["CreateTableDefaultPermissions"] = (
            here.settings.get("CreateTableDefaultPermissions") or []
        )
    backend.create_database(database_input["Name"], database_input, call.params.get("Tags"))
    here.creators[database_input["Name"]] = principals.owner_of(backend.account_id, call.access_key)
    here.give(
        {"Database": {"Name": database_input["Name"]}}, here.settings.get("CreateDatabaseDefaultPermissions")
    )
    return answer({})


def make_table(call: Call, backend: Any) -> Answer:
    """CreateTable; an Iceberg one with its first metadata file."""
    params = call.params
    wanted = _wanted(params)
    table_input: Params = dict(params.get("TableInput") or {})
    of, name = params["DatabaseName"], str(table_input.get("Name") or params.get("Name"))
    if wanted is None:
        backend.create_table(of, name, table_input)
    else:
        _make_iceberg(params, wanted, table_input, backend)
    defaults = backend.databases[of].input.get("CreateTableDefaultPermissions")
    here = state.of_region(backend.account_id, backend.region_name)
    here.creators[f"{of}/{name}"] = principals.owner_of(backend.account_id, call.access_key)
    here.give({"Table": {"DatabaseName": of, "Name": name}}, defaults)
    return answer({})


def _make_iceberg(params: Params, wanted: Params, table_input: Params, backend: Any) -> None:
    of, name = params["DatabaseName"], str(table_input.get("Name") or params.get("Name"))
    bucket, prefix = _place(wanted["Location"])
    path = f"{backend.account_id}/{backend.region_name}/{of}/{name}"
    metadata = iceberg.metadata(wanted, int(_version(params)), path, time.time())
    file = uuid.uuid5(uuid.NAMESPACE_URL, f"{path}/metadata/{time.time()}")
    key = f"{prefix}/metadata/00000-{file}.metadata.json".lstrip("/")
    iceberg_commits.store(backend).put_object(bucket, key, json.dumps(metadata).encode())
    where = f"s3://{bucket}/{key}"
    descriptor = {
        "Columns": iceberg.glue_columns(wanted["Schema"]),
        "Location": wanted["Location"].rstrip("/"),
        "Compressed": False,
        "NumberOfBuckets": 0,
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }
    known = {**(table_input.get("Parameters") or {}), "table_type": "ICEBERG", "metadata_location": where}
    table_input.update(Name=name, TableType="EXTERNAL_TABLE", Parameters=known, Retention=0, PartitionKeys=[])
    table_input["StorageDescriptor"] = {**(table_input.get("StorageDescriptor") or {}), **descriptor}
    backend.create_table(of, name, table_input)


def update_iceberg(call: Call, backend: Any) -> Answer | None:
    """UpdateTable of an Iceberg table by its UpdateOpenTableFormatInput; any other is moto's."""
    if not call.params.get("UpdateOpenTableFormatInput"):
        return None
    before, after = _evolved(call.params, backend)
    if after != before.metadata:
        iceberg_commits.commit(backend, call.params["DatabaseName"], call.params["Name"], before, after)
    return answer({})


def drop_table(call: Call, backend: Any) -> Answer | None:
    """DeleteTable takes along what hangs on it; the deletion itself is moto's."""
    gone = (call.params["DatabaseName"], call.params["Name"])
    for key in [key for key in optimizers(backend) if key[:2] == gone]:
        del optimizers(backend)[key]
    state.of_region(backend.account_id, backend.region_name).forget(*gone)
    return None


def drop_database(call: Call, backend: Any) -> Answer | None:
    """DeleteDatabase takes its tables along, as Glue does, with what hangs on them."""
    for key in [key for key in optimizers(backend) if key[0] == call.params["Name"]]:
        del optimizers(backend)[key]
    state.of_region(backend.account_id, backend.region_name).forget(call.params["Name"])
    return None


def put_optimizer(call: Call, backend: Any) -> Answer:
    """CreateTableOptimizer, UpdateTableOptimizer."""
    kind = call.params["Type"]
    optimizer = Optimizer(kind, dict(call.params["TableOptimizerConfiguration"]))
    optimizers(backend)[*_key(call.params), kind] = optimizer
    return answer({})


def drop_optimizer(call: Call, backend: Any) -> Answer:
    """DeleteTableOptimizer."""
    del optimizers(backend)[*_key(call.params), call.params["Type"]]
    return answer({})


def tell_optimizer(call: Call, backend: Any) -> Answer:
    """GetTableOptimizer."""
    kind = call.params["Type"]
    optimizer = optimizers(backend)[*_key(call.params), kind]
    of, name = _key(call.params)
    return answer(
        {
            "CatalogId": call.params.get("CatalogId") or backend.account_id,
            "DatabaseName": of,
            "TableName": name,
            "TableOptimizer": {
                "type": kind,
                "configuration": optimizer.configuration,
                "configurationSource": "table",
            },
        }
    )


def tell_indexes(call: Call, backend: Any) -> Answer:
    """GetPartitionIndexes: moto has none."""
    backend.get_table(call.params["DatabaseName"], call.params["TableName"])
    return answer({"PartitionIndexDescriptorList": []})


def answer(body: Params) -> Answer:
    """A good answer of a JSON service."""
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode())


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateDatabase": make_database,
    "CreateTable": make_table,
    "UpdateTable": update_iceberg,
    "DeleteTable": drop_table,
    "DeleteDatabase": drop_database,
    "CreateTableOptimizer": put_optimizer,
    "UpdateTableOptimizer": put_optimizer,
    "DeleteTableOptimizer": drop_optimizer,
    "GetTableOptimizer": tell_optimizer,
    "GetPartitionIndexes": tell_indexes,
}
