"""Administrators of a key do not use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from ..framework import Deferred, Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.google_bindings import members
from ..framework.policy_documents import Principal, Statement, allowed_statements

POLICY = Policy(
    title="Separation of duties for keys",
    severity="medium",
    description="An identity that can change the policy of a key or delete it should not decrypt with it, "
    "and one that decrypts should not delete it: otherwise one stolen identity can do both. The account "
    "itself is in the policy of a key so that IAM decides.",
    remediation="Give a role the actions that it needs (kms:Decrypt, kms:GenerateDataKey, or the "
    "administrator's) instead of kms:*; on Google Cloud give cloudkms.admin and "
    "cryptoKeyEncrypterDecrypter to different identities.",
    frameworks=("CIS GCP 1.11", "NIST 800-53 AC-5", "NIST 800-53 SC-12"),
)

_ADMINISTRATOR: Final = "roles/cloudkms.admin"
_USERS: Final = (
    "roles/cloudkms.cryptoKeyDecrypter",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
)
_BINDINGS: Final = ("gcp:kms/", "gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")


@POLICY.on("aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy", "aws:kms/externalKey:ExternalKey")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow every action on a key to a role or a user."""
    yield from check_each(allowed_statements(resource, "policy"), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if any_of(statement.entries("Action"), lambda action: action.known() in ("kms:*", "*")):
        yield from check_each(statement.principals, _check_principal)


def _check_principal(principal: Principal) -> Iterator[Outcome]:
    value = str(Entry(principal.path, principal.value).known())
    if principal.kind == "AWS" and (":role/" in value or ":user/" in value):
        yield Violation(principal.path, f"allows {value!r} to administer the key and to use it")


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Outcome]:
    """Identities that administer keys and use them."""
    bindings = stack.of(*_BINDINGS)
    users = [binding for binding in bindings if binding.raw("role") in _USERS]
    uses = [member for binding in users for member in members(binding)]
    yield from check_each(bindings, _check_binding, uses)


def _check_binding(binding: Resource, uses: Collection[Entry | Deferred]) -> Iterator[Outcome]:
    if binding.known("role") == _ADMINISTRATOR:
        yield from check_each(members(binding), _check_administrator, uses)


def _check_administrator(administrator: Entry, uses: Collection[Entry | Deferred]) -> Iterator[Outcome]:
    member: Any = administrator.known()
    if any_of(uses, lambda user: user.known() == member):
        yield Violation(administrator.path, f"makes {member!r} an administrator of keys that it also uses")
