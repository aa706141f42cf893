"""Whether a role may write an object: its own policies, the bucket's, and the key's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twin.aws import policy
from twin.aws.rules.lake import Lake
from twin.aws.rules.look import Look

Document = Mapping[str, Any]


def writer(arn: str, lake: Lake, caller: str) -> str:
    """Who writes an object (its arn) for Glue: the role of the registered location that it is in, or the
    caller where there is none."""
    for place in lake.locations.values():
        if not place.hybrid and arn.startswith(place.arn.rstrip("/*") + "/"):
            return place.role_arn
    return caller


def denied(role_arn: str, bucket: str, key: str, look: Look) -> str:
    """Why a role may not write an object; empty where it may, or where the role is none of the account's."""
    role = next((each for each in look.roles() if each.arn == role_arn), None)
    if role is None or "/aws-service-role/" in role_arn:
        return ""
    arn = f"arn:aws:s3:::{bucket}/{key}"
    context = {
        "aws:PrincipalArn": role_arn,
        "aws:PrincipalAccount": look.account,
        "aws:ResourceAccount": look.account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": look.region,
    }
    own = list(documents(role))
    if not policy.allows(own, "s3:PutObject", arn, context):
        return (
            f"{role_arn} is not authorized to perform: s3:PutObject on resource: {arn} because no "
            "identity-based policy allows the s3:PutObject action"
        )
    held = look.s3.buckets[bucket]
    for statement in _statements(held.policy):
        if (
            statement.get("Effect") == "Deny"
            and _names(statement, role_arn, look.account)
            and policy.applies(statement, "s3:PutObject", arn, context)
        ):
            return (
                f"{role_arn} is not authorized to perform: s3:PutObject on resource: {arn} with an explicit "
                f"deny in a resource-based policy ({statement.get('Sid') or 'without Sid'})"
            )
    return _key_denied(role_arn, own, held, look, context)


def _key_denied(
    role_arn: str, own: list[Document], bucket: Any, look: Look, context: Mapping[str, str]
) -> str:
    rule: Any = (bucket.encryption or {}).get("Rule") or {}
    named = (rule.get("ApplyServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID")
    key = look.key(str(named)) if named else None
    if key is None:
        return ""
    context = {
        **context,
        "kms:ViaService": f"s3.{look.region}.amazonaws.com",
        "kms:CallerAccount": look.account,
    }
    own_way = policy.allows(own, "kms:GenerateDataKey", key.arn, context)
    root = f"arn:aws:iam::{look.account}:root"
    for statement in _statements(key.policy):
        if statement.get("Effect") != "Allow" or not policy.applies(
            statement, "kms:GenerateDataKey", key.arn, context
        ):
            continue
        principals = _principals(statement)
        if role_arn in principals or "*" in principals:
            return ""
        if own_way and (root in principals or look.account in principals):
            return ""
    return f"{role_arn} is not authorized to perform: kms:GenerateDataKey on resource: {key.arn}"


def documents(role: Any) -> Iterable[Document]:
    """A role's policies, its own and attached ones."""
    texts = [*role.policies.values()]
    for attached in role.managed_policies.values():
        texts += [
            each.document for each in attached.versions if each.version_id == attached.default_version_id
        ]
    return [json.loads(text) if isinstance(text, str) else text for text in texts]


def _statements(document: Any) -> list[Document]:
    if not document:
        return []
    text = document.decode() if isinstance(document, bytes) else document
    found: Any = (json.loads(text) if isinstance(text, str) else text).get("Statement") or []
    return found if isinstance(found, list) else [found]


def _principals(statement: Document) -> list[str]:
    given: Any = statement.get("Principal")
    named = given if isinstance(given, str) else (given or {}).get("AWS") or []
    return [named] if isinstance(named, str) else list(named)


def _names(statement: Document, role: str, account: str) -> bool:
    named = _principals(statement)
    return any(each in named for each in ("*", role, account, f"arn:aws:iam::{account}:root"))
