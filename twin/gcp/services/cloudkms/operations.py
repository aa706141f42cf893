"""Cloud KMS: key rings, keys, their versions, rotation and policies. Names are taken for good."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from twin.gcp import services
from twin.gcp.api_server.errors import denied, exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,63}")
_LOCATIONS: Final = frozenset({"global", "us", "europe", "asia", "eur3", "eur4", "nam3", "nam4"})
_SYMMETRIC: Final = "GOOGLE_SYMMETRIC_ENCRYPTION"
_MUTABLE: Final = frozenset(
    {"labels", "nextRotationTime", "rotationPeriod", "versionTemplate", "keyAccessJustificationsPolicy"}
)
_MOST_BYTES: Final = 65_536 + 64
"""64 KiB of plaintext (Cloud KMS, "Quotas"), and what encryption adds."""
DAY: Final = 86400
_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = services.tables("cloudkms")["prefixes"]


@handles("cloudkms.projects.locations.keyRings.create")
def create_ring(call: Call) -> dict[str, Any]:
    """A key ring, which keeps its name for good."""
    _location(call)
    ring = call.parameters.get("keyRingId", "")
    _check_id("key_ring_id", ring)
    name = f"{call.parameters['parent']}/keyRings/{ring}"
    if call.state.get(f"cloudkms/{name}") is not None:
        raise exists(f"KeyRing {name} already exists.")
    return call.state.put(f"cloudkms/{name}", {"name": name, "createTime": call.timestamp})


@handles("cloudkms.projects.locations.keyRings.get", "cloudkms.projects.locations.keyRings.cryptoKeys.get")
def get(call: Call) -> dict[str, Any]:
    """A key ring or a key, with its primary version."""
    name = call.parameters["name"]
    kind = "KeyRing" if name.count("/") == 5 else "CryptoKey"
    body = call.need(f"cloudkms/{name}", f"{kind} {name} not found.")
    return _with_primary(call, body) if kind == "CryptoKey" else body


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.list")
def list_keys(call: Call) -> dict[str, Any]:
    """The keys of a ring."""
    ring = call.parameters["parent"]
    call.need(f"cloudkms/{ring}", f"KeyRing {ring} not found.")
    rows = call.state.of("cloudkms.cryptoKeys", f"cloudkms/{ring}/cryptoKeys/")
    return generic.page(call, [_with_primary(call, body) for _, body in rows], "cryptoKeys")


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.create")
def create_key(call: Call) -> dict[str, Any]:
    """A key with its first version."""
    ring = call.parameters["parent"]
    call.need(f"cloudkms/{ring}", f"KeyRing {ring} not found.")
    key = call.parameters.get("cryptoKeyId", "")
    _check_id("crypto_key_id", key)
    name = f"{ring}/cryptoKeys/{key}"
    if call.state.get(f"cloudkms/{name}") is not None:
        raise exists(f"CryptoKey {name} already exists.")
    crypto_key: Body = {"name": name, "createTime": call.timestamp, **call.body}
    if crypto_key.get("purpose", "CRYPTO_KEY_PURPOSE_UNSPECIFIED") == "CRYPTO_KEY_PURPOSE_UNSPECIFIED":
        raise invalid("crypto_key.purpose must be specified.")
    template = crypto_key.setdefault("versionTemplate", {})
    template.setdefault("protectionLevel", "SOFTWARE")
    if crypto_key["purpose"] == "ENCRYPT_DECRYPT":
        template.setdefault("algorithm", _SYMMETRIC)
    crypto_key.setdefault("destroyScheduledDuration", f"{30 * DAY}s")
    _check_key(call, crypto_key)
    call.state.put(f"cloudkms/{name}", crypto_key)
    if not call.parameters.get("skipInitialVersionCreation") and not crypto_key.get("importOnly"):
        _add_version(call, crypto_key)
    return _with_primary(call, crypto_key)


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.patch")
def patch_key(call: Call) -> dict[str, Any]:
    """Rotation, labels, the template of versions to come."""
    name = call.parameters["name"]
    body = call.need(f"cloudkms/{name}", f"CryptoKey {name} not found.")
    if not call.parameters.get("updateMask"):
        raise invalid("update_mask must be specified.")
    updated = generic.masked(call, body, _MUTABLE)
    level = body["versionTemplate"]["protectionLevel"]
    updated.setdefault("versionTemplate", {}).setdefault("protectionLevel", level)
    _check_key(call, updated)
    call.state.put(f"cloudkms/{name}", updated)
    return _with_primary(call, updated)


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.patch")
def patch_version(call: Call) -> dict[str, Any]:
    """Enable or disable a version."""
    name = call.parameters["name"]
    body = call.need(f"cloudkms/{name}", f"CryptoKeyVersion {name} not found.")
    updated = generic.masked(call, body, frozenset({"state"}))
    if body["state"] not in ("ENABLED", "DISABLED") or updated["state"] not in ("ENABLED", "DISABLED"):
        raise precondition(f"{name} cannot become {updated['state']}, current state is: {body['state']}.")
    return call.state.put(f"cloudkms/{name}", updated)


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.destroy")
def destroy(call: Call) -> dict[str, Any]:
    """Destruction is scheduled: until then a restore brings the version back."""
    name = call.parameters["name"]
    body = _version(call, name)
    if body["state"] not in ("ENABLED", "DISABLED"):
        raise precondition(f"{name} cannot be destroyed, current state is: {body['state']}.")
    key = call.need(f"cloudkms/{name.rsplit('/', 2)[0]}")
    wait = float(key["destroyScheduledDuration"].removesuffix("s"))
    at = datetime.fromtimestamp(call.at + wait, UTC)
    body.update(state="DESTROY_SCHEDULED", destroyTime=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    return call.state.put(f"cloudkms/{name}", body)


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.get")
def get_version(call: Call) -> dict[str, Any]:
    """One version."""
    return _version(call, call.parameters["name"])


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.encrypt")
def encrypt(call: Call) -> dict[str, Any]:
    """Bytes under a key's primary version; the ciphertext names the version."""
    name = call.parameters["name"]
    version = usable(call, name)
    version = _with_primary(call, version)["primary"]["name"]
    nonce = secrets.token_bytes(12)
    sealed = _cipher(call, version).encrypt(nonce, _octets(call, "plaintext"), _aad(call))
    number = int(version.rpartition("/")[2]).to_bytes(4, "big")
    return {"name": version, "ciphertext": base64.b64encode(number + nonce + sealed).decode()}


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.decrypt")
def decrypt(call: Call) -> dict[str, Any]:
    """What a ciphertext of the key holds. Raises 400 for any other."""
    name, ciphertext = call.parameters["name"], _octets(call, "ciphertext")
    call.need(f"cloudkms/{name}", f"CryptoKey {name} not found.")
    version = f"{name}/cryptoKeyVersions/{int.from_bytes(ciphertext[:4], 'big')}"
    wrong = invalid("Decryption failed: verify that 'name' refers to the correct CryptoKey.")
    if call.state.get(f"cloudkms/{version}") is None:
        raise wrong
    if _version(call, version)["state"] != "ENABLED":
        raise precondition(f"{version} is not enabled, current state is: {_version(call, version)['state']}.")
    try:
        plaintext = _cipher(call, version).decrypt(ciphertext[4:16], ciphertext[16:], _aad(call))
    except InvalidTag:
        raise wrong from None
    return {"plaintext": base64.b64encode(plaintext).decode()}


def _cipher(call: Call, version: str) -> AESGCM:
    return AESGCM(base64.b64decode(call.state.internal(f"cloudkms/{version}")["material"]))


def _octets(call: Call, field: str) -> bytes:
    try:
        content = base64.b64decode(call.body.get(field) or "", altchars=b"-_")
    except ValueError:
        raise invalid(f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed.") from None
    if len(content) > _MOST_BYTES:
        raise invalid(f"{field} is larger than {_MOST_BYTES} bytes.")
    return content


def _aad(call: Call) -> bytes | None:
    return _octets(call, "additionalAuthenticatedData") or None


def usable(call: Call, name: str) -> Body:
    """A key that can encrypt now, for services that use one. Raises 400 where there is none."""
    body = call.need(f"cloudkms/{name}", f"CryptoKey {name} not found.")
    primary = _with_primary(call, body).get("primary")
    if body["purpose"] != "ENCRYPT_DECRYPT":
        raise precondition(f"CryptoKey {name} has purpose {body['purpose']}, ENCRYPT_DECRYPT is right.")
    if not primary or primary["state"] != "ENABLED":
        raise precondition(f"CryptoKey {name} is not enabled: its primary version is not usable.")
    return body


def check_granted(call: Call, key: str, email: str) -> None:
    """The key can encrypt, and an account may use it. Raises 400 or 403."""
    usable(call, key)
    identity = call.server.identity
    places = (f"cloudkms/{key}", f"cloudkms/{key.rsplit('/cryptoKeys/', 1)[0]}")
    for use in ("useToEncrypt", "useToDecrypt"):
        permission = f"cloudkms.cryptoKeyVersions.{use}"
        if not any(identity.allowed(f"serviceAccount:{email}", permission, place) for place in places):
            raise denied(
                f"Permission '{permission}' denied on resource '{key}' (or it may not exist). Grant "
                f"roles/cloudkms.cryptoKeyEncrypterDecrypter on it to {email}.",
            )


def _version(call: Call, name: str) -> Body:
    body = call.need(f"cloudkms/{name}", f"CryptoKeyVersion {name} not found.")
    if body["state"] == "DESTROY_SCHEDULED" and body["destroyTime"] <= call.timestamp:
        body.update(state="DESTROYED", destroyEventTime=body.pop("destroyTime"))
        call.state.put(f"cloudkms/{name}", body)
    return body


def _with_primary(call: Call, body: Body) -> Body:
    primary = call.state.internal(f"cloudkms/{body['name']}").get("primary")
    version = call.state.get(f"cloudkms/{primary}") if primary else None
    return {**body, "primary": version} if version else body


def _add_version(call: Call, key: Body) -> None:
    """A new key's first version, with which a symmetric one encrypts."""
    name = f"{key['name']}/cryptoKeyVersions/1"
    if key["purpose"] == "ENCRYPT_DECRYPT":
        call.state.keep(f"cloudkms/{key['name']}", {"primary": name})
    version: Body = {
        "name": name,
        "state": "ENABLED",
        "protectionLevel": key["versionTemplate"]["protectionLevel"],
        "algorithm": key["versionTemplate"].get("algorithm", _SYMMETRIC),
        "createTime": call.timestamp,
        "generateTime": call.timestamp,
    }
    # What a version encrypts with is never shown.
    material = base64.b64encode(secrets.token_bytes(32)).decode()
    call.state.put(f"cloudkms/{name}", version, internal={"material": material})


def _check_key(call: Call, key: Body) -> None:
    check_labels(key, "crypto_key.labels")
    algorithm = key["versionTemplate"].get("algorithm", "")
    if not algorithm.startswith(_PREFIXES.get(key["purpose"], ())):
        raise invalid(f"crypto_key.version_template.algorithm {algorithm or 'unset'} is not for purpose "
                      f"{key['purpose']}.")  # fmt: skip
    period, following = key.get("rotationPeriod"), key.get("nextRotationTime")
    if period or following:
        if key["purpose"] != "ENCRYPT_DECRYPT":
            raise invalid("Only keys with purpose ENCRYPT_DECRYPT can have a rotation schedule.")
        seconds = float((period or "0s").removesuffix("s"))
        if period and not DAY <= seconds <= 876000 * 3600:
            raise invalid(
                f"crypto_key.rotation_period must be from {DAY}s (1 day) to 3153600000s, got {period}."
            )
        if period and not following:
            raise invalid("crypto_key.next_rotation_time must be set when crypto_key.rotation_period is set.")
        at = datetime.fromisoformat(str(following).replace("Z", "+00:00"))
        now = datetime.fromtimestamp(call.at, UTC)
        if at < now - timedelta(days=1):
            raise invalid("crypto_key.next_rotation_time must be in the future.")
    wait = float(key.get("destroyScheduledDuration", f"{30 * DAY}s").removesuffix("s"))
    if not DAY <= wait <= 120 * DAY:
        raise invalid(f"crypto_key.destroy_scheduled_duration must be from {DAY}s to {120 * DAY}s.")


def _check_id(field: str, id_: str) -> None:
    if not _ID.fullmatch(id_):
        raise invalid(f"{field} must match [a-zA-Z0-9_-]{{1,63}}, got '{id_}'.")


def _location(call: Call) -> None:
    location = call.parameters["parent"].split("/")[3]
    if location not in _LOCATIONS and not capacity.is_region(location):
        raise not_found(f"Location '{location}' not found.")
