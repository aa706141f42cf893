"""No key lies about unused."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import Finding, Judgement, Policy, Resource, Stack, Undecided, holds_unknown

POLICY = Policy(
    title="Every key is used",
    severity="low",
    description="A key that nothing in the program is encrypted with is either forgotten, and costs a "
    "dollar a "
    "month for ever, or was meant for something that is now under the provider's key.",
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


@POLICY.on_stack
def on_keys(stack: Stack) -> Iterator[Judgement]:
    """Keys that only aliases, grants and policies speak of."""
    about = {id(each) for each in stack.of(*_ABOUT_KEYS)}
    others = [each for each in stack.resources if id(each) not in about and each.props]
    for key in stack.of("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey"):
        if key.type.startswith("aws:") and key.get("keyUsage") in ("SIGN_VERIFY", "GENERATE_VERIFY_MAC"):
            continue
        kin = {key.urn, *(each.urn for each in stack.users_of(key) if each.type == "aws:kms/alias:Alias")}
        if any(kin & set(urns) for each in others for urns in each.property_dependencies.values()):
            continue
        names = {str(key.get(name)) for name in ("arn", "id") if isinstance(key.get(name), str)}
        if any(_speaks_of(each, names) for each in others if each is not key):
            continue
        if any(_might(each) for each in others if each is not key):
            yield Undecided("")
        else:
            yield Finding("", "encrypts nothing in this program", key)


def _speaks_of(resource: Resource, names: set[str]) -> bool:
    return bool(names) and any(name in str(dict(resource.props)) for name in names)


def _might(resource: Resource) -> bool:
    """Whether a property that has a key's name is not known yet, and comes from nowhere in the program."""
    return any(
        "kms" in key.lower() and holds_unknown(value) and not resource.property_dependencies.get(key)
        for key, value in resource.props.items()
    )
