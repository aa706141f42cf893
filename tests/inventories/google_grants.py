"""Grants and custom roles on Google Cloud in a recording, and their errors by Google's data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.components.recording import Recording, Registered
from twin.gcp.services.iam import data as iam

CUSTOM_ROLE: Final = "gcp:projects/iAMCustomRole:IAMCustomRole"
# What a role is granted on -> the prefixes of permissions that have an effect there. A role without any has
# none: `roles/bigquery.jobUser` on a dataset.
GRANTED_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": ("artifactregistry.",),
    "gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember": ("biglake.",),
    "gcp:biglake/icebergNamespaceIamMember:IcebergNamespaceIamMember": ("biglake.",),
    "gcp:biglake/icebergTableIamMember:IcebergTableIamMember": ("biglake.tables.",),
    "gcp:bigquery/connectionIamMember:ConnectionIamMember": ("bigquery.connections.",),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": ("bigquery.datasets.", "bigquery.tables."),
    "gcp:bigquery/iamMember:IamMember": ("bigquery.tables.",),
    "gcp:bigtable/instanceIamMember:InstanceIamMember": ("bigtable.",),
    "gcp:cloudrunv2/jobIamMember:JobIamMember": ("run.",),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": ("run.",),
    "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember": ("compute.subnetworks.",),
    "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember": ("dns.",),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": ("cloudkms.cryptoKey",),
    "gcp:projects/iAMMember:IAMMember": ("",),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": ("pubsub.subscriptions.",),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": ("pubsub.topics.",),
    "gcp:secretmanager/secretIamMember:SecretIamMember": ("secretmanager.",),
    "gcp:serviceaccount/iAMMember:IAMMember": ("iam.serviceAccounts.",),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ("storage.",),
    "gcp:storage/managedFolderIamMember:ManagedFolderIamMember": (
        "storage.managedFolders.",
        "storage.objects.",
    ),
}
# "Principal identifiers" and "Attribute reference for IAM Conditions".
_MEMBER: Final = re.compile(
    r"(user|group|serviceAccount):[^@\s]+@[^@\s]+|domain:[^@\s]+|principal(Set)?://iam\.googleapis\.com/\S+"
    r"|serviceAccount:[a-z0-9-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9-]+\]"
)
_ATTRIBUTES: Final = frozenset(
    {
        "resource.name",
        "resource.service",
        "resource.type",
        "request.time",
        "destination.ip",
        "destination.port",
    }
)


def errors(recording: Recording) -> Iterator[str]:
    """Yield the errors of grants and custom roles, each with the resource."""
    custom = {
        str(role.state.get("name") or role.id): [str(name) for name in role.inputs["permissions"]]
        for role in recording.all(CUSTOM_ROLE)
    } | {role.id: list(map(str, role.inputs["permissions"])) for role in recording.all(CUSTOM_ROLE)}
    for resource in recording.resources:
        if resource.type == CUSTOM_ROLE:
            problems = _custom_role(resource)
        elif re.fullmatch(r"gcp:.*(IAM|Iam)(Member|Binding|Policy)", resource.type):
            problems = _grant(resource, custom)
        else:
            continue
        yield from (f"{resource.type} {resource.name}: {error}" for error in problems)


def _custom_role(role: Registered) -> Iterator[str]:
    for name in role.inputs["permissions"]:
        if not iam.is_permission(name):
            service = name.partition(".")[0]
            known = [
                permission for permission in iam.all_permissions() if permission.startswith(f"{service}.")
            ]
            yield f"permissions: {name}: no predefined role has this permission{_close(name, known)}"
    if not re.fullmatch(r"[a-zA-Z0-9_.]{3,64}", str(role.inputs["roleId"])):
        yield f"roleId: got {role.inputs['roleId']!r}, expected 3 to 64 letters, digits, _ and ."


def _grant(grant: Registered, custom: Mapping[str, list[str]]) -> Iterator[str]:
    role = str(grant.inputs["role"])
    prefixes = GRANTED_ON.get(grant.type)
    if prefixes is None:
        yield "what can be granted on this is not known; add it to GRANTED_ON"
        return
    if role.startswith("roles/"):
        permissions = list(iam.permissions(role))
        if not iam.exists(role):
            yield f"role: {role}: no such predefined role{_close(role, iam.names())}"
        if role in iam.BASIC:
            yield f"role: {role}: a basic role, expected a predefined or custom one"
    else:
        permissions = custom.get(role, [])
        if role not in custom:
            yield f"role: {role}: expected roles/<name> or a custom role of this program"
    if permissions and not any(name.startswith(prefixes) for name in permissions):
        expected = " or ".join(f"{prefix}*" for prefix in prefixes)
        yield f"role: {role}: has no permission on what it is granted on, expected one of {expected}"
    member = str(grant.inputs.get("member", ""))
    if not _MEMBER.fullmatch(member):
        yield f"member: got {member!r}, expected <kind>:<address>"
    yield from _condition(grant.inputs.get("condition"))


def _condition(condition: Any) -> Iterator[str]:
    if not condition:
        return
    outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", str(condition["expression"]))
    for name in sorted(set(re.findall(r"[a-z]+\.[a-z]+\b(?!\()", outside)) - _ATTRIBUTES):
        yield f"condition.expression: {name}: no such attribute"
    if not condition.get("title"):
        yield "condition.title: missing"


def _close(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
