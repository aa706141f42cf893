"""Whom IAM policy documents and Google Cloud's bindings name, and which conditions narrow that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from .policy import Undecided
from .resource import Resource
from .statements import Statement
from .values import UNKNOWN, each, holds_unknown

RESOURCE_POLICIES: Final[Mapping[str, str]] = {
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:s3/bucket:Bucket": "policy",
    "aws:s3/accessPoint:AccessPoint": "policy",
    "aws:sqs/queue:Queue": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    "aws:sns/topic:Topic": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:kms/keyPolicy:KeyPolicy": "policy",
    "aws:secretsmanager/secret:Secret": "policy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:ecr/registryPolicy:RegistryPolicy": "policy",
    "aws:glue/resourcePolicy:ResourcePolicy": "policy",
    "aws:dynamodb/resourcePolicy:ResourcePolicy": "policy",
    "aws:kinesis/resourcePolicy:ResourcePolicy": "policy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:backup/vaultPolicy:VaultPolicy": "policy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "policy",
    "aws:opensearch/domain:Domain": "accessPolicies",
    "aws:opensearch/domainPolicy:DomainPolicy": "accessPolicies",
    "aws:iam/role:Role": "assumeRolePolicy",
}
"""Type -> the property with a document of who may use it."""

PROJECT_BINDINGS: Final = (
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:folder/iAMMember:IAMMember",
    "gcp:folder/iAMBinding:IAMBinding",
    "gcp:organizations/iAMMember:IAMMember",
    "gcp:organizations/iAMBinding:IAMBinding",
    "gcp:projects/iAMPolicy:IAMPolicy",
    "gcp:folder/iAMPolicy:IAMPolicy",
    "gcp:organizations/iAMPolicy:IAMPolicy",
)
"""Types that give roles on a whole project of Google Cloud, or above it."""

MEMBERS: Final = ("member", "members")
"""The properties of Google Cloud's bindings that name identities."""

# Of aws:PrincipalOrgID and its like one value is of one organization or account; aws:SourceIp is no identity,
# but a network that is named. aws:PrincipalTag is not among them: strangers tag their own roles as they like.
_NARROWING: Final = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:userid",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "elasticfilesystem:accesspointarn",
)
_ARNS: Final = ("aws:principalarn", "aws:sourcearn")
_ARN_COLONS: Final = 5
_NEGATIVE: Final = ("not", "null", "ifexists", "forallvalues")


def principals(statement: Statement) -> Iterator[tuple[str, str, Any]]:
    """(property path, kind, value) of everybody that a statement names: kinds AWS, Service, Federated,
    CanonicalUser, and `*` for a bare `"Principal": "*"`."""
    said = statement.body.get("Principal")
    where = f"{statement.path}.Principal"
    if isinstance(said, str) or said is UNKNOWN:
        yield where, "*", said
    elif isinstance(said, Mapping):
        for kind, value in cast("Mapping[str, Any]", said).items():
            if isinstance(value, list):
                for path, entry in each(value, f"{where}.{kind}"):
                    yield path, kind, entry
            else:
                yield f"{where}.{kind}", kind, value


def narrowing(statement: Statement, *keys: str) -> Iterator[tuple[str, Any]]:
    """(key in lower case, value) of the conditions that must hold and are about one of these keys; a key that
    ends with `/` stands for all that begin with it. A condition that holds where its key is missing
    (`...IfExists`, `ForAllValues:...`), is negative (`StringNotEquals`) or holds for everything (`*`) narrows
    nothing."""
    for operator, conditions in statement.conditions.items():
        if any(word in operator.lower() for word in _NEGATIVE):
            continue
        for key, value in conditions.items():
            low = key.lower()
            if any(low.startswith(k) if k.endswith("/") else low == k for k in keys) and not _holds_for_all(
                low, value
            ):
                yield low, value


def is_narrowed(statement: Statement) -> bool:
    """Whether a statement for everybody is after all for an organization, account, role or network."""
    return any(True for _ in narrowing(statement, *_NARROWING))


def is_undecided(statement: Statement) -> bool:
    """Whether its principals or conditions are not known yet."""
    return holds_unknown([statement.body.get(key) for key in ("Principal", "Condition")])


def _holds_for_all(key: str, value: Any) -> bool:
    values: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    everything = ("*", "0.0.0.0/0", "::/0", "arn:*", "arn:aws:*") if key != "aws:userid" else ("*",)
    known = [entry for entry in values if entry is not UNKNOWN]
    return any(entry in everything for entry in known) or (
        key in _ARNS and any(_is_in_any_account(str(entry)) for entry in known)
    )


def _is_in_any_account(arn: str) -> bool:
    """Whether an ARN is of whatever account: `arn:aws:iam::*:role/reader`. A bucket's name is of one account,
    and S3's guide writes `arn:aws:s3:*:*:acme`."""
    parts = arn.split(":", _ARN_COLONS)
    if len(parts) <= _ARN_COLONS:
        return False
    service, account, resource = parts[2], parts[4], parts[5]
    return account == "*" and (service != "s3" or resource.startswith("*"))


@dataclass(frozen=True)
class Grant:
    """One role that Google Cloud gives to somebody."""

    path: str
    """The property path of the role."""
    role: Any
    """`roles/storage.admin`; UNKNOWN where it is not known yet."""
    conditional: bool
    """Whether it holds under a condition alone."""
    members: Sequence[tuple[str, Any]]
    """(property path, member) of everybody who has it; UNKNOWN where one is not known yet."""


def grants(resource: Resource) -> Iterator[Grant | Undecided]:
    """The roles that a member, a binding or a policy of Google Cloud gives: the first two have one, a policy
    (`...IAMPolicy`) has as many as its `policyData` has bindings."""
    data = resource.get("policyData")
    if data is None:
        yield _grant("", resource.props)
    elif data is UNKNOWN:
        yield Undecided("policyData")
    else:
        for path, binding in each(_bindings(data), "policyData.bindings"):
            if isinstance(binding, Mapping):
                yield _grant(f"{path}.", cast("Mapping[str, Any]", binding))


def _grant(where: str, said: Mapping[str, Any]) -> Grant:
    found: list[tuple[str, Any]] = []
    for key in MEMBERS:
        value = said.get(key)
        if value is UNKNOWN or isinstance(value, str):
            found.append((f"{where}{key}", value))
        found += each(value, f"{where}{key}")
    return Grant(f"{where}role", said.get("role"), said.get("condition") is not None, found)


def _bindings(data: Any) -> Any:
    try:
        found = json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return None  # The cloud refuses it.
    return cast("Mapping[str, Any]", found).get("bindings") if isinstance(found, Mapping) else None


def members(resource: Resource) -> Iterator[tuple[str, Any]]:
    """(property path, member) of all whom a resource of Google Cloud gives a role; UNKNOWN where one is not
    known yet."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant.path, UNKNOWN
        else:
            yield from grant.members
