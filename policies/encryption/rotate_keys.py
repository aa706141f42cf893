"""Keys are rotated regularly."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Keys rotate",
    severity="medium",
    description="A symmetric key gets new key material automatically, so that a disclosed one decrypts "
    "little. AWS rotates yearly where rotation is enabled; Google Cloud rotates with the period of the key, "
    "and never without one.",
    remediation="Set `enableKeyRotation: true` on AWS, and a `rotationPeriod` on Google Cloud (`7776000s` "
    "is 90 days).",
    frameworks=("CIS AWS 3.6", "CIS GCP 1.10", "NIST 800-53 SC-12"),
    options={
        "google_days": Option(
            {"type": "integer", "minimum": 1}, 90, "The longest time between two versions on Google Cloud."
        )
    },
)

_SECONDS = 86400


@POLICY.on("aws:kms/key:Key")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Symmetric keys for encryption; AWS rotates neither asymmetric nor HMAC keys."""
    symmetric = {"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT"}
    if any(resource.raw(path) not in (None, UNKNOWN, value) for path, value in symmetric.items()):
        return
    if resource.known("enableKeyRotation") is not True:
        for path in symmetric:
            resource.known(path)
        yield Violation("enableKeyRotation", "is not set, so the key keeps its first key material")


@POLICY.on("gcp:kms/cryptoKey:CryptoKey")
def on_google(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Keys for encryption, the only ones that Google Cloud rotates."""
    if resource.known("purpose") not in (None, "ENCRYPT_DECRYPT"):
        return
    period = resource.known("rotationPeriod")
    if period is None:
        yield Violation("rotationPeriod", "is not set, so the key never gets a new version")
    elif float(str(period).removesuffix("s")) > options["google_days"] * _SECONDS:
        yield Violation("rotationPeriod", f"is {period!r}, more than {options['google_days']} days")
