"""IAM roles: those that a component creates for a service, and those that arguments name.

A resource that grants something is named by what it grants to whom, never by a position in a list: a name
that moves to another role replaces the resource, and the revoke of what was granted under the old name
removes what was just granted under the new one.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import iam

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.outputs import Tags
from aiplatform._shared.principals import assignable_role, known

_DIGEST: Final = 8
_ONCE: Final = "each role once"
AS_TEXT: Final = "; one of another account by its arn as text"


@dataclass(frozen=True)
class ServiceRole:
    """A role that a service assumes. policies: its inline policy and its attachments; what uses the role
    depends on them."""

    role: iam.Role
    policies: list[pulumi.Resource]

    @property
    def arn(self) -> Output[str]:
        """The role's arn."""
        return self.role.arn

    @property
    def name(self) -> Output[str]:
        """The role's name, as policies are put on it."""
        return self.role.name


def service_role(
    name: str,
    *,
    parent: pulumi.Resource,
    trust: Input[str],
    statements: Input[Sequence[Statement]] = (),
    managed: Sequence[str] = (),
    opts: ResourceOptions | None = None,
    policy_name: str | None = None,
    role_name: str | None = None,
    name_prefix: str | None = None,
    description: str | None = None,
    tags: Tags | None = None,
) -> ServiceRole:
    """Create a role with its permissions, all under the logical name `name`.

    trust: the trust policy. statements: those of the inline policy, whose physical name is `policy_name`;
    none: no inline policy. managed: policies of AWS by name, `AmazonEKSClusterPolicy`, each an attachment
    `{name}-{policy}`. opts: of the role, in addition to its parent. role_name, name_prefix: its physical
    name, in full or the part that AWS completes; neither: Pulumi's autonaming.
    """
    child = ResourceOptions(parent=parent)
    role = iam.Role(
        name,
        name=role_name,
        name_prefix=name_prefix,
        description=description,
        assume_role_policy=trust,
        tags={} if tags is None else tags,
        opts=ResourceOptions.merge(child, opts),
    )
    policies: list[pulumi.Resource] = []
    if isinstance(statements, Output) or statements:
        policy = Output.from_input(statements).apply(lambda known: document(*known))
        policies.append(iam.RolePolicy(name, name=policy_name, role=role.name, policy=policy, opts=child))
    policies += [
        iam.RolePolicyAttachment(
            f"{name}-{policy}",
            role=role.name,
            policy_arn=account_of(parent).managed_policy(policy),
            opts=child,
        )
        for policy in managed
    ]
    return ServiceRole(role, policies)


@dataclass(frozen=True)
class Role:
    """A role of this account that an argument names.

    path: where it is named, `FeatureStoreArgs.readers[0]`. key: its part of logical names, the role with its
    path, or the position in the argument's list where only the engine knows the role. arn: it fails where the
    role is named twice. text: the arn, None where only the engine knows it.
    """

    path: str
    key: str
    arn: Input[str]
    text: str | None

    @property
    def name(self) -> Output[str]:
        """The role's name, without its path, as policies are put on it. Fails for a role that AWS alone may
        change."""

        def name(arn: str) -> str:
            if assignable_role(arn):
                raise ValueError(f"{self.path}: {got(arn)}, {assignable_role(arn)}")
            return arn.rpartition("/")[2]

        return Output.from_input(self.arn).apply(name)

    @property
    def short(self) -> str:
        """Its part of physical names that have no room for a role's name of up to 64 characters."""
        if self.text is None:
            return self.key
        return hashlib.sha256(self.text.rpartition("/")[2].encode()).hexdigest()[:_DIGEST]


def roles(named: Mapping[str, Input[str]], account_id: str, elsewhere: str = "") -> list[Role]:
    """Roles by where arguments name them, `FeatureStoreArgs.readers[0]`, on which policies are put.

    Raises an ArgumentError where one is of another account, AWS's own or named twice. What only the engine
    knows is checked as soon as it is known: the arns fail then, and all that is granted to these roles.
    """
    texts = {path: known(arn) for path, arn in named.items()}
    plain = {path: text for path, text in texts.items() if text is not None}
    problems = [Problem(path, reason) for path, reason in _wrong(plain, account_id, _ONCE)]
    problems += [
        Problem(path, f"{got(arn)}, {assignable_role(arn)}")
        for path, arn in plain.items()
        if assignable_role(arn)
    ]
    if problems:
        raise ArgumentError(problems)
    arns = distinct_roles(named, account_id, _ONCE, elsewhere)
    return [Role(path, key(path, arn), arns[path], texts[path]) for path, arn in named.items()]


def distinct_roles(
    named: Mapping[str, Input[str]], account_id: str, expected: str = _ONCE, elsewhere: str = AS_TEXT
) -> dict[str, Input[str]]:
    """Return the same roles; an output among them fails, once it is known, where it is a role of another
    account, or a duplicate of a role before it or of a plain one.

    An output depends on no role after it: replacing one role must not replace the grants of all others.
    expected, elsewhere: what an error expects in place of a duplicate, or of a role of another account.
    """
    texts = {path: text for path, arn in named.items() if (text := known(arn)) is not None}
    arns: dict[str, Input[str]] = {}
    unknown: dict[str, Input[str]] = {}
    for path, arn in named.items():
        if path in texts:
            arns[path] = arn
            continue
        unknown[path] = arn

        def checked(resolved: Sequence[str], paths: Sequence[str] = tuple(unknown)) -> str:
            seen = {**texts, **dict(zip(paths, resolved, strict=True))}
            in_order = {path: seen[path] for path in named if path in seen}
            for wrong, reason in _wrong(in_order, account_id, expected, elsewhere):
                raise ValueError(f"{wrong}: {reason}")
            return resolved[-1]

        arns[path] = Output.all(*unknown.values()).apply(checked)
    return arns


def key(path: str, arn: Input[str]) -> str:
    """Return what identifies a role in logical names: its name, or its position in the list."""
    text = known(arn)
    return f"role-{text.partition(':role/')[2]}" if text else path.rpartition("[")[2].removesuffix("]")


def _wrong(
    arns: Mapping[str, str], account_id: str, expected: str, elsewhere: str = ""
) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for path, arn in arns.items():
        before = first.setdefault(arn, path)
        if before != path:
            yield path, f"{got(arn)}, which {before} names, too; expected {expected}"
        elif arn.split(":")[4] != account_id:
            yield path, f"{got(arn)}; expected a role of this account, {account_id}{elsewhere}"
