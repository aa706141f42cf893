"""Secret Manager: secrets, their versions, access to them."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twin.gcp.api_server.errors import denied, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import check_place, serve

_SECRETS: Final = "secretmanager.projects.secrets"
_VERSIONS: Final = f"{_SECRETS}.versions"
_LARGEST: Final = 65536
"""Bytes of a version at most. Source: "Quotas and limits" of Secret Manager."""


def agent(call: Call) -> str:
    """The account by which Secret Manager uses keys and publishes."""
    return f"service-{call.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"


def _prepare(call: Call, secret: Body) -> None:
    if "ttl" in secret:
        seconds = float(str(secret.pop("ttl")).removesuffix("s"))
        at = datetime.fromtimestamp(call.at, UTC) + timedelta(seconds=seconds)
        secret["expireTime"] = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    secret.pop("updateTime", None)


def _check(call: Call, secret: Body) -> None:
    _check_places(call, secret["replication"])
    topics = secret.get("topics") or []
    for topic in topics:
        name = str(topic.get("name", ""))
        member = f"serviceAccount:{agent(call)}"
        if not call.server.identity.allowed(member, "pubsub.topics.publish", f"pubsub/{name}"):
            raise precondition(
                f"Secret Manager service identity {agent(call)} does not have permission to publish to topic "
                f"{name}."
            )


def _check_places(call: Call, replication: Body) -> None:
    replicas = (replication.get("userManaged") or {}).get("replicas")
    if replicas is None:
        key = (replication["automatic"].get("customerManagedEncryption") or {}).get("kmsKeyName")
        check_key(call, key, "global", agent(call), "secret")
        return
    if not replicas:
        raise invalid("secret.replication.user_managed.replicas must not be empty.")
    places = [str(replica_entry.get("location", "")) for replica_entry in replicas]
    if len(set(places)) != len(places):
        raise invalid(f"Duplicate locations in secret.replication.user_managed.replicas: {places}.")
    keys = 0
    for replica, place in zip(replicas, places, strict=True):
        check_place(place, frozenset())
        key = (replica.get("customerManagedEncryption") or {}).get("kmsKeyName")
        keys += bool(key)
        check_key(call, key, place, agent(call), "replica")
    if keys not in (0, len(replicas)):
        raise invalid("Either all replicas have a customer-managed key, or none has.")


def _renew(_: Call, before: Body, after: Body) -> None:
    def places(secret: Body) -> list[str]:
        replicas = (secret["replication"].get("userManaged") or {}).get("replicas") or []
        return [replica["location"] for replica in replicas]

    if places(before) != places(after) or set(before["replication"]) != set(after["replication"]):
        raise invalid("The replication policy of a secret cannot be changed after its creation.")


serve("secretmanager.projects.secrets", prepare=_prepare, check=_check, renew=_renew)


def _version(call: Call) -> tuple[str, Body]:
    """A version by its number, `latest` or an alias. Raises 404."""
    name = call.parameters["name"]
    secret, _, number = name.rpartition("/versions/")
    secret_body = call.need(f"secretmanager/{secret}", f"Secret [{secret}] not found.")
    if number == "latest":
        versions = call.state.of("secretmanager.versions", f"secretmanager/{secret}/versions/")
        numbers = [int(body["name"].rpartition("/")[2]) for _, body in versions]
        if not numbers:
            raise not_found(f"Secret [{secret}] not found or has no versions.")
        number = str(max(numbers))
    number = str((secret_body.get("versionAliases") or {}).get(number, number))
    row = f"secretmanager/{secret}/versions/{number}"
    return row, call.need(row, f"Secret Version [{secret}/versions/{number}] not found.")


@handles(f"{_SECRETS}.addVersion")
def add(call: Call) -> dict[str, Any]:
    """A version with its payload, which no answer but access shows."""
    secret = call.parameters["parent"]
    secret_body = call.need(f"secretmanager/{secret}", f"Secret [{secret}] not found.")
    payload = call.body.get("payload") or {}
    data = base64.b64decode(str(payload.get("data") or ""))
    if not 0 < len(data) <= _LARGEST:
        raise invalid(f"The payload of a secret version has from 1 to {_LARGEST} bytes, got {len(data)}.")
    data_crc32c = payload.get("dataCrc32c")
    if data_crc32c is not None and int(data_crc32c) != _crc(data):
        raise invalid("The payload's CRC32C checksum does not match the data.")
    internal = call.state.internal(f"secretmanager/{secret}")
    number = int(internal.get("last", 0)) + 1
    call.state.keep(f"secretmanager/{secret}", {**internal, "last": number})
    version: Body = {
        "name": f"{secret}/versions/{number}",
        "createTime": call.timestamp,
        "state": "ENABLED",
        "replicationStatus": _status(secret_body["replication"]),
        "etag": f'"{int(call.at * 1_000_000):x}"',
        "clientSpecifiedPayloadChecksum": data_crc32c is not None,
    }
    row = f"secretmanager/{secret}/versions/{number}"
    return call.state.put(row, version, internal={"data": base64.b64encode(data).decode()})


def _status(replication: Body) -> Body:
    replicas = (replication.get("userManaged") or {}).get("replicas")
    if replicas is None:
        return {"automatic": {}}
    return {"userManaged": {"replicas": [{"location": replica["location"]} for replica in replicas]}}


def _crc(data: bytes) -> int:
    from twin.gcp.services.storage.operations.objects import crc32c

    return int.from_bytes(base64.b64decode(crc32c(data)), "big") if data else zlib.crc32(b"")


@handles(f"{_VERSIONS}.access")
def access(call: Call) -> dict[str, Any]:
    """The payload."""
    row, body = _version(call)
    if body["state"] != "ENABLED":
        raise precondition(f"Secret Version [{body['name']}] is in {body['state']} state.")
    if call.principal != call.server.identity.deployer:
        _may_read(call, row)
    data = call.state.internal(row)["data"]
    return {"name": body["name"], "payload": {"data": data, "dataCrc32c": str(_crc(base64.b64decode(data)))}}


def _may_read(call: Call, row: str) -> None:
    secret = row.rpartition("/versions/")[0]
    allowed = call.server.identity.allowed
    if not allowed(call.principal, "secretmanager.versions.access", secret):
        raise denied(
            "Permission 'secretmanager.versions.access' denied for resource "
            f"'{row.partition('/')[2]}' (or it may not exist).",
        )


@handles(f"{_VERSIONS}.get")
def get(call: Call) -> dict[str, Any]:
    """A version without its payload."""
    return _version(call)[1]


@handles(f"{_VERSIONS}.enable", f"{_VERSIONS}.disable", f"{_VERSIONS}.destroy")
def switch(call: Call) -> dict[str, Any]:
    """Enable, disable or destroy a version; what is destroyed is gone."""
    row, body = _version(call)
    state = {"enable": "ENABLED", "disable": "DISABLED", "destroy": "DESTROYED"}[call.method.name]
    if body["state"] == "DESTROYED":
        raise precondition(f"Secret Version [{body['name']}] is in DESTROYED state.")
    body["state"] = state
    if state == "DESTROYED":
        body["destroyTime"] = call.timestamp
        call.state.keep(row, {})
    return call.state.put(row, body)


@handles(f"{_VERSIONS}.list")
def listing(call: Call) -> dict[str, Any]:
    """The versions, the newest first."""
    secret = call.parameters["parent"]
    call.need(f"secretmanager/{secret}", f"Secret [{secret}] not found.")
    versions = [
        body for _, body in call.state.of("secretmanager.versions", f"secretmanager/{secret}/versions/")
    ]
    versions.sort(key=lambda version: -int(version["name"].rpartition("/")[2]))
    return {**generic.page(call, versions, "versions"), "totalSize": len(versions)}
