"""Spec of encryption.use_every_key."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, awaiting, resource, stack

_ARN = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
_KEY = resource("aws:kms/key:Key", {"description": "data"}, name="key")
_NAMED = resource("aws:kms/key:Key", {"arn": _ARN}, name="key")
_GOOGLE = resource("gcp:kms/cryptoKey:CryptoKey", {"name": "data"}, name="key")
_ALIAS = resource("aws:kms/alias:Alias", {"name": "alias/data"}, name="alias")
_MEMBER = resource("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"role": "a"}, name="member")


def _group(key: Any) -> Resource:
    return resource("aws:cloudwatch/logGroup:LogGroup", {"kmsKeyId": key}, name="logs")


SPEC = Spec(
    passes={
        "a key of a log group": stack(
            _KEY, _ALIAS, _group(UNKNOWN), uses={"alias": ["key"], "logs": ["key"]}
        ),
        "a key by its arn": Stack([_NAMED, _group(_ARN)]),
        "a key by its alias": stack(
            _KEY, _ALIAS, _group("alias/data"), uses={"alias": ["key"], "logs": ["alias"]}
        ),
        "a key that signs": Stack([resource("aws:kms/key:Key", {"keyUsage": "SIGN_VERIFY"})]),
        "a key of Google's that signs": Stack(
            [resource("gcp:kms/cryptoKey:CryptoKey", {"purpose": "ASYMMETRIC_SIGN"})]
        ),
    },
    fails={
        "a key and its alias": Fails(
            stack(_KEY, _ALIAS, uses={"alias": ["key"]}), "", "encrypts nothing", "key"
        ),
        "a key next to another's data": Fails(
            Stack([_NAMED, _group("arn:aws:kms:::key/other")]), "", of="key"
        ),
        "a key next to what the cloud will choose one for": Fails(
            Stack([_KEY, resource("aws:rds/instance:Instance", {"kmsKeyId": UNKNOWN}, name="database")]),
            "",
            of="key",
        ),
        "a key with its policy": Fails(
            stack(_GOOGLE, _MEMBER, uses={"member": ["key"]}), "", "encrypts nothing", "key"
        ),
    },
    unknown={"what a key is for": Stack([awaiting("aws:kms/key:Key", "keyUsage")])},
)
