"""Keys in Cloud KMS, and who may use them."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_gcp import kms

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
