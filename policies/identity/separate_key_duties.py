"""Who rules a key, does not read with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.principals import members, principals
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="Duties about keys are separate",
    severity="medium",
    description="Who may change a key's policy or delete it should not decrypt with it, and who decrypts "
    "should not delete: one stolen identity would do both. The account itself stands in a "
    "key's policy so that IAM decides.",
    remediation="Give a role the actions that it needs (kms:Decrypt, kms:GenerateDataKey, or the "
    "administrator's) instead of kms:*; on Google Cloud give cloudkms.admin and "
    "cryptoKeyEncrypterDecrypter to different identities.",
    frameworks=("CIS GCP 1.11", "NIST 800-53 AC-5", "NIST 800-53 SC-12"),
)

_ADMINISTERS: Final = "roles/cloudkms.admin"
_USES: Final = (
    "roles/cloudkms.cryptoKeyDecrypter",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
)
_BINDINGS: Final = ("gcp:kms/", "gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")


@POLICY.on("aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy", "aws:kms/externalKey:ExternalKey")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that give all of a key to a role or a user."""
    for statement in statements(resource, "policy"):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows and any(action in ("kms:*", "*") for _, action in statement.listed("Action")):
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    for path, kind, who in principals(statement):
        if who is UNKNOWN:
            yield Undecided(path)
        elif kind == "AWS" and isinstance(who, str) and any(part in who for part in (":role/", ":user/")):
            yield Finding(path, f"gives all of the key to {who!r}, which rules it and reads with it")


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Judgement]:
    """Identities that are the administrator of keys and use them."""
    bindings = stack.of(*_BINDINGS)
    users = {member for each in bindings if each.get("role") in _USES for _, member in members(each)}
    for binding in bindings:
        if binding.get("role") == _ADMINISTERS:
            for path, member in members(binding):
                yield from _both(path, member, users, binding)


def _both(path: str, member: Any, users: set[Any], binding: Resource) -> Iterator[Judgement]:
    if member is UNKNOWN:
        yield Undecided(path)
    elif member in users:
        yield Finding(path, f"makes {member!r} the administrator of keys that it also uses", binding)
