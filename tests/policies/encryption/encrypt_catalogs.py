"""Spec of encryption.encrypt_catalogs."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


def _settings(mode: Any = "SSE-KMS", key: Any = _KEY, passwords: Any = True) -> Resource:
    rest = {"catalogEncryptionMode": mode, **({} if key is None else {"sseAwsKmsKeyId": key})}
    hidden = {"returnConnectionPasswordEncrypted": passwords, "awsKmsKeyId": _KEY}
    return resource(
        "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings",
        {
            "dataCatalogEncryptionSettings": {
                "encryptionAtRest": rest,
                "connectionPasswordEncryption": hidden,
            }
        },
    )


def _jobs(logs: Any = "SSE-KMS", files: Any = "SSE-KMS", key: Any = _KEY) -> Resource:
    return resource(
        "aws:glue/securityConfiguration:SecurityConfiguration",
        {
            "encryptionConfiguration": {
                "cloudwatchEncryption": {"cloudwatchEncryptionMode": logs, "kmsKeyArn": _KEY},
                "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", "kmsKeyArn": _KEY},
                "s3Encryption": {"s3EncryptionMode": files, "kmsKeyArn": key},
            }
        },
    )


def _job(configuration: Any) -> Resource:
    return resource("aws:glue/job:Job", {"name": "quality", "securityConfiguration": configuration})


_REST = "dataCatalogEncryptionSettings.encryptionAtRest"

SPEC = Spec(
    passes={
        "a catalog with a key": _settings(),
        "a catalog with a role of Glue's": _settings("SSE-KMS-WITH-SERVICE-ROLE"),
        "jobs with a key": _jobs(),
        "a job with a configuration": _job("lakehouse"),
        "a job with one that is created by the program": _job(UNKNOWN),
    },
    fails={
        "a catalog without encryption": Fails(
            _settings("DISABLED"), f"{_REST}.catalogEncryptionMode", "'DISABLED'"
        ),
        "a key of AWS": Fails(_settings(key=None), f"{_REST}.sseAwsKmsKeyId", "names no key"),
        "passwords in plain text": Fails(
            _settings(passwords=False),
            "dataCatalogEncryptionSettings.connectionPasswordEncryption.returnConnectionPasswordEncrypted",
            "discloses its password",
        ),
        "logs without encryption": Fails(
            _jobs(logs="DISABLED"),
            "encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode",
            "logs of jobs",
        ),
        "files of which by default": Fails(
            _jobs(files=None), "encryptionConfiguration.s3Encryption.s3EncryptionMode", "is not set"
        ),
        "files with S3's key": Fails(
            _jobs(files="SSE-S3"), "encryptionConfiguration.s3Encryption.s3EncryptionMode", "'SSE-S3'"
        ),
        "files under a key of AWS": Fails(
            _jobs(key=None), "encryptionConfiguration.s3Encryption.kmsKeyArn", "names no key"
        ),
        "a job without any": Fails(_job(None), "securityConfiguration", "not set"),
    },
    unknown={
        "how a catalog is encrypted": _settings(UNKNOWN),
        "a catalog's key": _settings(key=UNKNOWN),
        "whether passwords are encrypted": _settings(passwords=UNKNOWN),
        "how logs are encrypted": _jobs(logs=UNKNOWN),
        "a key of files": _jobs(key=UNKNOWN),
    },
)
