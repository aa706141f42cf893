"""Spec of identity.forbid_long_lived_keys."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_SECRET = "kubernetes:core/v1:Secret"

SPEC = Spec(
    passes={
        "a Secret": resource(_SECRET, {"type": "Opaque"}),
        "a key that is turned off before it is deleted": resource(
            "aws:iam/accessKey:AccessKey", {"user": "ci", "status": "Inactive"}
        ),
    },
    fails={
        "a user": Fails(resource("aws:iam/user:User", {"name": "ci"}), ""),
        "a user's access key": Fails(
            resource("aws:iam/accessKey:AccessKey", {"user": "ci"}), "", "access key"
        ),
        "a service account's key": Fails(
            resource("gcp:serviceaccount/key:Key", {"serviceAccountId": "ci"}), "", "service account"
        ),
        "an HMAC key": Fails(resource("gcp:storage/hmacKey:HmacKey", {"serviceAccountEmail": "a@b.c"}), ""),
        "a token that does not expire": Fails(
            resource(_SECRET, {"type": "kubernetes.io/service-account-token"}), "type", "does not expire"
        ),
    },
    unknown={"a Secret of a type that is unknown": resource(_SECRET, {"type": UNKNOWN})},
)
