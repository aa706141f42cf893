"""Spec of encryption.encrypt_results."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
_OPTION = "configuration.resultConfiguration.encryptionConfiguration.encryptionOption"


def _group(**encryption: Any) -> Resource:
    result = {"outputLocation": "s3://acme/results/", "encryptionConfiguration": encryption}
    return resource("aws:athena/workgroup:Workgroup", {"configuration": {"resultConfiguration": result}})


def _managed(**encryption: Any) -> Resource:
    managed = {"enabled": True, "encryptionConfiguration": encryption}
    return resource(
        "aws:athena/workgroup:Workgroup", {"configuration": {"managedQueryResultsConfiguration": managed}}
    )


def _images(**props: Any) -> Resource:
    return resource("gcp:artifactregistry/repository:Repository", {"format": "DOCKER", **props})


SPEC = Spec(
    passes={
        "results with a key": _group(encryptionOption="SSE_KMS", kmsKeyArn=_KEY),
        "results that Athena keeps, with a key": _managed(kmsKey=_KEY),
        "a repository with a key": resource(
            "aws:ecr/repository:Repository", {"encryptionConfigurations": [{"kmsKey": _KEY}]}
        ),
        "a virtual repository": _images(mode="VIRTUAL_REPOSITORY"),
        "a dataset with a key": resource(
            "gcp:bigquery/dataset:Dataset", {"defaultEncryptionConfiguration": {"kmsKeyName": "projects/a"}}
        ),
    },
    fails={
        "a workgroup with defaults": Fails(
            resource("aws:athena/workgroup:Workgroup", {"name": "a"}), _OPTION, "is not set"
        ),
        "results with S3's key": Fails(_group(encryptionOption="SSE_S3"), _OPTION, "'SSE_S3'"),
        "results that Athena keeps": Fails(
            _managed(), "configuration.managedQueryResultsConfiguration.encryptionConfiguration.kmsKey"
        ),
        "a repository with defaults": Fails(
            resource("aws:ecr/repository:Repository", {"name": "a"}), "encryptionConfigurations[0].kmsKey"
        ),
        "a dataset with defaults": Fails(
            resource("gcp:bigquery/dataset:Dataset"), "defaultEncryptionConfiguration.kmsKeyName"
        ),
        "a repository with defaults on Google Cloud": Fails(_images(), "kmsKeyName"),
    },
    unknown={
        "a workgroup": resource("aws:athena/workgroup:Workgroup", {"configuration": UNKNOWN}),
        "an option": _group(encryptionOption=UNKNOWN),
        "a key": _images(kmsKeyName=UNKNOWN),
        "a repository's": resource("aws:ecr/repository:Repository", {"encryptionConfigurations": UNKNOWN}),
    },
)
