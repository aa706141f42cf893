"""Notebooks, endpoints and features are encrypted with a customer-managed key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, any_of
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Notebooks and endpoints with a customer-managed key",
    severity="medium",
    description="The disks of notebooks and endpoints contain data, models and credentials, and the "
    "resources of Vertex AI contain copies of training data and features. With a customer-managed key, the "
    "key's policy decides who can read them, and every use of it is logged.",
    remediation="Set `kmsKeyId` or `kmsKeyArn` on SageMaker, `encryptionSpec.kmsKeyName` on Vertex AI, and "
    "`diskEncryption: CMEK` with `kmsKey` for the disks of a workbench.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_SPEC: Final = "encryptionSpec.kmsKeyName"
_WORKBENCH: Final = "gceSetup"
# Instance types with local storage, for which SageMaker refuses a key: the storage encrypts itself.
_LOCAL_STORAGE: Final = re.compile(r"ml\.(?:[a-z]+\d[a-z]*d[a-z]*|g4dn|g5|g6e?|gr6|p5|p6\S*|trn\d\w*)\.")

require_customer_keys(
    POLICY,
    {
        "aws:sagemaker/notebookInstance:NotebookInstance": Key("kmsKeyId", "the files of the notebook"),
        "aws:sagemaker/domain:Domain": Key("kmsKeyId", "the files of its users"),
        "aws:sagemaker/featureGroup:FeatureGroup": (
            Key(
                "onlineStoreConfig.securityConfig.kmsKeyId",
                "features",
                unless={"onlineStoreConfig.enableOnlineStore": (None, False)},
            ),
            Key(
                "offlineStoreConfig.s3StorageConfig.kmsKeyId",
                "features",
                unless={"offlineStoreConfig": (None,)},
            ),
        ),
        "gcp:vertex/aiEndpoint:AiEndpoint": Key(_SPEC, "its models"),
        "gcp:vertex/aiDataset:AiDataset": Key(_SPEC, "its data"),
        "gcp:vertex/aiTensorboard:AiTensorboard": Key(_SPEC, "its experiments"),
        "gcp:vertex/aiFeatureStore:AiFeatureStore": Key(_SPEC, "features"),
        "gcp:vertex/aiIndex:AiIndex": Key(_SPEC, "its vectors"),
        "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": Key(_SPEC, "its vectors"),
        "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": Key(_SPEC, "features"),
        "gcp:colab/runtimeTemplate:RuntimeTemplate": Key(_SPEC, "the disks of its notebooks"),
        "gcp:workbench/instance:Instance": (
            Key(f"{_WORKBENCH}.bootDisk.kmsKey", "the files of the notebook"),
            Key(f"{_WORKBENCH}.dataDisks.kmsKey", "the files of the notebook"),
        ),
    },
)


@POLICY.on("aws:sagemaker/endpointConfiguration:EndpointConfiguration")
def on_endpoints(resource: Resource) -> Iterator[Outcome]:
    """Endpoints with volumes."""
    if any_of(resource.entries("productionVariants"), _has_volume):
        yield from customer_key(resource, "kmsKeyArn", "the volumes of its instances")
    if resource.known("dataCaptureConfig.enableCapture") is True:
        yield from customer_key(resource, "dataCaptureConfig.kmsKeyId", "captured requests and answers")


def _has_volume(variant: Entry) -> bool:
    machine = variant.known("instanceType")
    # A variant without a machine type is serverless.
    return isinstance(machine, str) and not _LOCAL_STORAGE.match(machine)
