"""Keys change regularly."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Keys rotate",
    severity="medium",
    description="A symmetric key gets new material by itself, so that what leaks of one opens little. AWS "
    "does it yearly, and only when asked; Google Cloud does it as often as it is told, and else never.",
    remediation="Set `enableKeyRotation: true` on AWS, and a `rotationPeriod` on Google Cloud (`7776000s` "
    "is 90 days).",
    frameworks=("CIS AWS 3.6", "CIS GCP 1.10", "NIST 800-53 SC-12"),
    options={
        "google_days": Option(
            {"type": "integer", "minimum": 1}, 90, "The longest time between two versions on Google Cloud."
        )
    },
)


@POLICY.on("aws:kms/key:Key")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Symmetric keys for encryption; AWS rotates neither asymmetric nor HMAC keys."""
    spec, usage = resource.get("customerMasterKeySpec"), resource.get("keyUsage")
    asked = resource.get("enableKeyRotation")
    if spec not in (None, UNKNOWN, "SYMMETRIC_DEFAULT") or usage not in (None, UNKNOWN, "ENCRYPT_DECRYPT"):
        return
    if UNKNOWN in (spec, usage, asked):
        yield Undecided("enableKeyRotation")
    elif asked is not True:
        yield Finding("enableKeyRotation", "is not set, so the key keeps its first material for ever")


@POLICY.on("gcp:kms/cryptoKey:CryptoKey")
def on_google(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Keys for encryption, which are the only ones that Google rotates."""
    purpose, period = resource.get("purpose"), resource.get("rotationPeriod")
    if purpose not in (None, UNKNOWN, "ENCRYPT_DECRYPT"):
        return
    if UNKNOWN in (purpose, period):
        yield Undecided("rotationPeriod")
    elif period is None:
        yield Finding("rotationPeriod", "is not set, so the key never gets a new version")
    elif float(str(period).removesuffix("s")) > options["google_days"] * 86400:
        yield Finding("rotationPeriod", f"is {period!r}, more than {options['google_days']} days")
