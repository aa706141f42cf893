"""What stays on purpose: keys, secrets, buckets, databases and their snapshots. None of it is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.clients.aws import ApiError
from cli.clients.errors import UncheckedError
from cli.sweep.claims import tags_of
from cli.sweep.item import Item, Kind, Scope

_DATA: Final = "it stores data"


def _keys(scope: Scope) -> Iterator[Item]:
    keys: list[Any] = scope.client.pages("kms", "list_keys", "Keys")
    for entry in keys:
        id = str(entry["KeyId"])
        try:
            key: Mapping[str, Any] = scope.client.call("kms", "describe_key", KeyId=id)["KeyMetadata"]
            if key.get("KeyManager") != "CUSTOMER":
                continue
            tags: list[Any] = scope.client.pages("kms", "list_resource_tags", "Tags", KeyId=id)
        except ApiError as error:
            # Between the list and this call its deletion has ended.
            if error.code == "NotFoundException":
                continue
            raise
        except UncheckedError:
            continue  # the key's own policy lets other principals read it
        deleted = key.get("DeletionDate")
        yield Item(
            "key",
            id,
            tags={str(tag["TagKey"]): str(tag["TagValue"]) for tag in tags},
            since=str(key.get("CreationDate", "")),
            also=(str(entry["KeyArn"]),),
            reason=f"in deletion until {deleted:%Y-%m-%d}"
            if deleted
            else "what it encrypted, such as volumes and logs, is lost with it",
            # A key in deletion is free.
            costs=() if deleted else (("kms/key", 1.0),),
            command=f"aws --region {scope.region} kms cancel-key-deletion --key-id {id} keeps it"
            if deleted
            else f"aws --region {scope.region} kms schedule-key-deletion --key-id {id}",
        )


def _secrets(scope: Scope) -> Iterator[Item]:
    secrets: list[Any] = scope.client.pages(
        "secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True
    )
    for secret in secrets:
        name, arn = str(secret["Name"]), str(secret["ARN"])
        deleted = secret.get("DeletedDate")
        service = f"aws --region {scope.region} secretsmanager"
        force = f"{service} delete-secret --force-delete-without-recovery --secret-id {name}"
        yield Item(
            "secret",
            arn,
            name=name,
            tags=tags_of(secret.get("Tags")),
            since=str(secret.get("CreatedDate", "")),
            also=(name,),
            reason="in its recovery window: its name is taken until the end" if deleted else _DATA,
            costs=() if deleted else (("secrets/secret", 1.0),),
            command=f"{service} restore-secret --secret-id {name}; {force}" if deleted else force,
        )


def _buckets(scope: Scope) -> Iterator[Item]:
    buckets: list[Any] = scope.client.pages("s3", "list_buckets", "Buckets")
    for bucket in buckets:
        name = str(bucket["Name"])
        if not scope.identity.is_similar(name):
            continue
        try:
            tags = tags_of(scope.client.call("s3", "get_bucket_tagging", Bucket=name)["TagSet"])
        except ApiError as error:
            if error.code != "NoSuchTagSet":
                raise
            tags = {}
        yield Item(
            "bucket",
            name,
            name=name,
            tags=tags,
            since=str(bucket.get("CreationDate", "")),
            also=(f"arn:aws:s3:::{name}",),
            reason=_DATA,
            unpriced="its objects",
            command=f"aws s3 rb s3://{name} --force",
        )


def _databases(scope: Scope) -> Iterator[Item]:
    databases: list[Any] = scope.client.pages("rds", "describe_db_instances", "DBInstances")
    for database in databases:
        name = str(database["DBInstanceIdentifier"])
        yield Item(
            "database",
            str(database["DBInstanceArn"]),
            name=name,
            tags=tags_of(database.get("TagList")),
            since=str(database.get("InstanceCreateTime", "")),
            # The provider's id of an instance is its resource id.
            also=(name, str(database.get("DbiResourceId", ""))),
            reason=_DATA,
            unpriced="instance and storage",
            command=f"aws --region {scope.region} rds delete-db-instance --db-instance-identifier {name} "
            f"--final-db-snapshot-identifier {name}-final",
        )


def _database_snapshots(scope: Scope) -> Iterator[Item]:
    snapshots: list[Any] = scope.client.pages(
        "rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual"
    )
    for snapshot in snapshots:
        name = str(snapshot["DBSnapshotIdentifier"])
        yield Item(
            "database snapshot",
            str(snapshot["DBSnapshotArn"]),
            name=name,
            tags=tags_of(snapshot.get("TagList")),
            since=str(snapshot.get("SnapshotCreateTime", "")),
            also=(name,),
            reason="the last copy of a database",
            unpriced="storage",
            command=f"aws --region {scope.region} rds delete-db-snapshot --db-snapshot-identifier {name}",
        )


KEYS: Final = Kind("key", _keys)
SECRETS: Final = Kind("secret", _secrets)
BUCKETS: Final = Kind("bucket", _buckets)
DATABASES: Final = Kind("database", _databases)
DATABASE_SNAPSHOTS: Final = Kind("database snapshot", _database_snapshots)
