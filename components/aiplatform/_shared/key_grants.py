"""The argument `kms_key_grants` of components that take a key that exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pulumi import Input

from aiplatform._shared.args import Problem
from aiplatform._shared.cloud_support import CloudSupport, refused

SUPPORT: Final = CloudSupport(
    aws=refused("a key's policy is one document, which only its owner changes; leave it out", default=True),
    gcp="roles/cloudkms.cryptoKeyEncrypterDecrypter on the key, for service agents of the project",
)
"""What the argument becomes on each cloud."""


@dataclass(frozen=True, kw_only=True)
class KeyGrants:
    """Arguments of a component, or an object of them, with a key that may exist."""

    kms_key_grants: bool = True
    """Google Cloud: whether service agents of the project are granted the use of a key that exists. With
    false its owner has granted it before (docs/bring-your-own.md), and the deployer needs no permission to
    set IAM policies on the key. Default true."""

    def key_grants_problems(self, *existing: Input[str] | None, path: str = "") -> Iterator[Problem]:
        """Yield the problem of false without a key that exists. existing: the arguments that name one. path:
        of the object around them."""
        if not self.kms_key_grants and not any(key is not None for key in existing):
            yield Problem(
                f"{path}.kms_key_grants" if path else "kms_key_grants",
                "got false, without effect: no key that exists encrypts what the component creates; expected "
                "one, or it left out",
            )
