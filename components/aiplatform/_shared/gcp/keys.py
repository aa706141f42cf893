"""Keys in Cloud KMS, and who may use them."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_gcp import kms

from aiplatform._shared.gcp.apis import Apis

USER: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""Encrypts and decrypts, and nothing else."""
ROTATION: Final = f"{90 * 24 * 3600}s"
"""A new version every 90 days; older ones go on to decrypt what they encrypted."""


def key_ring(
    parent: pulumi.Resource, name: str, project: str, location: str, depends_on: Sequence[pulumi.Resource]
) -> kms.KeyRing:
    """A key ring. A ring can never be deleted, nor its name used again, so each has a name of its own by
    Pulumi's autonaming: a network that is destroyed and made again does not meet the old one's."""
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
    labels: Mapping[str, str],
    *,
    protect: bool = False,
    retain: bool = False,
) -> kms.CryptoKey:
    """A key that is rotated by itself. Deleting it destroys all its versions, and what they encrypted is
    lost: `retain` leaves it to what outlives the component."""
    return kms.CryptoKey(
        name,
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=ROTATION,
        # A month to notice that something still needed it.
        destroy_scheduled_duration=f"{30 * 24 * 3600}s",
        labels=dict(labels) or None,
        # None, not False: what an enclosing component says stays.
        opts=ResourceOptions(parent=parent, protect=protect or None, retain_on_delete=retain or None),
    )


class _Kept(Protocol):
    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def protect(self) -> bool: ...
    @property
    def retain_data(self) -> bool: ...


class _Place(Protocol):
    """A component's context, as far as its key needs it."""

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
    def settings(self) -> _Kept: ...


def data_key(context: _Place) -> kms.CryptoKey:
    """The key of all data of a component, in a ring of its own, protected and retained as its data is."""
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


def let_use(
    parent: pulumi.Resource,
    name: str,
    crypto_key: kms.CryptoKey,
    email: Input[str],
    *,
    retain: bool = False,
) -> kms.CryptoKeyIAMMember:
    """Let a service account use one key, by its email. What is retained needs its key's grant, too."""
    return kms.CryptoKeyIAMMember(
        name,
        crypto_key_id=crypto_key.id,
        role=USER,
        member=pulumi.Output.concat("serviceAccount:", email),
        opts=ResourceOptions(parent=parent, retain_on_delete=retain or None),
    )
