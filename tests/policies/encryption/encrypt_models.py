"""Spec of encryption.encrypt_models."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, resource

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1"
GOOGLE_KEY = "projects/acme/locations/us/keyRings/a/cryptoKeys/a"
SPEC_PATH = "encryptionSpec.kmsKeyName"


def _notebook(**props: Any) -> Resource:
    return resource(
        "aws:sagemaker/notebookInstance:NotebookInstance", {"instanceType": "ml.t3.medium", **props}
    )


def _endpoint(machine: Any, **props: Any) -> Resource:
    variant = {"modelName": "ranking", "instanceType": machine, "initialInstanceCount": 1}
    return resource(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        {"productionVariants": [variant], **props},
    )


def _features(**props: Any) -> Resource:
    return resource("aws:sagemaker/featureGroup:FeatureGroup", {"featureGroupName": "clicks", **props})


def _vertex(kind: str, **props: Any) -> Resource:
    return resource(f"gcp:vertex/{kind[0].lower()}{kind[1:]}:{kind}", props)


def _workbench(**setup: Any) -> Resource:
    return resource("gcp:workbench/instance:Instance", {"gceSetup": setup})


DISK = {"diskEncryption": "CMEK", "kmsKey": GOOGLE_KEY}

SPEC = Spec(
    passes={
        "a notebook": _notebook(kmsKeyId=KEY),
        "an endpoint": _endpoint("ml.m5.xlarge", kmsKeyArn=KEY),
        "an endpoint with local storage": _endpoint("ml.g5.xlarge"),
        "a serverless endpoint": _endpoint(None),
        "captured requests with a key": _endpoint(
            None, dataCaptureConfig={"enableCapture": True, "kmsKeyId": KEY}
        ),
        "a capture that is off": _endpoint(None, dataCaptureConfig={"enableCapture": False}),
        "features that are only online": _features(
            onlineStoreConfig={"enableOnlineStore": True, "securityConfig": {"kmsKeyId": KEY}}
        ),
        "a dataset": _vertex("AiDataset", encryptionSpec={"kmsKeyName": GOOGLE_KEY}),
        "a workbench": _workbench(bootDisk=DISK, dataDisks=DISK),
    },
    fails={
        "a notebook with defaults": Fails(_notebook(), "kmsKeyId", "cannot be revoked"),
        "a notebook with a key of AWS": Fails(
            _notebook(kmsKeyId="alias/aws/sagemaker"), "kmsKeyId", "a key of AWS"
        ),
        "a domain": Fails(resource("aws:sagemaker/domain:Domain", {"domainName": "acme"}), "kmsKeyId"),
        "an endpoint with volumes": Fails(_endpoint("ml.c6i.xlarge"), "kmsKeyArn", "volumes"),
        "captured requests": Fails(
            _endpoint(None, dataCaptureConfig={"enableCapture": True, "destinationS3Uri": "s3://acme"}),
            "dataCaptureConfig.kmsKeyId",
            "captured",
        ),
        "features in S3": Fails(
            _features(offlineStoreConfig={"s3StorageConfig": {"s3Uri": "s3://acme"}}),
            "offlineStoreConfig.s3StorageConfig.kmsKeyId",
        ),
        "features that are online": Fails(
            _features(onlineStoreConfig={"enableOnlineStore": True}),
            "onlineStoreConfig.securityConfig.kmsKeyId",
        ),
        "an endpoint of Vertex AI": Fails(_vertex("AiEndpoint", displayName="ranking"), SPEC_PATH),
        "an online store": Fails(_vertex("AiFeatureOnlineStore", name="features"), SPEC_PATH),
        "a runtime of Colab": Fails(
            resource("gcp:colab/runtimeTemplate:RuntimeTemplate", {"displayName": "gpu"}), SPEC_PATH
        ),
        "the disk of a workbench": Fails(_workbench(bootDisk=DISK), "gceSetup.dataDisks.kmsKey"),
    },
    unknown={
        "the key": _notebook(kmsKeyId=UNKNOWN),
        "the machines": _endpoint(UNKNOWN),
        "the key of a dataset": _vertex("AiDataset", encryptionSpec={"kmsKeyName": UNKNOWN}),
    },
)
