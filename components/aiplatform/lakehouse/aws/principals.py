"""The principals of grants, one entry for each principal."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pulumi import Input, Output

from aiplatform._shared.aws.roles import distinct_roles
from aiplatform._shared.principals import assignable_role, known, reserved
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import WORKGROUP
from aiplatform.lakehouse.grants import LakehouseGrantSettings

_DIGEST: Final = 8
_AGAIN: Final = "the same output in both grants, or the arn as text"
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9._-]")
"""Characters that a role's name may have and a workgroup's may not (Athena API reference, WorkGroup:
Name)."""


@dataclass(frozen=True)
class Principal:
    """A principal that grants name.

    key: its part of logical names. text: its arn; None where only the engine knows it. arn: fails where two
    grants name one role and only the engine knows both. local: whether it is a role of this account, to which
    policies can be attached; so is one that only the engine knows, as the same program creates it.
    former_key: the key that it had, by a grant's name.
    """

    key: str
    text: str | None
    arn: Input[str]
    local: bool
    former_key: str
    grants: list[LakehouseGrantSettings] = field(default_factory=list[LakehouseGrantSettings])

    @property
    def gets_policy(self) -> bool:
        """Whether a policy is attached to it: a role of this account, except one that only AWS may change."""
        return self.local and (self.text is None or not reserved(self.text))

    @property
    def short(self) -> str:
        """Its part of a policy's name, which has at most 128 characters: the role's name, or the key where
        only the engine knows the role."""
        return self.key if self.text is None else self.text.rpartition("/")[2]

    @property
    def writes(self) -> bool:
        """Whether a grant allows it to write."""
        return any("write" in grant.actions for grant in self.grants)

    @property
    def reads_costs(self) -> bool:
        """Whether a grant allows it to read the export of costs."""
        return any(grant.billing for grant in self.grants)

    def former_names(self, name: str) -> list[str]:
        """Return the logical names that a resource of this name, which contains the key, had."""
        return [name.replace(self.key, self.former_key, 1)] if self.former_key != self.key else []


def grant_principals(context: Context) -> list[Principal]:
    """Return the principals in the order of their first grants. Grants name the same principal where their
    arns are known to be equal; arns that only the engine knows must differ, which is checked once they are
    known."""
    grants: dict[str, list[LakehouseGrantSettings]] = {}
    paths: dict[str, str] = {}
    for index, grant in enumerate(context.settings.grants):
        key = _key(context, grant, context.settings.grants)
        grants.setdefault(key, []).append(grant)
        paths.setdefault(key, f"LakehouseArgs.grants[{index}].principal")
    # A role of another account is given as text.
    local = {
        key: same_principal[0].principal
        for key, same_principal in grants.items()
        if _local(context, same_principal[0])
    }
    arns = distinct_roles({paths[key]: arn for key, arn in local.items()}, context.account.account_id, _AGAIN)
    return [
        Principal(
            key,
            known(same_principal[0].principal),
            arns.get(paths[key], same_principal[0].principal),
            key in local,
            f"principal-{same_principal[0].name}",
            same_principal,
        )
        for key, same_principal in grants.items()
    ]


def principal_of(principals: Sequence[Principal], grant: LakehouseGrantSettings) -> Principal:
    """Return the principal of a grant."""
    return next(
        principal for principal in principals if any(granted is grant for granted in principal.grants)
    )


def _local(context: Context, grant: LakehouseGrantSettings) -> bool:
    text = known(grant.principal)
    return text is None or text.split(":")[4] == context.account.account_id


def _key(context: Context, grant: LakehouseGrantSettings, grants: Sequence[LakehouseGrantSettings]) -> str:
    """Return what identifies a principal in logical names: the role, or the first grant of an output that
    only the engine knows."""
    text = known(grant.principal)
    if text is None:
        first = next(other for other in grants if other.principal is grant.principal)
        return f"principal-{first.name}"
    role = text.partition(":role/")[2]
    return f"role-{role}" if _local(context, grant) else f"role-{role}-{text.split(':')[4]}"


def role_name(arn: Input[str]) -> Output[str]:
    """Return the name of a role to which a policy is attached: what follows its path. Raises for one that
    only AWS may change."""

    def name(known: str) -> str:
        problem = assignable_role(known)
        if problem is not None:
            raise ValueError(f"{known}: an output with a role {problem}, or its arn as text in a grant")
        return known.rpartition("/")[2]

    return Output.from_input(arn).apply(name)


def workgroup_name(prefix: str, arn: str) -> str:
    """Return the workgroup's name of a role of this account: names of roles are unique in it, whatever their
    paths are.

    `{prefix}-lakehouse-{role}` is within Athena's 128 characters for every prefix that the writer role's name
    allows. A role's name with `+`, `=`, `,` or `@` gets a digest in their place.
    """
    role = arn.rpartition("/")[2]
    fitting = _UNFIT.sub("-", role)
    if fitting != role:
        digest = hashlib.sha256(role.encode()).hexdigest()[:_DIGEST]
        fitting = f"{fitting[: 64 - _DIGEST - 1]}-{digest}"
    return f"{WORKGROUP.of(prefix)}-{fitting}"
