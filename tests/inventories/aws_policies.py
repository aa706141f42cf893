"""AWS policy documents in a recording, and their errors by AWS's definitions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.components.recording import Recording, Registered
from tests.inventories.aws_definitions import Action, actions, overlaps, suggestion


@dataclass(frozen=True)
class Kind:
    """Where a document is attached, and what may be in it there."""

    services: frozenset[str] = frozenset()
    """The only services whose actions it may have; empty: any."""
    principal: bool = True
    """Whether its statements name principals."""
    resource: bool = True
    """Whether its statements name resources."""
    most: int = 0
    """The most characters without white space; 0: not checked."""


def _of(service: str, *, resource: bool = True, most: int) -> Kind:
    return Kind(frozenset({service}), resource=resource, most=most)


# Quotas: "IAM and AWS STS quotas", "Amazon S3 bucket policies", "AWS KMS quotas", "Endpoint policies for
# interface endpoints", "Amazon ECR service quotas", "AWS Secrets Manager quotas", "Amazon SQS policy quotas",
# "Amazon SNS endpoints and quotas".
KINDS: Final[Mapping[str, Kind]] = {
    "aws:iam/policy:Policy.policy": Kind(principal=False, most=6144),
    "aws:iam/rolePolicy:RolePolicy.policy": Kind(principal=False, most=10240),
    "aws:iam/role:Role.assumeRolePolicy": _of("sts", resource=False, most=2048),
    "aws:kms/key:Key.policy": _of("kms", most=32768),
    "aws:s3/bucketPolicy:BucketPolicy.policy": _of("s3", most=20480),
    "aws:s3tables/tableBucketPolicy:TableBucketPolicy.resourcePolicy": _of("s3tables", most=20480),
    "aws:ecr/repositoryPolicy:RepositoryPolicy.policy": _of("ecr", resource=False, most=10240),
    "aws:secretsmanager/secretPolicy:SecretPolicy.policy": _of("secretsmanager", most=20480),
    "aws:sns/topic:Topic.policy": _of("sns", most=30720),
    "aws:sqs/queuePolicy:QueuePolicy.policy": _of("sqs", most=8192),
    "aws:ec2/vpcEndpoint:VpcEndpoint.policy": Kind(most=20480),
}
# Endpoint -> prefix of its actions, where they differ.
_ENDPOINTS: Final = {
    "ecr.api": "ecr",
    "ecr.dkr": "ecr",
    "elasticfilesystem": "elasticfilesystem",
    "email-smtp": "ses",
    "kinesis-firehose": "firehose",
    "monitoring": "cloudwatch",
    "s3tables": "s3tables",
}
_ORDERED: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_TEXTS: Final = ("Equals", "NotEquals", "Like", "NotLike")
_OPERATORS: Final[Mapping[str, frozenset[str]]] = {
    # Operator -> types of keys that it compares ("IAM JSON policy elements: Condition operators").
    **{f"String{comparison}": frozenset({"String", "ARN"}) for comparison in _TEXTS},
    **{f"String{comparison}IgnoreCase": frozenset({"String", "ARN"}) for comparison in _TEXTS[:2]},
    # AWS's own examples compare the encryption context's text as an ARN.
    **{f"Arn{comparison}": frozenset({"ARN", "String"}) for comparison in _TEXTS},
    **{f"Numeric{comparison}": frozenset({"Numeric"}) for comparison in _ORDERED},
    **{f"Date{comparison}": frozenset({"Date"}) for comparison in _ORDERED},
    "IpAddress": frozenset({"IPAddress"}),
    "NotIpAddress": frozenset({"IPAddress"}),
    "Bool": frozenset({"Bool"}),
    "BinaryEquals": frozenset({"Binary"}),
}
Named = Sequence[tuple[str, Sequence[Action]]]
"""Each action of a statement, and what it stands for."""


@dataclass(frozen=True)
class Document:
    """A policy that a resource is registered with."""

    place: str
    """`aws:iam/rolePolicy:RolePolicy lake-writer policy`."""
    kind: Kind
    content: Mapping[str, Any]

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """Its statements; a single one need not be in a list."""
        return _as_list(self.content["Statement"])


def documents(recording: Recording) -> Iterator[Document]:
    """Yield all policy documents of a recording. One at an unknown place has no kind, which is an error."""
    for resource in recording.resources:
        for path, content in _documents(resource.inputs, ""):
            kind = KINDS.get(f"{resource.type}.{path}", Kind(frozenset({"unknown kind of policy"})))
            place = f"{resource.type} {resource.name} {path}"
            yield Document(place, _endpoint(resource) or kind, content)


def _endpoint(resource: Registered) -> Kind | None:
    if resource.type != "aws:ec2/vpcEndpoint:VpcEndpoint":
        return None
    name = str(resource.inputs["serviceName"]).split(".", 3)[3]
    return Kind(frozenset({_ENDPOINTS.get(name, name)}), most=20480)


def _documents(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value:
        yield path, json.loads(value)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _documents(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for entry in value:
            yield from _documents(entry, path)


def errors(document: Document) -> Iterator[str]:
    """Yield the errors of a document, each with place and statement."""
    text = re.sub(r"\s", "", json.dumps(document.content))
    if document.kind.most and len(text) > document.kind.most:
        yield f"{document.place}: {len(text)} characters, expected at most {document.kind.most}"
    for index, statement in enumerate(document.statements):
        at = f"{document.place}: {statement.get('Sid', f'statement {index}')}"
        for error in _statement(document, statement):
            yield f"{at}: {error}"
    if not document.kind.principal:
        yield from _missing_types(document)


def _statement(document: Document, statement: Mapping[str, Any]) -> Iterator[str]:
    kind = document.kind
    yield from _elements(kind, statement)
    patterns = _as_list(statement.get("Action", statement.get("NotAction")))
    named = [(pattern, actions(pattern)) for pattern in patterns]
    for pattern, matching in named:
        if pattern != "*" and not matching:
            yield f"{pattern}: no such action{suggestion(pattern)}"
        elif kind.services and pattern.partition(":")[0].lower() not in {*kind.services, "*"}:
            yield f"{pattern}: expected an action of {', '.join(sorted(kind.services))} in such a policy"
    if "Action" in statement and "Resource" in statement:
        yield from _resources(statement, named)
    if "Action" in statement:
        yield from _conditions(statement, named)


def _elements(kind: Kind, statement: Mapping[str, Any]) -> Iterator[str]:
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect: got {statement.get('Effect')!r}, expected Allow or Deny"
    if not re.fullmatch(r"[A-Za-z0-9]*", statement.get("Sid", "")):
        yield f"Sid: got {statement['Sid']!r}, expected letters and digits"
    for element, expected in (("Principal", kind.principal), ("Resource", kind.resource)):
        there = element in statement or f"Not{element}" in statement
        if there != expected:
            yield f"{element}: {'missing' if expected else 'not allowed in such a policy'}"
    known = {"Sid", "Effect", "Condition"} | {
        f"{negation}{key}" for key in ("Principal", "Action", "Resource") for negation in ("", "Not")
    }
    for element in sorted(set(statement) - known):
        yield f"{element}: no such element"


def _resources(statement: Mapping[str, Any], named: Named) -> Iterator[str]:
    """Yield an error for each action that applies to no resource, and for each resource without an action."""
    patterns = _as_list(statement["Resource"])
    for pattern in patterns:
        if pattern != "*" and len(pattern.split(":", 5)) != 6:
            yield f"Resource: got {pattern!r}; expected an ARN or *"
    for wanted, matching in named:
        if matching and not any(_about(action, pattern) for action in matching for pattern in patterns):
            types = sorted({kind.arn for action in matching for kind in action.types}) or ["*"]
            yield f"{wanted}: applies to none of {', '.join(patterns)}; expected {' or '.join(types)}"
    every = [action for _, matching in named for action in matching]
    if any(pattern == "*" for pattern, _ in named):
        return
    for pattern in patterns:
        if every and not any(_about(action, pattern) for action in every):
            yield f"{pattern}: a resource of none of the actions {', '.join(name for name, _ in named)}"


def _about(action: Action, pattern: str) -> bool:
    """Return whether an action applies to a resource of a policy."""
    if pattern == "*":
        return True
    return any(overlaps(pattern, kind.arn) for kind in action.types)


def _missing_types(document: Document) -> Iterator[str]:
    """Yield the resource types that a request needs, too, and the policy does not allow."""
    allowed: dict[str, list[str]] = {}
    actions_by_name: dict[str, Action] = {}
    for statement in document.statements:
        if statement.get("Effect") == "Allow" and "Resource" in statement:
            for pattern in _as_list(statement.get("Action")):
                for action in actions(pattern):
                    # A wildcard also matches actions that are not intended.
                    if "*" not in pattern:
                        actions_by_name[action.name] = action
                    allowed.setdefault(action.name, []).extend(_as_list(statement["Resource"]))
    for name, action in sorted(actions_by_name.items()):
        required = [kind for kind in action.types if kind.required]
        for kind in required if len(required) > 1 else []:
            if not any(overlaps(pattern, kind.arn) for pattern in allowed[name]):
                problem = f"each request needs a resource of type {kind.name}, too; expected {kind.arn}"
                yield f"{document.place}: {name}: {problem}"


def _conditions(statement: Mapping[str, Any], named: Named) -> Iterator[str]:
    for full, conditions in (statement.get("Condition") or {}).items():
        operator = full.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
        optional = operator.endswith("IfExists")
        operator = operator.removesuffix("IfExists")
        if operator not in _OPERATORS and operator != "Null":
            yield f"Condition.{full}: no such operator"
            continue
        for key in conditions:
            for error in _key(statement, full, operator, key, named):
                if not optional or "no such" in error:
                    yield f"Condition.{full}.{key}: {error}"


def _key(
    statement: Mapping[str, Any],
    full: str,
    operator: str,
    key: str,
    named: Named,
) -> Iterator[str]:
    if _of_identity_provider(statement, key):
        return
    types: set[str] = set()
    for pattern, matching in named:
        # A wildcard matches actions with and without the key; an action that is named must have it.
        having = {type_ for action in matching if (type_ := action.key_type(key))}
        if matching and not having:
            yield f"requests of {pattern} do not have this key: the condition is never met, or always"
        types |= having
    for type_ in types:
        many = full.startswith("For")
        if type_.startswith("ArrayOf") and not many and operator != "Null":
            yield f"has several values; expected ForAnyValue:{full} or ForAllValues:{full}"
        elif operator != "Null" and type_.removeprefix("ArrayOf") not in _OPERATORS[operator]:
            yield f"is of type {type_}, which {operator} does not compare"


def _of_identity_provider(statement: Mapping[str, Any], key: str) -> bool:
    """Whether a key is a claim of the OpenID Connect provider that the statement trusts (`<issuer>:sub`)."""
    principal = statement.get("Principal")
    federated = _as_list(principal.get("Federated")) if isinstance(principal, Mapping) else []
    issuer = key.rpartition(":")[0]
    return any(arn.partition(":oidc-provider/")[2] == issuer != "" for arn in federated)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
