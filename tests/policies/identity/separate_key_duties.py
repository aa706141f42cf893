"""Spec of identity.separate_key_duties."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource, stack


def _key(principal: Any, *actions: str) -> Any:
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return resource("aws:kms/key:Key", {"policy": json.dumps({"Statement": [statement]})})


def _member(role: str, member: Any, name: str) -> Any:
    return resource(
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"role": role, "member": member}, name=name
    )


_SERVER = "serviceAccount:server@acme.iam.gserviceaccount.com"
_ADMIN, _USE = "roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypterDecrypter"

SPEC = Spec(
    passes={
        "the account": _key({"AWS": "arn:aws:iam::111122223333:root"}, "kms:*"),
        "a role that decrypts": _key({"AWS": "arn:aws:iam::111122223333:role/server"}, "kms:Decrypt"),
        "two on Google Cloud": stack(
            _member(_ADMIN, "group:security@acme.example", "admin"), _member(_USE, _SERVER, "use")
        ),
    },
    fails={
        "a role with all of a key": Fails(
            _key({"AWS": ["arn:aws:iam::111122223333:role/server"]}, "kms:*"),
            "policy.Statement[0].Principal.AWS[0]",
            "role/server",
        ),
        "one on Google Cloud that does both": Fails(
            stack(_member(_ADMIN, _SERVER, "admin"), _member(_USE, _SERVER, "use")),
            "member",
            "administrator",
            of="admin",
        ),
    },
    unknown={
        "a policy that is unknown": resource("aws:kms/key:Key", {"policy": UNKNOWN}),
        "an administrator that does not exist yet": stack(_member(_ADMIN, UNKNOWN, "admin")),
    },
)
