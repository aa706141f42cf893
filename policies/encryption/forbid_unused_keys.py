"""Every key encrypts something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each

POLICY = Policy(
    title="No unused keys",
    severity="low",
    description="A key that encrypts nothing in the program is either left over, and costs a dollar a month, "
    "or was meant for a resource that now has a provider-managed key.",
    remediation="Use the key for the resource that it was created for, or remove it. Exempt a key that "
    "another program uses by its name.",
    frameworks=("NIST 800-53 SC-12",),
)

# Types that configure or describe a key and encrypt nothing with it.
_NOT_ENCRYPTED = (
    "aws:kms/alias:Alias",
    "aws:kms/grant:Grant",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:iam/",
    "gcp:kms/",
    "gcp:projects/",
    "pulumi:",
)
_ENCRYPTION = (None, "ENCRYPT_DECRYPT")


@POLICY.on_stack
def on_keys(stack: Stack) -> Iterator[Outcome]:
    """Keys that only aliases, grants and policies refer to."""
    excluded = {id(resource) for resource in stack.of(*_NOT_ENCRYPTED)}
    users = [resource for resource in stack.resources if id(resource) not in excluded and resource.props]
    yield from check_each(
        stack.of("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey"), _check_key, stack, users
    )


def _check_key(key: Resource, stack: Stack, users: Sequence[Resource]) -> Iterator[Outcome]:
    aliases = (user.urn for user in stack.users_of(key) if user.type == "aws:kms/alias:Alias")
    urns = {key.urn, *aliases}
    if any(urns & set(sources) for user in users for sources in user.property_dependencies.values()):
        return
    names = {value for name in ("arn", "id") if isinstance(value := key.raw(name), str)}
    if any(_mentions(user, names) for user in users if user is not key):
        return
    usage = key.declared("keyUsage" if key.type.startswith("aws:") else "purpose")
    if usage in _ENCRYPTION:
        yield Violation("", "encrypts nothing in this program")


def _mentions(resource: Resource, names: Set[str]) -> bool:
    return bool(names) and any(name in str(dict(resource.props)) for name in names)
