"""IAM policy documents on AWS: their locations in resources, and their statements."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from .properties import Deferred, Entry
from .resource import Resource
from .values import UNKNOWN, contains_unknown

IDENTITY_POLICIES: Final = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/role:Role",
)
"""Types with identity-based policies: a document, or the inline policies of a role."""

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
"""Type -> the property path of its resource-based policy; for a role its trust policy."""

# aws:PrincipalOrgID and similar keys name one organization or account by one value; aws:SourceIp names a
# network.
# aws:PrincipalTag is left out: another account can tag its roles at will.
_LIMITING: Final = (
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


@dataclass(frozen=True)
class Principal:
    """A principal that a statement names."""

    path: str
    """Its property path."""
    kind: str
    """`AWS`, `Service`, `Federated`, `CanonicalUser`, or `*` for a bare `"Principal": "*"`."""
    value: Any
    """UNKNOWN where it is unknown."""


@dataclass(frozen=True)
class Statement(Entry):
    """A statement of a policy document. Its `entries` serve `Action`, `Resource`, ..., where a single value
    counts as a list of one."""

    body: Mapping[str, Any]

    def strings(self, key: str) -> Iterator[Entry]:
        """Yield the known strings of `Action`, `Resource`, ..."""
        value = self.raw(key)
        values: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
        for index, entry in enumerate(values):
            if isinstance(entry, str):
                where = f"{self.where(key)}[{index}]" if isinstance(value, list) else self.where(key)
                yield Entry(where, entry)

    @property
    def principals(self) -> Iterator[Principal]:
        """The principals that it names."""
        value, where = self.raw("Principal"), self.where("Principal")
        if isinstance(value, str) or value is UNKNOWN:
            yield Principal(where, "*", value)
        elif isinstance(value, Mapping):
            for kind, names in cast("Mapping[str, Any]", value).items():
                if isinstance(names, list):
                    for index, name in enumerate(cast("list[Any]", names)):
                        yield Principal(f"{where}.{kind}[{index}]", kind, name)
                else:
                    yield Principal(f"{where}.{kind}", kind, names)

    @property
    def conditions(self) -> Mapping[str, Mapping[str, Any]]:
        """Its conditions by operator."""
        conditions = self.raw("Condition")
        if not isinstance(conditions, Mapping):
            return {}
        operators = cast("Mapping[str, Any]", conditions)
        return {
            name: cast("Mapping[str, Any]", keys)
            for name, keys in operators.items()
            if isinstance(keys, Mapping)
        }

    @property
    def condition_names(self) -> str:
        """Operators and keys of its conditions, for messages: `'StringLike aws:PrincipalArn'`."""
        names = [f"{operator} {key}" for operator, keys in self.conditions.items() for key in keys]
        return ", ".join(map(repr, names))

    def is_limited_by(self, *keys: str) -> bool:
        """Return whether a condition that must be met is about one of these keys; a key that ends with `/`
        matches all that begin with it. A condition that is met where its key is missing (`...IfExists`,
        `ForAllValues:...`), is negative (`StringNotEquals`) or is met by everything (`*`) limits nothing."""
        return any(
            any(low.startswith(key) if key.endswith("/") else low == key for key in keys)
            and not _is_met_by_everything(low, value)
            for operator, conditions in self.conditions.items()
            if not any(word in operator.lower() for word in _NEGATIVE)
            for low, value in ((key.lower(), value) for key, value in conditions.items())
        )

    def is_limited(self) -> bool:
        """Return whether a statement for `*` is limited to an organization, account, role or network."""
        return self.is_limited_by(*_LIMITING)

    def require_known_conditions(self) -> None:
        """Raise Deferred where its conditions are unknown. For a rule that has no known condition: an unknown
        one may be the limit. Another principal that is unknown limits nothing."""
        if contains_unknown(self.raw("Condition")):
            raise Deferred(self.where("Condition"))


def allowed_statements(resource: Resource, path: str | None = None) -> Iterator[Statement | Deferred]:
    """Yield the statements with Effect Allow of a resource's policy document; Deferred for unknown ones.

    path: the property path of the document. Without it the identity-based policies: the document `policy`, or
    the inline policies of a role.
    """
    for statement in statements(resource, path):
        effect = None if isinstance(statement, Deferred) else statement.raw("Effect")
        if isinstance(statement, Deferred):
            yield statement
        elif effect is UNKNOWN:
            yield Deferred(statement.where("Effect"))
        elif effect == "Allow":
            yield statement


def statements(resource: Resource, path: str | None = None) -> Iterator[Statement | Deferred]:
    """Yield all statements, as `allowed_statements` does."""
    if path is not None or resource.type != "aws:iam/role:Role":
        yield from _statements(Entry(path or "policy", resource.raw(path or "policy")))
        return
    try:
        for inline in resource.entries("inlinePolicies"):
            yield from _statements(Entry(inline.where("policy"), inline.raw("policy")))
    except Deferred as deferred:
        yield deferred


def _statements(document: Entry) -> Iterator[Statement | Deferred]:
    """Yield the statements of a document, which is a JSON string or an object."""
    if document.body is UNKNOWN:
        yield Deferred(document.path)
        return
    if isinstance(document.body, str):
        try:
            document = Entry(document.path, json.loads(document.body))
        except ValueError:
            return  # The cloud refuses it.
    if not isinstance(document.body, Mapping):
        return
    try:
        for entry in document.entries("Statement"):
            body: object = entry.body
            if body is UNKNOWN:
                yield Deferred(entry.path)
            elif isinstance(body, Mapping):
                yield Statement(entry.path, cast("Mapping[str, Any]", body))
    except Deferred as deferred:
        yield deferred


def matched_action(pattern: str, actions: Iterable[str]) -> str | None:
    """Return the first of these actions, in lower case, that an action with wildcards matches: `s3:Get*`
    matches `s3:getobject`. IAM ignores case."""
    low = pattern.lower()
    return next((name for name in actions if name == low or fnmatch.fnmatchcase(name, low)), None)


def is_every_action(action: Any) -> bool:
    """Return whether an action is `*` or `service:*`, which identity.forbid_wildcard_actions reports."""
    return isinstance(action, str) and (action == "*" or action.endswith(":*"))


def _is_met_by_everything(key: str, value: Any) -> bool:
    values: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    everything = ("*", "0.0.0.0/0", "::/0", "arn:*", "arn:aws:*") if key != "aws:userid" else ("*",)
    known = [entry for entry in values if entry is not UNKNOWN]
    return any(entry in everything for entry in known) or (
        key in _ARNS and any(_is_in_any_account(str(entry)) for entry in known)
    )


def _is_in_any_account(arn: str) -> bool:
    """Return whether an ARN matches every account: `arn:aws:iam::*:role/reader`. The name of a bucket belongs
    to one account; S3's guide writes `arn:aws:s3:*:*:acme`."""
    parts = arn.split(":", _ARN_COLONS)
    if len(parts) <= _ARN_COLONS:
        return False
    service, account, resource = parts[2], parts[4], parts[5]
    return account == "*" and (service != "s3" or resource.startswith("*"))
