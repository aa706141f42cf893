"""Keys in Cloud KMS, and permissions to use them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import kms

from aiplatform._shared.dependencies import Dependency, after
from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.outputs import Tags, checked, mapped
from aiplatform._shared.secret_names import KEY

USER: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""The role to encrypt and decrypt."""
ROTATION: Final = f"{90 * 24 * 3600}s"
"""A new version every 90 days; older versions still decrypt their data."""


@dataclass(frozen=True)
class Key:
    """A key that a component creates, or that its arguments name.

    id: `projects/.../cryptoKeys/...`. suffix: for names that are reserved after a deletion: random digits of
    the name of a created key, a digest of the id of another one. shared: whether it exists without the
    component, so that other components may use it. grants: whether the component grants its use; otherwise
    the owner of the key has granted it.
    """

    id: Output[str]
    suffix: Output[str]
    shared: bool = False
    grants: bool = True


def existing_key(name: Input[str], path: str, *, grants: bool) -> Key:
    """Return the key that an argument names. path: of the argument, `NetworkArgs.kms_key`. grants: as of
    `kms_key_grants`. Raises ArgumentError for another form; that of an output once it is known."""
    known = Output.from_input(mapped(name, lambda text: checked(text, path, KEY["gcp"])))
    digest = known.apply(lambda text: hashlib.sha256(text.encode()).hexdigest()[:7])
    return Key(known, digest, shared=True, grants=grants)


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
) -> Key:
    """Create a key with automatic rotation. Deleting it destroys all its versions, and the data that they
    encrypted is lost. retain: whether it stays when the component is destroyed."""
    created = kms.CryptoKey(
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
    return Key(created.id, created.name.apply(lambda unique: unique.rpartition("-")[2]))


class _DataSettings(Protocol):
    @property
    def kms_key(self) -> Input[str] | None: ...
    @property
    def kms_key_grants(self) -> bool: ...
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


def data_key(context: _KeyContext) -> Key:
    """Return the key of a component's data: the one that its arguments name, or else a new one in a separate
    ring, protected and retained like the data."""
    settings = context.settings
    if settings.kms_key is not None:
        component = type(settings).__name__.removesuffix("Settings")
        path = f"{component}Args.kms_key"
        return existing_key(settings.kms_key, path, grants=settings.kms_key_grants)
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
    parent: pulumi.Resource, name: str, crypto_key: Key, email: Input[str], *, retain: bool = False
) -> Dependency:
    """Grant a service account the use of a key. retain: whether the grant stays, as retained data needs it.
    Returns what is encrypted by the key depends on, as of `grant_member_key_use`."""
    member = Output.concat("serviceAccount:", email)
    return grant_member_key_use(parent, name, crypto_key, member, retain=retain)


def grant_member_key_use(
    parent: pulumi.Resource,
    name: str,
    crypto_key: Key,
    member: Input[str],
    *,
    depends_on: Sequence[Dependency] = (),
    retain: bool = False,
) -> Dependency:
    """Grant a principal of IAM the use of a key, and return what a resource that the key encrypts depends on.

    The grant on a key that exists without the component always stays: a service agent has one for all
    components of the project that use the key, and data of the others is unreadable without it. Where the
    owner of the key has granted its use, the result has the dependencies that the grant would have: the
    principal, which a resource or a call creates, and `depends_on`.
    """
    if not crypto_key.grants:
        principal = after(Output.from_input(member), *depends_on)
        return cast("Output[pulumi.Resource]", principal.apply(lambda _: None))
    return kms.CryptoKeyIAMMember(
        name,
        crypto_key_id=crypto_key.id,
        role=USER,
        member=member,
        opts=ResourceOptions(
            parent=parent,
            depends_on=list(depends_on) or None,
            retain_on_delete=True if retain or crypto_key.shared else None,
        ),
    )
