"""Keys in Cloud KMS, and permissions to use them."""

from collections.abc import Sequence
from typing import Final, Protocol

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_gcp import kms

from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.outputs import Tags

USER: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""The role to encrypt and decrypt."""
ROTATION: Final = f"{90 * 24 * 3600}s"
"""A new version every 90 days; older versions still decrypt their data."""


def key_ring(
    parent: pulumi.Resource, name: str, project: str, location: str, depends_on: Sequence[pulumi.Resource]
) -> kms.KeyRing:
    """Create a key ring. A ring can never be deleted, nor its name reused, so it has a unique name by
    Pulumi's autonaming: a component that is destroyed and created again gets a new one."""
    return kms.KeyRing(
        name,
        project=project,
        location=location,
        opts=ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )


def key(
    parent: pulumi.Resource,
    name: str,
    ring: kms.KeyRing,
    labels: Tags,
    *,
    protect: bool = False,
    retain: bool = False,
) -> kms.CryptoKey:
    """Create a key with automatic rotation. Deleting it destroys all its versions, and the data that they
    encrypted is lost. retain: whether it stays when the component is destroyed."""
    return kms.CryptoKey(
        name,
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=ROTATION,
        # A month to restore a key that is still needed.
        destroy_scheduled_duration=f"{30 * 24 * 3600}s",
        labels=labels or None,
        # None, not False: an enclosing component's option applies.
        opts=ResourceOptions(parent=parent, protect=protect or None, retain_on_delete=retain or None),
    )


class _DataSettings(Protocol):
    @property
    def tags(self) -> Tags: ...
    @property
    def protect(self) -> bool: ...
    @property
    def retain_data(self) -> bool: ...


class _KeyContext(Protocol):
    """The part of a component's context that its key needs."""

    @property
    def parent(self) -> pulumi.ComponentResource: ...
    @property
    def name(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def apis(self) -> Apis: ...
    @property
    def settings(self) -> _DataSettings: ...


def data_key(context: _KeyContext) -> kms.CryptoKey:
    """Create the key of a component's data in a separate ring, protected and retained like the data."""
    settings = context.settings
    ring = key_ring(
        context.parent, f"{context.name}-keys", context.project, context.region, [context.apis["cloudkms"]]
    )
    return key(
        context.parent,
        f"{context.name}-key",
        ring,
        settings.tags,
        protect=settings.protect,
        retain=settings.retain_data,
    )


def grant_key_use(
    parent: pulumi.Resource,
    name: str,
    crypto_key: kms.CryptoKey,
    email: Input[str],
    *,
    retain: bool = False,
) -> kms.CryptoKeyIAMMember:
    """Grant a service account the use of a key. retain: whether the grant stays, as retained data needs
    it."""
    return kms.CryptoKeyIAMMember(
        name,
        crypto_key_id=crypto_key.id,
        role=USER,
        member=pulumi.Output.concat("serviceAccount:", email),
        opts=ResourceOptions(parent=parent, retain_on_delete=retain or None),
    )
