"""S3 Tables' operations: moto lacks encryption, upkeep, policies and tags, and deletes nothing."""

from __future__ import annotations

import uuid
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services import facts
from twin.aws.services.s3tables import files
from twin.aws.services.s3tables.validation import BUCKETS, NAMESPACES, TABLES
from twin.aws.validation import extension_store

Params = dict[str, Any]

_FACTS: Final = facts(__name__)
_PLAIN: Final = {"sseAlgorithm": "AES256"}


def _drawn() -> str:
    from moto.moto_api._internal import mock_random

    return str(uuid.UUID(int=mock_random.getrandbits(128)))


def _table(params: Params, backend: Any) -> extension_store.Thing:
    """The table that parameters name, by its arn or its place. Raises Refusal."""
    arn = params.get("tableArn")
    for table in TABLES.all(backend).values() if arn else ():
        if table.description["tableARN"] == arn:
            return table
    return TABLES.get(params, backend)


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
    encryption = params.get("encryptionConfiguration") or _PLAIN
    BUCKETS.add(backend, arn, description, encryption=encryption, upkeep=dict(_FACTS["bucket"]))
    extension_store.tag_anew(backend, arn, params.get("tags") or {})
    return {"arn": arn}


def encrypt(params: Params, backend: Any) -> Params:
    """PutTableBucketEncryption, DeleteTableBucketEncryption."""
    internal = BUCKETS.get(params, backend).internal
    internal["encryption"] = params.get("encryptionConfiguration") or _PLAIN
    return {}


def keep(params: Params, backend: Any) -> Params:
    """PutTableBucketMaintenanceConfiguration, PutTableMaintenanceConfiguration."""
    holder = _table(params, backend) if params.get("name") else BUCKETS.get(params, backend)
    holder.internal["upkeep"][params["type"]] = params["value"]
    return {}


def tell_upkeep(params: Params, backend: Any) -> Params:
    """GetTableBucketMaintenanceConfiguration, GetTableMaintenanceConfiguration."""
    if params.get("name"):
        table = _table(params, backend)
        return {"tableARN": table.description["tableARN"], "configuration": table.internal["upkeep"]}
    bucket = BUCKETS.get(params, backend)
    return {"tableBucketARN": params["tableBucketARN"], "configuration": bucket.internal["upkeep"]}


def set_policy(params: Params, backend: Any) -> Params:
    """PutTableBucketPolicy, DeleteTableBucketPolicy."""
    BUCKETS.get(params, backend).internal["policy"] = params.get("resourcePolicy")
    return {}


def tell_policy(params: Params, backend: Any) -> Params:
    """GetTableBucketPolicy."""
    policy = BUCKETS.get(params, backend).internal.get("policy")
    if policy is None:
        raise Refusal("NotFoundException", "The specified bucket does not have a policy.", 404)
    return {"resourcePolicy": policy}


def make_namespace(params: Params, backend: Any) -> Params:
    """CreateNamespace."""
    arn, names = params["tableBucketARN"], params["namespace"]
    description = {
        "namespace": names,
        "createdAt": extension_store.now(),
        "createdBy": backend.account_id,
        "ownerAccountId": backend.account_id,
        "namespaceId": _drawn(),
        "tableBucketId": BUCKETS.all(backend)[arn].description["tableBucketId"],
    }
    NAMESPACES.add(backend, f"{arn};{names[0]}", description)
    return {"tableBucketARN": arn, "namespace": names}


def make_table(params: Params, backend: Any) -> Params:
    """CreateTable: with a schema it has its first metadata at once."""
    bucket, namespace, name = (params[key] for key in ("tableBucketARN", "namespace", "name"))
    of_bucket = BUCKETS.all(backend)[bucket]
    of_namespace = NAMESPACES.get(params, backend).description
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
        "namespaceId": of_namespace["namespaceId"],
        "tableBucketId": of_namespace["tableBucketId"],
    }
    encryption = params.get("encryptionConfiguration") or of_bucket.internal["encryption"]
    files.make(backend, place, encryption)
    if params.get("metadata"):
        description["metadataLocation"] = f"{place}/metadata/00000-{_drawn()}.metadata.json"
        files.begin(
            backend, description["metadataLocation"], description["tableARN"], params["metadata"]["iceberg"]
        )
    TABLES.add(backend, TABLES.name(params), description, encryption=encryption, upkeep=dict(_FACTS["table"]))
    extension_store.tag_anew(backend, description["tableARN"], params.get("tags") or {})
    return {"tableARN": description["tableARN"], "versionToken": description["versionToken"]}


def tell_table(params: Params, backend: Any) -> Params:
    """GetTable."""
    return _table(params, backend).description


def drop_table(params: Params, backend: Any) -> Params:
    """DeleteTable."""
    files.drop(backend, TABLES.get(params, backend).description["warehouseLocation"])
    del TABLES.all(backend)[TABLES.name(params)]
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


_TAGS: Final = extension_store.TagCalls("resourceArn", "tags", "tagKeys", "tags", is_map=True)
_ACTS: Final[dict[str, extension_store.Act]] = {
    **_TAGS.acts(),
    "CreateTableBucket": make_bucket,
    "GetTableBucket": BUCKETS.describe(),
    "ListTableBuckets": BUCKETS.list_all("tableBuckets"),
    "DeleteTableBucket": BUCKETS.drop(),
    **dict.fromkeys(("PutTableBucketEncryption", "DeleteTableBucketEncryption"), encrypt),
    "GetTableBucketEncryption": BUCKETS.describe_internal("encryptionConfiguration", "encryption"),
    **dict.fromkeys(("PutTableBucketMaintenanceConfiguration", "PutTableMaintenanceConfiguration"), keep),
    **dict.fromkeys(
        ("GetTableBucketMaintenanceConfiguration", "GetTableMaintenanceConfiguration"), tell_upkeep
    ),
    **dict.fromkeys(("PutTableBucketPolicy", "DeleteTableBucketPolicy"), set_policy),
    "GetTableBucketPolicy": tell_policy,
    "CreateNamespace": make_namespace,
    "GetNamespace": NAMESPACES.describe(),
    "ListNamespaces": NAMESPACES.list_all("namespaces", ("tableBucketARN",)),
    "DeleteNamespace": NAMESPACES.drop(),
    "CreateTable": make_table,
    "GetTable": tell_table,
    "ListTables": TABLES.list_all("tables", ("tableBucketARN", "namespace")),
    "DeleteTable": drop_table,
    "GetTableMetadataLocation": tell_place,
    "UpdateTableMetadataLocation": point,
    "GetTableEncryption": tell_table_encryption,
}
OPERATIONS: Final = extension_store.operations(_ACTS)
