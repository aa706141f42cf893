"""Cloud KMS: what is encrypted is decrypted by the same key alone, in any of its enabled versions."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION

RING = f"projects/{PROJECT}/locations/{REGION}/keyRings/ring"


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.fixture
def keys(google: ApiServer) -> Any:
    """The keys of a ring that has two."""
    rings = api_servers.client(google, "cloudkms").projects().locations().keyRings()
    rings.create(parent=RING.rpartition("/keyRings/")[0], keyRingId="ring", body={}).execute()
    for name in ("one", "other"):
        body = {"purpose": "ENCRYPT_DECRYPT"}
        rings.cryptoKeys().create(parent=RING, cryptoKeyId=name, body=body).execute()
    return rings.cryptoKeys()


def encrypt(keys: Any, plaintext: bytes, **more: bytes) -> dict[str, Any]:
    body = {"plaintext": encoded(plaintext), **{key: encoded(value) for key, value in more.items()}}
    return keys.encrypt(name=f"{RING}/cryptoKeys/one", body=body).execute()


def test_a_key_decrypts_what_it_encrypted(keys: Any) -> None:
    name = f"{RING}/cryptoKeys/one"
    first = encrypt(keys, b"s3cret")
    assert first["name"] == f"{name}/cryptoKeyVersions/1"
    assert base64.b64decode(first["ciphertext"]).find(b"s3cret") == -1
    assert encrypt(keys, b"s3cret")["ciphertext"] != first["ciphertext"], "each time another"
    body = {"ciphertext": first["ciphertext"]}
    assert base64.b64decode(keys.decrypt(name=name, body=body).execute()["plaintext"]) == b"s3cret"


def test_another_key_another_context_and_another_text_are_refused(keys: Any) -> None:
    ciphertext = encrypt(keys, b"s3cret", additionalAuthenticatedData=b"stack")["ciphertext"]
    name = f"{RING}/cryptoKeys/one"
    right = {"ciphertext": ciphertext, "additionalAuthenticatedData": encoded(b"stack")}
    assert keys.decrypt(name=name, body=right).execute()["plaintext"] == encoded(b"s3cret")
    wrong = (
        (f"{RING}/cryptoKeys/other", right),
        (name, {"ciphertext": ciphertext}),
        (name, {**right, "ciphertext": encoded(b"\0\0\0\1" + bytes(40))}),
        (name, {**right, "ciphertext": encoded(b"x")}),
    )
    for key, body in wrong:
        refused = api_servers.refused(keys.decrypt(name=key, body=body))
        assert (refused.code, "Decryption failed" in refused.message) == (400, True)


def test_a_disabled_version_decrypts_nothing(keys: Any) -> None:
    ciphertext = encrypt(keys, b"s3cret")["ciphertext"]
    name = f"{RING}/cryptoKeys/one"
    version = {"name": f"{name}/cryptoKeyVersions/1", "updateMask": "state"}
    keys.cryptoKeyVersions().patch(**version, body={"state": "DISABLED"}).execute()
    refused = api_servers.refused(keys.decrypt(name=name, body={"ciphertext": ciphertext}))
    assert (refused.code, "is not enabled" in refused.message) == (400, True)


def test_the_right_to_use_a_key_is_one_of_its_own(google: ApiServer, keys: Any) -> None:
    name, who = f"{RING}/cryptoKeys/one", "serviceAccount:ci@elsewhere.iam.gserviceaccount.com"
    token = google.identity.token(who)
    theirs = (
        api_servers.client(google, "cloudkms", token=token).projects().locations().keyRings().cryptoKeys()
    )
    request = {"name": name, "body": {"plaintext": encoded(b"x")}}

    def grant(role: str) -> None:
        policy = {"bindings": [{"role": role, "members": [who]}]}
        keys.setIamPolicy(resource=name, body={"policy": policy}).execute()

    grant("roles/cloudkms.admin")
    refused = api_servers.refused(theirs.encrypt(**request))
    assert refused.code == 403
    assert "cloudkms.cryptoKeyVersions.useToEncrypt" in refused.message, "who manages a key uses it not"
    grant("roles/cloudkms.cryptoKeyEncrypterDecrypter")
    assert theirs.encrypt(**request).execute()["ciphertext"]
