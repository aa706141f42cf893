"""S3 Tables as Glue shows them: a table bucket is a catalog below `s3tablescatalog`, a namespace a database.

Glue developer guide, "Integrating with Amazon S3 Tables". A database of such a catalog is called here by the
path that its arn has, `s3tablescatalog/BUCKET/NAMESPACE`; one of the account's own catalog by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.glue import iceberg
from twin.aws.services.s3tables.validation import BUCKETS, NAMESPACES, TABLES
from twin.aws.validation import extension_store
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

S3_TABLES: Final = "s3tablescatalog"
CATALOGS: Final = Kind(
    "glue", "federated_catalogs", ("CatalogId",), ("EntityNotFoundException", "Catalog {} not found.", 400)
)
CONNECTION: Final = "aws:s3tables"
_READS: Final = frozenset({"GetDatabase", "GetDatabases", "GetTable", "GetTables"})
_OF_CATALOGS: Final = frozenset({"GetCatalog", "GetCatalogs", "UpdateCatalog", "DeleteCatalog"})


@dataclass
class Table:
    """A table, as moto's of Glue are read."""

    name: str
    description: Params
    versions: dict[str, Params] = field(default_factory=dict[str, Params])
    _current_version: str = "1"


@dataclass
class Database:
    """A namespace, as moto's databases are read."""

    input: Params
    tables: dict[str, Table]


class Databases(Mapping[str, Any]):
    """All databases of a region by name or path: the account's own and those of table buckets.

    backend: moto's of Glue. It is in for one where a table's versions are read.
    """

    def __init__(self, backend: Any) -> None:
        self.account_id: str = backend.account_id
        self.region_name: str = backend.region_name
        self._glue = backend
        self._tables = _s3_tables(backend)

    @property
    def databases(self) -> Mapping[str, Any]:
        """Itself, under the name that a backend has them by."""
        return self

    def __getitem__(self, name: str) -> Any:
        if not name.startswith(f"{S3_TABLES}/"):
            return self._glue.databases[name]
        _, bucket, namespace = name.split("/", 2)
        key = f"{bucket_arn(self._glue, bucket)};{namespace}"
        if S3_TABLES not in CATALOGS.all(self._glue):
            raise KeyError(name)
        namespace_entry = NAMESPACES.all(self._tables)[key]
        tables = {
            table.description["name"]: self._table(bucket, table)
            for place, table in TABLES.all(self._tables).items()
            if place.startswith(f"{key};")
        }
        database = {
            "Name": namespace,
            "CatalogId": catalog_id(self.account_id, bucket),
            "CreateTime": namespace_entry.description["createdAt"],
            "FederatedDatabase": {"Identifier": namespace, "ConnectionName": CONNECTION},
        }
        return Database(database, tables)

    def _table(self, bucket: str, thing: extension_store.Thing) -> Table:
        reported = thing.description
        parameters: dict[str, str] = {"table_type": "ICEBERG"}
        columns: list[Params] = []
        if reported.get("metadataLocation"):
            parameters["metadata_location"] = reported["metadataLocation"]
            columns = iceberg.glue_columns(_schema(self.account_id, reported["metadataLocation"]))
        table = {
            "Name": reported["name"],
            "DatabaseName": reported["namespace"][0],
            "CatalogId": catalog_id(self.account_id, bucket),
            "CreateTime": reported["createdAt"],
            "UpdateTime": reported["modifiedAt"],
            "VersionId": reported["versionToken"],
            "Parameters": parameters,
            "PartitionKeys": [],
            "StorageDescriptor": {"Columns": columns, "Location": reported["warehouseLocation"]},
            "FederatedTable": {
                "Identifier": reported["tableARN"],
                "DatabaseIdentifier": reported["namespace"][0],
                "ConnectionName": CONNECTION,
            },
        }
        return Table(reported["name"], table, {"1": table})

    def __iter__(self) -> Iterator[str]:
        yield from self._glue.databases
        if S3_TABLES in CATALOGS.all(self._glue):
            for key in NAMESPACES.all(self._tables):
                arn, _, namespace = key.partition(";")
                yield f"{S3_TABLES}/{arn.rpartition('/')[2]}/{namespace}"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def databases(state: MotoState) -> Databases:
    """All databases of a region."""
    return Databases(state.moto.backend("glue", state.region))


def catalog_id(account: str, bucket: str) -> str:
    """The id of a table bucket's catalog."""
    return f"{account}:{S3_TABLES}/{bucket}"


def bucket_arn(backend: Any, bucket: str) -> str:
    """A table bucket's arn. backend: moto's of the region."""
    return f"arn:aws:s3tables:{backend.region_name}:{backend.account_id}:bucket/{bucket}"


def path_of(catalog: Any, name: str) -> str:
    """A database's path: its name, below its catalog's path where that is a table bucket's."""
    below = str(catalog or "").rpartition(":")[2]
    return f"{below}/{name}" if "/" in below else name


def is_bucket(catalog: Any) -> bool:
    """Whether a catalog's id names one of a table bucket."""
    return bool(path_of(catalog, "").rstrip("/"))


def bucket_there(catalog: Any, backend: Any) -> bool:
    """Whether a table bucket's catalog is there."""
    account, _, below = str(catalog or "").rpartition(":")
    root, _, bucket = below.partition("/")
    return (
        account in ("", backend.account_id)
        and root == S3_TABLES
        and S3_TABLES in CATALOGS.all(backend)
        and bucket_arn(backend, bucket) in BUCKETS.all(_s3_tables(backend))
    )


def check(operation: str, params: Params, state: MotoState) -> None:
    """Refuse a call of Glue on a catalog that is not there."""
    catalog = params.get("CatalogId")
    if catalog in (None, state.account) or operation in _OF_CATALOGS:
        return
    if not bucket_there(catalog, state.moto.backend("glue", state.region)):
        raise Refusal("EntityNotFoundException", f"Catalog {catalog} not found.")
    if operation not in _READS:
        raise NotImplementedError(f"{operation} in the catalog of a table bucket: S3 Tables' own calls are")
    if operation == "GetTable":
        database = databases(state).get(path_of(catalog, str(params["DatabaseName"])))
        if database is None:
            raise Refusal("EntityNotFoundException", f"Database {params['DatabaseName']} not found.")
        if params["Name"] not in database.tables:
            raise Refusal("EntityNotFoundException", f"Table {params['Name']} not found.")
    elif operation != "GetDatabases":
        name = str(params.get("DatabaseName") or params.get("Name"))
        if path_of(catalog, name) not in databases(state):
            raise Refusal("EntityNotFoundException", f"Database {name} not found.")


def _s3_tables(backend: Any) -> Any:
    from moto.s3tables.models import s3tables_backends

    return s3tables_backends[backend.account_id][backend.region_name]


def _schema(account: str, where: str) -> Params:
    from moto.s3.models import s3_backends
    from pyiceberg.table.metadata import TableMetadataUtil

    from twin.aws.services.glue.iceberg_commits import glue_schema

    bucket, _, key = where.partition("://")[2].partition("/")
    store: Any = s3_backends[account]["aws"]
    text = store.get_object(bucket, key).value
    return glue_schema(TableMetadataUtil.parse_raw(text.decode()))


# Operations


def _operation(report: Callable[[Params, Databases], Params]) -> Callable[[Call, Any], Answer | None]:
    """An operation of table buckets' catalogs; of the account's own it is moto's."""

    def handle(call: Call, backend: Any) -> Answer | None:
        if not is_bucket(call.params.get("CatalogId")):
            return None
        return extension_store.respond(call, report(call.params, Databases(backend)))

    return handle


def _database(params: Params, here: Databases) -> Params:
    return {"Database": here[path_of(params["CatalogId"], params["Name"])].input}


def _databases(params: Params, here: Databases) -> Params:
    below = path_of(params["CatalogId"], "")
    return {"DatabaseList": [here[path].input for path in here if path.startswith(below)]}


def _table(params: Params, here: Databases) -> Params:
    return {
        "Table": here[path_of(params["CatalogId"], params["DatabaseName"])].tables[params["Name"]].description
    }


def _tables(params: Params, here: Databases) -> Params:
    database = here[path_of(params["CatalogId"], params["DatabaseName"])]
    return {"TableList": [table.description for table in database.tables.values()]}


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "GetDatabase": _operation(_database),
    "GetDatabases": _operation(_databases),
    "GetTable": _operation(_table),
    "GetTables": _operation(_tables),
}
