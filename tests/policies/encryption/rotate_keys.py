"""Spec of encryption.rotate_keys."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource


def _aws(**props: Any) -> Resource:
    return resource("aws:kms/key:Key", {"description": "data", **props})


def _google(**props: Any) -> Resource:
    return resource("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "a", **props})


SPEC = Spec(
    passes={
        "a key that rotates": _aws(enableKeyRotation=True),
        "a key pair, which cannot": _aws(customerMasterKeySpec="ECC_NIST_P256", keyUsage="SIGN_VERIFY"),
        "every 90 days": _google(rotationPeriod="7776000s"),
        "a signing key, which cannot": _google(purpose="ASYMMETRIC_SIGN"),
    },
    fails={
        "a key with defaults": Fails(_aws(), "enableKeyRotation", "is not set"),
        "a key that does not": Fails(_aws(enableKeyRotation=False), "enableKeyRotation"),
        "a key with defaults on Google Cloud": Fails(_google(), "rotationPeriod", "is not set"),
        "once a year": Fails(_google(rotationPeriod="31536000s"), "rotationPeriod", "more than 90 days"),
    },
    unknown={
        "a flag that is unknown": _aws(enableKeyRotation=UNKNOWN),
        "a period that is unknown": _google(rotationPeriod=UNKNOWN),
    },
    configured={
        "a year is enough": Case(_google(rotationPeriod="31536000s"), {"google_days": 366}, fails=False),
        "a month at most": Case(_google(rotationPeriod="7776000s"), {"google_days": 30}, fails=True),
    },
)
