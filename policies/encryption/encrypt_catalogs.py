"""The Glue catalog and the files of its jobs are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, check_each, describe
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Glue catalog and jobs with a customer-managed key",
    severity="medium",
    description="The catalog contains column statistics, which are values of the columns, and the passwords "
    "of connections, which it returns in plain text by default. A job without a security configuration "
    "writes spilled rows, logs and bookmarks without a customer-managed key.",
    remediation="Set both parts of DataCatalogEncryptionSettings with a key; give the job a "
    "`securityConfiguration` with SSE-KMS or CSE-KMS for every mode.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_SETTINGS: Final = "dataCatalogEncryptionSettings"
_REST: Final = f"{_SETTINGS}.encryptionAtRest"
_PASSWORDS: Final = f"{_SETTINGS}.connectionPasswordEncryption.returnConnectionPasswordEncrypted"
_KMS: Final = ("SSE-KMS", "CSE-KMS")


def _job_key(part: str, encrypted: str) -> Key:
    path = f"encryptionConfiguration.{part}Encryption"
    return Key(f"{path}.kmsKeyArn", f"{encrypted} of jobs", f"{path}.{part}EncryptionMode", _KMS)


require_customer_keys(
    POLICY,
    {
        "aws:glue/securityConfiguration:SecurityConfiguration": (
            _job_key("cloudwatch", "logs"),
            _job_key("jobBookmarks", "bookmarks"),
            _job_key("s3", "files"),
        )
    },
)


@POLICY.on("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings")
def on_catalogs(resource: Resource) -> Iterator[Outcome]:
    """The settings of the account's catalog in a region."""
    yield from check_each([f"{_REST}.catalogEncryptionMode"], _check_catalog, resource)
    if resource.known(_PASSWORDS) is not True:
        yield Violation(_PASSWORDS, "is false, so read access to a connection discloses its password")


def _check_catalog(path: str, resource: Resource) -> Iterator[Outcome]:
    mode = resource.known(path)
    if mode in (None, "DISABLED"):
        yield Violation(path, f"{describe(mode)}, so the metadata of tables have no key")
    else:
        yield from customer_key(resource, f"{_REST}.sseAwsKmsKeyId", "the metadata of tables")


@POLICY.on("aws:glue/job:Job")
def on_jobs(resource: Resource) -> Iterator[Outcome]:
    """Jobs without a security configuration."""
    if not resource.known("securityConfiguration"):
        yield Violation(
            "securityConfiguration", "is not set, so the files of the job have no customer-managed key"
        )
