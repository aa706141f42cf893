"""The principals of grants: one entry for each, however many grants it has."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pulumi import Input, Output

from aiplatform._args import is_unknown
from aiplatform._principals import own_role, reserved
from aiplatform.lakehouse.aws_context import Context
from aiplatform.lakehouse.aws_names import WORKGROUP
from aiplatform.lakehouse.grants import GrantSettings

_DIGEST: Final = 8
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9._-]")
"""What a role's name may have and a workgroup's may not (Athena API reference, WorkGroup: Name)."""


@dataclass(frozen=True)
class Principal:
    """A principal that grants name. key: its part of logical names. local: whether it is a role of this
    account, to which policies can be attached; one that only the engine knows is taken for one, as
    it is created by the same program."""

    key: str
    arn: Input[str]
    local: bool
    grants: list[GrantSettings] = field(default_factory=list[GrantSettings])

    @property
    def gets_policy(self) -> bool:
        """Whether a policy is put on it: on a role of this account, except one that AWS alone may change."""
        return self.local and (is_unknown(self.arn) or not reserved(str(self.arn)))

    @property
    def writes(self) -> bool:
        """Whether a grant lets it write."""
        return any("write" in grant.actions for grant in self.grants)


def principals(context: Context) -> list[Principal]:
    """The principals in the order of their first grants. Two Outputs are one principal only where they are
    the same object: their values are not known yet."""
    found: list[Principal] = []
    for grant in context.settings.grants:
        known = of_grant(found, grant)
        if known is None:
            key, local = _key(context, grant)
            known = Principal(key, grant.principal, local)
            found.append(known)
        known.grants.append(grant)
    return found


def of_grant(found: Sequence[Principal], grant: GrantSettings) -> Principal | None:
    """The principal of a grant, None where it is not among them."""
    return next((each for each in found if _same(each.arn, grant.principal)), None)


def _same(one: Input[str], other: Input[str]) -> bool:
    if is_unknown(one) or is_unknown(other):
        return one is other
    return one == other


def _key(context: Context, grant: GrantSettings) -> tuple[str, bool]:
    if is_unknown(grant.principal):
        return f"principal-{grant.name}", True
    arn = str(grant.principal)
    role, account = arn.partition(":role/")[2], arn.split(":")[4]
    local = account == context.place.account_id
    return (f"role-{role}" if local else f"role-{role}-{account}"), local


def role_name(arn: Input[str]) -> Output[str]:
    """The name of a role on which a policy is put: what stands after its path. Raises for one that AWS alone
    may change."""

    def name(known: str) -> str:
        problem = own_role(known)
        if problem is not None:
            raise ValueError(f"{known}: an output with a role {problem}, or its arn as text in a grant")
        return known.rpartition("/")[2]

    return Output.from_input(arn).apply(name)


def workgroup_name(prefix: str, arn: str) -> str:
    """The workgroup of a role of this account: names of roles are unique in it, whatever their paths are.

    `{prefix}-lakehouse-{role}` is within Athena's 128 characters for every prefix that the writer role's
    name leaves room for. A role's name with `+`, `=`, `,` or `@` gets a digest in their place.
    """
    role = arn.rpartition("/")[2]
    fitting = _UNFIT.sub("-", role)
    if fitting != role:
        digest = hashlib.sha256(role.encode()).hexdigest()[:_DIGEST]
        fitting = f"{fitting[: 64 - _DIGEST - 1]}-{digest}"
    return f"{WORKGROUP.of(prefix)}-{fitting}"
