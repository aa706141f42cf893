"""Policy documents: what IAM refuses in them, reported before any call.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.aws.iam.service_prefixes import service_prefixes
from twin.provider_interface import UNKNOWN, Failure

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_STATEMENT: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_DOCUMENT: Final = frozenset({"Version", "Id", "Statement"})
_SID: Final = re.compile(r"[A-Za-z0-9]*")


def document_failures(path: str, value: Any, kind: str, longest: int = 131072) -> Iterator[Failure]:
    """What IAM refuses in a policy document.

    kind: `identity` (no Principal), `trust` (a role's; no Resource) or `resource` (has a Principal).
    """
    if value is None or value is UNKNOWN:
        return
    document = value
    if isinstance(value, str):
        try:
            document = json.loads(value)
        except ValueError as error:
            yield Failure(path, f'"{path}" contains an invalid JSON policy: {error}')
            return
        size = len(re.sub(r"\s", "", value))
        if size > longest:
            yield Failure(
                path, f"LimitExceeded: Cannot exceed quota for PolicySize: {longest}; it has {size}"
            )
    if not isinstance(document, Mapping):
        yield Failure(path, f'"{path}" contains an invalid JSON policy: not a JSON object')
        return
    for reason in _document(document, kind):
        yield Failure(path, f"MalformedPolicyDocument: {reason}")


def _document(document: Mapping[str, Any], kind: str) -> Iterator[str]:
    for key in document.keys() - _DOCUMENT:
        yield f"Syntax errors in policy: unknown element {key}"
    version = document.get("Version")
    if version is not None and version is not UNKNOWN and version not in _VERSIONS:
        yield f"The policy must contain a valid version string; {version!r} is none of {', '.join(_VERSIONS)}"
    statements = document.get("Statement")
    if statements is UNKNOWN:
        return
    if statements is None:
        yield "Syntax errors in policy: Statement is missing"
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, Mapping):
            yield from _statement(statement, kind)
        elif statement is not None and statement is not UNKNOWN:
            yield f"Syntax errors in policy: a statement must be an object, got {statement!r}"


def _statement(statement: Mapping[str, Any], kind: str) -> Iterator[str]:
    for key in sorted(statement.keys() - _STATEMENT):
        yield f"Syntax errors in policy: unknown element {key} in a statement"
    effect = statement.get("Effect")
    if effect is not UNKNOWN and effect not in ("Allow", "Deny"):
        yield f"Syntax errors in policy: Effect must be Allow or Deny, got {effect!r}"
    if not any(statement.get(key) is not None for key in ("Action", "NotAction")):
        yield "Policy statement must contain actions."
    has_resource = any(statement.get(key) is not None for key in ("Resource", "NotResource"))
    has_principal = any(statement.get(key) is not None for key in ("Principal", "NotPrincipal"))
    if kind == "identity" and not has_resource:
        yield "Policy statement must contain resources."
    if kind == "identity" and has_principal:
        yield "Policy document should not specify a principal."
    if kind == "trust" and has_resource:
        yield "Has prohibited field Resource"
    if kind != "identity" and not has_principal:
        yield "Missing required field Principal"
    sid = statement.get("Sid")
    if kind != "resource" and isinstance(sid, str) and not _SID.fullmatch(sid):
        yield f"Statement IDs (SID) in a single policy must be alphanumeric, got {sid!r}"
    for key in ("Action", "NotAction"):
        yield from _actions(statement.get(key))
    if kind == "identity":
        for key in ("Resource", "NotResource"):
            yield from _resources(statement.get(key))


def _actions(value: Any) -> Iterator[str]:
    for action in value if isinstance(value, list) else [value]:
        if not isinstance(action, str) or action == "*":
            continue
        service, colon, _ = action.partition(":")
        if not colon:
            yield "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        elif "*" not in service and service.lower() not in service_prefixes():
            near = difflib.get_close_matches(service.lower(), service_prefixes(), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"Action {action} names a service that does not exist: {service}{hint}"


def _resources(value: Any) -> Iterator[str]:
    for resource in value if isinstance(value, list) else [value]:
        # A part that stays unknown in a preview makes the whole text UNKNOWN, not a half of it.
        if isinstance(resource, str) and resource != "*" and not resource.startswith(("arn:", "${")):
            yield f'Resource {resource} must be in ARN format or "*".'
