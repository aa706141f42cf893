"""A reference to a model store, with the same keys as the outputs of ModelStore, so that they can be passed
on unchanged."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from pulumi import Input

from aiplatform._shared.args import Problem
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.outputs import mapped
from aiplatform._shared.references.inputs import ModelStoreReferenceArgs as ModelStoreReferenceArgs

IMPORTS: Final = "imports"
"""The folder of the releases bucket for imported models; no team has this name."""
NAMESPACE: Final = "release"
"""The namespace of promotions and imports; no team has it."""
CHECKPOINTS_URI: Final = "CHECKPOINTS_URI"
RELEASES_URI: Final = "RELEASES_URI"
"""Environment variables of Pods, in the ConfigMaps of teams and of promotions."""


@dataclass(frozen=True)
class ModelStoreReference:
    """A model store, as in ModelStore.outputs."""

    may_be_output: ClassVar[bool] = True
    passed_on: ClassVar[Collection[str]] = ModelStoreReferenceArgs.__annotations__.keys()

    checkpoints_bucket: Input[str]
    """The bucket of checkpoints. Each namespace has a prefix, `NAMESPACE/`."""
    releases_bucket: Input[str]
    """The bucket of releases. Each team has a prefix, `TEAM/`."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    kms_key: Input[str] | None = None
    """AWS, and required there: the arn of the key of the releases."""
    checkpoints_key: Input[str] | None = None
    """AWS, and required there: the arn of the key of the checkpoints."""

    def check(self) -> Iterator[Problem]:
        """Return the keys that are required on AWS and missing."""
        if self.cloud != "aws":
            return
        for key in ("kms_key", "checkpoints_key"):
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the store's {key} as in ModelStore.outputs")

    def uri(self, bucket: Input[str], path: str = "") -> Input[str]:
        """Return the URI of a bucket, or of a prefix in it."""
        scheme = "s3" if self.cloud == "aws" else "gs"
        return mapped(bucket, lambda name: f"{scheme}://{name}{f'/{path}' if path else ''}")
