"""What stays on purpose: keys, secrets, buckets, databases and log buckets. None of it is removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cli.sweep.item import Item, Kind, Scope

_DATA: Final = "it stores data"


def _keys(scope: Scope) -> Iterator[Item]:
    rings = f"projects/{scope.account}/locations/{scope.region}/keyRings"
    for ring in scope.client.pages("cloudkms", rings, "keyRings"):
        for key in scope.client.pages("cloudkms", f"{ring['name']}/cryptoKeys", "cryptoKeys"):
            name = str(key["name"])
            versions: list[Any] = list(
                scope.client.pages("cloudkms", f"{name}/cryptoKeyVersions", "cryptoKeyVersions")
            )
            yield _key(scope, key, name, versions)


def _key(scope: Scope, key: Any, name: str, versions: list[Any]) -> Item:
    enabled = [version for version in versions if version["state"] in ("ENABLED", "DISABLED")]
    ending = [str(version["destroyTime"]) for version in versions if version["state"] == "DESTROY_SCHEDULED"]
    if enabled:
        reason = "what it encrypted, such as disks and logs, is lost with its versions"
    elif ending:
        reason = f"its versions are in deletion until {max(ending)}"
    else:
        reason = "its versions are destroyed; Google Cloud deletes no key"
    ring, _, short = name.rpartition("/cryptoKeys/")
    options = f"--keyring {ring.rpartition('/')[2]} --location {scope.region} --project {scope.account}"
    number = str((enabled or versions or [{"name": "1"}])[-1]["name"]).rpartition("/")[2]
    verb = "destroy" if enabled else "restore"
    return Item(
        "key",
        name,
        tags=key.get("labels") or {},
        since=str(key.get("createTime", "")),
        reason=reason,
        # A version in deletion is free.
        costs=(("kms/key-version", float(len(enabled))),) if enabled else (),
        command=f"gcloud kms keys versions {verb} {number} --key {short} {options}"
        if enabled or ending
        else "",
    )


def _secrets(scope: Scope) -> Iterator[Item]:
    for secret in scope.client.pages("secretmanager", f"projects/{scope.account}/secrets", "secrets"):
        name = str(secret["name"]).rpartition("/")[2]
        yield Item(
            "secret",
            f"projects/{scope.account}/secrets/{name}",
            name=name,
            tags=secret.get("labels") or {},
            since=str(secret.get("createTime", "")),
            also=(str(secret["name"]),),
            reason=_DATA,
            costs=(("secrets/version", 1.0),),
            command=f"gcloud secrets delete {name} --project {scope.account}",
        )


def _buckets(scope: Scope) -> Iterator[Item]:
    parameters = {"project": scope.account, "prefix": scope.identity.prefix}
    for bucket in scope.client.pages("storage", "b", "items", parameters):
        name = str(bucket["name"])
        yield Item(
            "bucket",
            name,
            name=name,
            tags=bucket.get("labels") or {},
            since=str(bucket.get("timeCreated", "")),
            reason=_DATA,
            unpriced="its objects",
            command=f"gcloud storage rm --recursive gs://{name}",
        )


def _databases(scope: Scope) -> Iterator[Item]:
    for database in scope.client.pages("sqladmin", f"projects/{scope.account}/instances", "items"):
        name = str(database["name"])
        yield Item(
            "database",
            f"projects/{scope.account}/instances/{name}",
            name=name,
            tags=(database.get("settings") or {}).get("userLabels") or {},
            since=str(database.get("createTime", "")),
            also=(name,),
            reason=_DATA,
            unpriced="instance and storage",
            command=f"gcloud sql instances delete {name} --project {scope.account}",
        )


def _log_buckets(scope: Scope) -> Iterator[Item]:
    parent = f"projects/{scope.account}/locations/{scope.region}/buckets"
    for bucket in scope.client.pages("logging", parent, "buckets"):
        name = str(bucket["name"])
        short = name.rpartition("/")[2]
        deleted = bucket.get("lifecycleState") == "DELETE_REQUESTED"
        options = f"--location {scope.region} --project {scope.account}"
        yield Item(
            "log bucket",
            name,
            name=short,
            since=str(bucket.get("createTime", "")),
            reason="in deletion: a log bucket ends seven days after it" if deleted else "it stores logs",
            unpriced="" if deleted else "its logs",
            command=f"gcloud logging buckets {'undelete' if deleted else 'delete'} {short} {options}",
        )


KEYS: Final = Kind("key", _keys)
SECRETS: Final = Kind("secret", _secrets)
BUCKETS: Final = Kind("bucket", _buckets)
DATABASES: Final = Kind("database", _databases)
LOG_BUCKETS: Final = Kind("log bucket", _log_buckets)
