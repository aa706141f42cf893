"""The caller: a role's session or a user, with all policies that bound it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from twin.aws.credentials import ROLE
from twin.aws.iam.policy_statements import Document

ANONYMOUS: Final = "anonymous"


@dataclass(frozen=True)
class Principal:
    """Who calls, as IAM sees it.

    arn: the session's or user's. owner: the role's or user's. everything: it has all rights but for what is
    denied. boundary, session: None where there is none; an empty one lets nothing through.
    """

    arn: str
    owner: str
    user_id: str
    account: str
    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    everything: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether the request was not signed."""
        return self.owner == ANONYMOUS

    def context(self) -> dict[str, str]:
        """What conditions may ask of it."""
        if self.anonymous:
            return {"aws:PrincipalType": "Anonymous", "aws:userid": ANONYMOUS}
        kind = "AssumedRole" if ":assumed-role/" in self.arn else "User"
        result = {
            "aws:PrincipalArn": self.owner,
            "aws:PrincipalIsAWSService": "false",
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalType": kind,
            "aws:userid": self.user_id,
            **{f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()},
        }
        if kind == "User":
            result["aws:username"] = self.owner.rsplit("/", 1)[-1]
        return result


def anonymous() -> Principal:
    """The sender of a request without a signature."""
    return Principal(ANONYMOUS, ANONYMOUS, ANONYMOUS, "")


@dataclass(frozen=True)
class Session:
    """A role's session, as STS gave it out."""

    role_arn: str
    arn: str
    user_id: str
    secret: str
    token: str
    expires: datetime
    policies: tuple[Document, ...] | None
    tags: Mapping[str, str]
    transitive: tuple[str, ...]


def session_of(moto: Any, access_key: str) -> Session | None:
    """The session that an access key belongs to, or None."""
    session = _by_key(moto.backend("sts")).get(access_key)
    if session is None:
        return None
    attributes: dict[str, Any] = vars(session)
    policies: Any = attributes.get("twin_policies")
    if policies is None and session.policy:
        policies = [json.loads(session.policy)]
    return Session(
        session.role_arn,
        session.arn,
        session.user_id,
        session.secret_access_key,
        session.session_token,
        session.expiration,
        None if policies is None else tuple(policies),
        attributes.get("twin_tags") or {},
        tuple(attributes.get("twin_transitive") or ()),
    )


def _by_key(backend: Any) -> dict[str, Any]:
    """moto's sessions by access key; moto itself looks through all of them."""
    index: dict[str, Any] = vars(backend).setdefault("_twin_by_key", {})
    if len(index) != len(backend.assumed_roles):
        index.clear()
        index.update((assumed_role.access_key_id, assumed_role) for assumed_role in backend.assumed_roles)
    return index


def of_session(moto: Any, session: Session) -> Principal:
    """The principal of a session: its role's policies as they are now, within those of the session."""
    role = of_role(moto, session.role_arn, session.arn.rsplit("/", 1)[-1])
    if role is None:  # a role that is gone
        return Principal(session.arn, session.role_arn, session.user_id, moto.account)
    return replace(role, session=session.policies, tags={**role.tags, **session.tags})


def role_of(moto: Any, arn: str) -> Any | None:
    """moto's role of this arn, or None."""
    return next((role for role in moto.backend("iam").roles.values() if role.arn == arn), None)


def of_role(moto: Any, arn: str, session: str) -> Principal | None:
    """The principal that a role is in a session of this name; None where the account has no such role."""
    role = role_of(moto, arn)
    if role is None:
        return None
    return Principal(
        f"arn:aws:sts::{moto.account}:assumed-role/{role.name}/{session}",
        arn,
        f"{role.id}:{session}",
        moto.account,
        tuple(documents(role)),
        boundary(moto, role.permissions_boundary_arn),
        None,
        {tag["Key"]: tag["Value"] for tag in role.tags or []},
    )


class Backends:
    """moto's global backends of an account, for what has no API server at hand."""

    def __init__(self, account: str) -> None:
        self.account = account

    def backend(self, service: str) -> Any:
        """A backend that is one for all regions (`iam`, `sts`)."""
        from moto.backends import get_backend

        tables: Any = get_backend(service)  # pyright: ignore[reportArgumentType,reportCallIssue]
        return tables[self.account]["aws"]


def owner_of(account: str, access_key: str) -> str:
    """The IAM arn of a key's role or user. The deployer's key is in no one's list."""
    moto = Backends(account)
    session = session_of(moto, access_key)
    if session is not None:
        return session.role_arn
    user = moto.backend("iam").get_user_from_access_key_id(access_key)
    return user.arn if user is not None else f"arn:aws:iam::{account}:role/{ROLE}"


def of_user(moto: Any, user: Any) -> Principal:
    """The principal of a user, its groups' policies included."""
    groups = [group for group in moto.backend("iam").groups.values() if user in group.users]
    policies = [document for group in (user, *groups) for document in documents(group)]
    return Principal(user.arn, user.arn, user.id, moto.account, tuple(policies))


def documents(holder: Any) -> Iterable[Document]:
    """The policies of a role, user or group: its own and attached ones."""
    texts: list[Any] = [*holder.policies.values()]
    for attached in holder.managed_policies.values():
        texts.append(_current(attached))
    return [json.loads(text) if isinstance(text, str) else text for text in texts]


def boundary(moto: Any, arn: str | None) -> Document | None:
    """A permissions boundary; one that is gone lets nothing through."""
    if not arn:
        return None
    return policy(moto, arn) or {"Statement": []}


def policy(moto: Any, arn: str) -> Document | None:
    """A managed policy's document, or None where there is none of that arn."""
    managed_policy: Any = moto.backend("iam").managed_policies.get(arn)
    if managed_policy is None:
        return None
    text = _current(managed_policy)
    return json.loads(text) if isinstance(text, str) else text


def _current(managed: Any) -> Any:
    default = managed.default_version_id
    return next(version.document for version in managed.versions if version.version_id == default)
