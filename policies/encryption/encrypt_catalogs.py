"""What the Glue catalog and its jobs keep is encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Glue's catalog and jobs under a customer's key",
    severity="medium",
    description="The catalog holds statistics of columns, which are values of them, and passwords of "
    "connections, which it tells in the clear unless it is told not to. A job without a security "
    "configuration leaves spilled rows, logs and bookmarks under no key of one's own.",
    remediation="Set both parts of DataCatalogEncryptionSettings with a key; give the job a "
    "`securityConfiguration` of which every mode is SSE-KMS or CSE-KMS.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_SETTINGS: Final = "dataCatalogEncryptionSettings"
_REST: Final = f"{_SETTINGS}.encryptionAtRest"
_PASSWORDS: Final = f"{_SETTINGS}.connectionPasswordEncryption"
_JOBS: Final = "encryptionConfiguration"
_PARTS: Final = {
    "cloudwatchEncryption.cloudwatchEncryptionMode": "logs",
    "jobBookmarksEncryption.jobBookmarksEncryptionMode": "bookmarks",
    "s3Encryption.s3EncryptionMode": "files",
}


@POLICY.on("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings")
def on_catalogs(resource: Resource) -> Iterator[Judgement]:
    """The settings of the account's catalog in a region."""
    mode = resource.get(f"{_REST}.catalogEncryptionMode")
    if mode is UNKNOWN:
        yield Undecided(f"{_REST}.catalogEncryptionMode")
    elif mode in (None, "DISABLED"):
        yield Finding(f"{_REST}.catalogEncryptionMode", "is 'DISABLED', so tables' metadata are under no key")
    else:
        yield from customer_key(resource, f"{_REST}.sseAwsKmsKeyId", "tables' metadata")
    kept = resource.get(f"{_PASSWORDS}.returnConnectionPasswordEncrypted")
    if kept is UNKNOWN:
        yield Undecided(f"{_PASSWORDS}.returnConnectionPasswordEncrypted")
    elif kept is not True:
        yield Finding(
            f"{_PASSWORDS}.returnConnectionPasswordEncrypted",
            "is false, so whoever reads a connection reads its password",
        )


@POLICY.on("aws:glue/securityConfiguration:SecurityConfiguration")
def on_configurations(resource: Resource) -> Iterator[Judgement]:
    """What jobs write beside their tables."""
    for path, what in _PARTS.items():
        where = f"{_JOBS}.{path}"
        mode = resource.get(where)
        if mode is UNKNOWN:
            yield Undecided(where)
        elif mode not in ("SSE-KMS", "CSE-KMS"):
            said = f"is {mode!r}" if mode else "is not set"
            yield Finding(where, f"{said}, so {what} of jobs are under no key of one's own")
        else:
            part = path.partition(".")[0]
            yield from customer_key(resource, f"{_JOBS}.{part}.kmsKeyArn", f"{what} of jobs")


@POLICY.on("aws:glue/job:Job")
def on_jobs(resource: Resource) -> Iterator[Judgement]:
    """Jobs without any; one that is not known yet is one."""
    if resource.get("securityConfiguration") in (None, ""):
        yield Finding("securityConfiguration", "is not set, so what the job spills is under no key")
