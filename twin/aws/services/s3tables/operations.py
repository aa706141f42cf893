"""S3 Tables' operations: moto lacks encryption, upkeep, policies and tags, and deletes nothing."""

from __future__ import annotations

import uuid
from typing import Any, Final

from twin.aws.services.s3tables import files
from twin.aws.services.s3tables.validation import BUCKETS, NAMESPACES, TABLES
from twin.aws.validation import extension_store

Params = dict[str, Any]

_REMOVAL: Final = {
    "icebergUnreferencedFileRemoval": {
        "status": "enabled",
        "settings": {"icebergUnreferencedFileRemoval": {"unreferencedDays": 3, "nonCurrentDays": 10}},
    }
}
_UPKEEP: Final = {
    "icebergCompaction": {
        "status": "enabled",
        "settings": {"icebergCompaction": {"targetFileSizeMB": 512, "strategy": "auto"}},
    },
    "icebergSnapshotManagement": {
        "status": "enabled",
        "settings": {"icebergSnapshotManagement": {"minSnapshotsToKeep": 1, "maxSnapshotAgeHours": 120}},
    },
}
_PLAIN: Final = {"sseAlgorithm": "AES256"}


def _drawn() -> str:
    from moto.moto_api._internal import mock_random

    return str(uuid.UUID(int=mock_random.getrandbits(128)))


def _table(params: Params, backend: Any) -> extension_store.Thing:
    tables = extension_store.resources(backend, TABLES)
    if params.get("tableArn"):
        return next(table for table in tables.values() if table.description["tableARN"] == params["tableArn"])
    return tables[f"{params['tableBucketARN']};{params['namespace']};{params['name']}"]


def make_bucket(params: Params, backend: Any) -> Params:
    """CreateTableBucket."""
    arn = f"arn:aws:s3tables:{backend.region_name}:{backend.account_id}:bucket/{params['name']}"
    description = {
        "arn": arn,
        "name": params["name"],
        "ownerAccountId": backend.account_id,
        "createdAt": extension_store.now(),
        "tableBucketId": _drawn(),
        "type": "customer",
    }
    internal = {"encryption": params.get("encryptionConfiguration") or _PLAIN, "upkeep": dict(_REMOVAL)}
    extension_store.resources(backend, BUCKETS)[arn] = extension_store.Thing(description, internal)
    extension_store.tag_anew(backend, arn, params.get("tags") or {})
    return {"arn": arn}


def tell_bucket(params: Params, backend: Any) -> Params:
    """GetTableBucket."""
    return extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].description


def list_buckets(_: Params, backend: Any) -> Params:
    """ListTableBuckets."""
    return {
        "tableBuckets": [
            bucket.description for bucket in extension_store.resources(backend, BUCKETS).values()
        ]
    }


def drop_bucket(params: Params, backend: Any) -> Params:
    """DeleteTableBucket."""
    del extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]]
    return {}


def encrypt(params: Params, backend: Any) -> Params:
    """PutTableBucketEncryption, DeleteTableBucketEncryption."""
    internal = extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].internal
    internal["encryption"] = params.get("encryptionConfiguration") or _PLAIN
    return {}


def tell_encryption(params: Params, backend: Any) -> Params:
    """GetTableBucketEncryption."""
    return {
        "encryptionConfiguration": extension_store.resources(backend, BUCKETS)[
            params["tableBucketARN"]
        ].internal["encryption"]
    }


def keep_bucket(params: Params, backend: Any) -> Params:
    """PutTableBucketMaintenanceConfiguration."""
    extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].internal["upkeep"][
        params["type"]
    ] = params["value"]
    return {}


def tell_bucket_upkeep(params: Params, backend: Any) -> Params:
    """GetTableBucketMaintenanceConfiguration."""
    arn = params["tableBucketARN"]
    return {
        "tableBucketARN": arn,
        "configuration": extension_store.resources(backend, BUCKETS)[arn].internal["upkeep"],
    }


def set_policy(params: Params, backend: Any) -> Params:
    """PutTableBucketPolicy."""
    extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].internal["policy"] = params[
        "resourcePolicy"
    ]
    return {}


def tell_policy(params: Params, backend: Any) -> Params:
    """GetTableBucketPolicy."""
    return {
        "resourcePolicy": extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].internal[
            "policy"
        ]
    }


def drop_policy(params: Params, backend: Any) -> Params:
    """DeleteTableBucketPolicy."""
    extension_store.resources(backend, BUCKETS)[params["tableBucketARN"]].internal.pop("policy", None)
    return {}


def make_namespace(params: Params, backend: Any) -> Params:
    """CreateNamespace."""
    arn, names = params["tableBucketARN"], params["namespace"]
    description = {
        "namespace": names,
        "createdAt": extension_store.now(),
        "createdBy": backend.account_id,
        "ownerAccountId": backend.account_id,
        "namespaceId": _drawn(),
        "tableBucketId": extension_store.resources(backend, BUCKETS)[arn].description["tableBucketId"],
    }
    extension_store.resources(backend, NAMESPACES)[f"{arn};{names[0]}"] = extension_store.Thing(description)
    return {"tableBucketARN": arn, "namespace": names}


def tell_namespace(params: Params, backend: Any) -> Params:
    """GetNamespace."""
    return extension_store.resources(backend, NAMESPACES)[
        f"{params['tableBucketARN']};{params['namespace']}"
    ].description


def list_namespaces(params: Params, backend: Any) -> Params:
    """ListNamespaces."""
    namespaces = extension_store.resources(backend, NAMESPACES).items()
    return {
        "namespaces": [
            namespace.description
            for key, namespace in namespaces
            if key.startswith(f"{params['tableBucketARN']};")
        ]
    }


def drop_namespace(params: Params, backend: Any) -> Params:
    """DeleteNamespace."""
    del extension_store.resources(backend, NAMESPACES)[f"{params['tableBucketARN']};{params['namespace']}"]
    return {}


def make_table(params: Params, backend: Any) -> Params:
    """CreateTable: with a schema it has its first metadata at once."""
    bucket, namespace, name = (params[key] for key in ("tableBucketARN", "namespace", "name"))
    id = _drawn()
    place = f"s3://{id[:24].replace('-', '')}{_drawn()[:8]}--table-s3"
    description = {
        "name": name,
        "type": "customer",
        "tableARN": f"{bucket}/table/{id}",
        "namespace": [namespace],
        "versionToken": _drawn().replace("-", "")[:20],
        "warehouseLocation": place,
        "createdAt": extension_store.now(),
        "createdBy": backend.account_id,
        "modifiedAt": extension_store.now(),
        "modifiedBy": backend.account_id,
        "ownerAccountId": backend.account_id,
        "format": params.get("format") or "ICEBERG",
        "namespaceId": extension_store.resources(backend, NAMESPACES)[f"{bucket};{namespace}"].description[
            "namespaceId"
        ],
        "tableBucketId": extension_store.resources(backend, BUCKETS)[bucket].description["tableBucketId"],
    }
    encryption = (
        params.get("encryptionConfiguration")
        or extension_store.resources(backend, BUCKETS)[bucket].internal["encryption"]
    )
    files.make(backend, place, encryption)
    if params.get("metadata"):
        description["metadataLocation"] = f"{place}/metadata/00000-{_drawn()}.metadata.json"
        files.begin(
            backend, description["metadataLocation"], description["tableARN"], params["metadata"]["iceberg"]
        )
    internal = {
        "encryption": encryption,
        "upkeep": dict(_UPKEEP),
        "metadata": params.get("metadata"),
    }
    extension_store.resources(backend, TABLES)[f"{bucket};{namespace};{name}"] = extension_store.Thing(
        description, internal
    )
    extension_store.tag_anew(backend, description["tableARN"], params.get("tags") or {})
    return {"tableARN": description["tableARN"], "versionToken": description["versionToken"]}


def tell_table(params: Params, backend: Any) -> Params:
    """GetTable."""
    return _table(params, backend).description


def list_tables(params: Params, backend: Any) -> Params:
    """ListTables."""
    of = f"{params['tableBucketARN']};" + (f"{params['namespace']};" if params.get("namespace") else "")
    return {
        "tables": [
            table.description
            for key, table in extension_store.resources(backend, TABLES).items()
            if key.startswith(of)
        ]
    }


def drop_table(params: Params, backend: Any) -> Params:
    """DeleteTable."""
    files.drop(backend, _table(params, backend).description["warehouseLocation"])
    del extension_store.resources(backend, TABLES)[
        f"{params['tableBucketARN']};{params['namespace']};{params['name']}"
    ]
    return {}


def tell_place(params: Params, backend: Any) -> Params:
    """GetTableMetadataLocation."""
    description = _table(params, backend).description
    names = ("versionToken", "metadataLocation", "warehouseLocation")
    return {name: description[name] for name in names if name in description}


def point(params: Params, backend: Any) -> Params:
    """UpdateTableMetadataLocation."""
    description = _table(params, backend).description
    description["metadataLocation"] = params["metadataLocation"]
    description["versionToken"] = _drawn().replace("-", "")[:20]
    description["modifiedAt"] = extension_store.now()
    return {
        name: description[name]
        for name in ("name", "tableARN", "namespace", "versionToken", "metadataLocation")
    }


def tell_table_encryption(params: Params, backend: Any) -> Params:
    """GetTableEncryption."""
    return {"encryptionConfiguration": _table(params, backend).internal["encryption"]}


def keep_table(params: Params, backend: Any) -> Params:
    """PutTableMaintenanceConfiguration."""
    _table(params, backend).internal["upkeep"][params["type"]] = params["value"]
    return {}


def tell_table_upkeep(params: Params, backend: Any) -> Params:
    """GetTableMaintenanceConfiguration."""
    table = _table(params, backend)
    return {"tableARN": table.description["tableARN"], "configuration": table.internal["upkeep"]}


_TAGS: Final = extension_store.TagCalls("resourceArn", "tags", "tagKeys", "tags", is_map=True)
_ACTS: Final[dict[str, extension_store.Act]] = {
    **_TAGS.acts(),
    "CreateTableBucket": make_bucket,
    "GetTableBucket": tell_bucket,
    "ListTableBuckets": list_buckets,
    "DeleteTableBucket": drop_bucket,
    "PutTableBucketEncryption": encrypt,
    "DeleteTableBucketEncryption": encrypt,
    "GetTableBucketEncryption": tell_encryption,
    "PutTableBucketMaintenanceConfiguration": keep_bucket,
    "GetTableBucketMaintenanceConfiguration": tell_bucket_upkeep,
    "PutTableBucketPolicy": set_policy,
    "GetTableBucketPolicy": tell_policy,
    "DeleteTableBucketPolicy": drop_policy,
    "CreateNamespace": make_namespace,
    "GetNamespace": tell_namespace,
    "ListNamespaces": list_namespaces,
    "DeleteNamespace": drop_namespace,
    "CreateTable": make_table,
    "GetTable": tell_table,
    "ListTables": list_tables,
    "DeleteTable": drop_table,
    "GetTableMetadataLocation": tell_place,
    "UpdateTableMetadataLocation": point,
    "GetTableEncryption": tell_table_encryption,
    "PutTableMaintenanceConfiguration": keep_table,
    "GetTableMaintenanceConfiguration": tell_table_upkeep,
}
OPERATIONS: Final = extension_store.operations(_ACTS)
