"""No key lies about unused."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided

POLICY = Policy(
    title="Every key is used",
    severity="low",
    description="A key that nothing in the program is encrypted with is either forgotten, and costs a "
    "dollar a month for ever, or was meant for something that is now under the provider's key.",
    remediation="Give the key to what it was made for, or take it out. A key that another program uses is "
    "exported: exempt it by name.",
    frameworks=("NIST 800-53 SC-12",),
)

# What says something of a key and encrypts nothing with it.
_ABOUT_KEYS = (
    "aws:kms/alias:Alias",
    "aws:kms/grant:Grant",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:iam/",
    "gcp:kms/",
    "gcp:projects/",
    "pulumi:",
)
_FOR_DATA = (None, "ENCRYPT_DECRYPT")


@POLICY.on_stack
def on_keys(stack: Stack) -> Iterator[Judgement]:
    """Keys that only aliases, grants and policies speak of."""
    about = {id(each) for each in stack.of(*_ABOUT_KEYS)}
    others = [each for each in stack.resources if id(each) not in about and each.props]
    for key in stack.of("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey"):
        path = "keyUsage" if key.type.startswith("aws:") else "purpose"
        usage = key.said(path)
        if usage is not UNKNOWN and usage not in _FOR_DATA:
            continue
        kin = {key.urn, *(each.urn for each in stack.users_of(key) if each.type == "aws:kms/alias:Alias")}
        if any(kin & set(urns) for each in others for urns in each.property_dependencies.values()):
            continue
        names = {str(key.get(name)) for name in ("arn", "id") if isinstance(key.get(name), str)}
        if any(_speaks_of(each, names) for each in others if each is not key):
            continue
        if usage is UNKNOWN:
            yield Undecided(path)
        else:
            yield Finding("", "encrypts nothing in this program", key)


def _speaks_of(resource: Resource, names: set[str]) -> bool:
    return bool(names) and any(name in str(dict(resource.props)) for name in names)
