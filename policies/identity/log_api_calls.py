"""Audit logs record the calls of every region and of every member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Audit logs are complete",
    severity="high",
    description="An attacker creates machines in a region without others, deletes log files or acts as the "
    "one account that is not logged. A trail of CloudTrail records one region unless it is a multi-region "
    "trail; on Google Cloud members can be exempt from audit logs, and filters exclude their entries.",
    remediation="Set the trail's `isMultiRegionTrail` and `enableLogFileValidation`, and leave "
    "`enableLogging` and `includeGlobalServiceEvents` on; remove `exemptedMembers` and the exclusion.",
    frameworks=(
        "CIS AWS 3.1",
        "CIS AWS 3.2",
        "CIS GCP 2.1",
        "NIST 800-53 AU-2",
        "NIST 800-53 AU-12",
        "SOC 2 CC7.2",
    ),
)

_TRAIL: Final[Mapping[str, tuple[bool, str]]] = {
    "isMultiRegionTrail": (False, "calls in other regions are not recorded"),
    "enableLogging": (True, "no call is recorded"),
    "includeGlobalServiceEvents": (True, "calls of IAM and STS are not recorded"),
    "enableLogFileValidation": (False, "changed and deleted log files are not noticed"),
}
"""Property -> its default, and what is lost without it."""


@POLICY.on("aws:cloudtrail/trail:Trail")
def on_trails(resource: Resource) -> Iterator[Outcome]:
    """Trails that leave something out."""
    yield from check_each(_TRAIL, _check_trail, resource)


def _check_trail(path: str, trail: Resource) -> Iterator[Outcome]:
    default, lost = _TRAIL[path]
    value = trail.known(path)
    if not (default if value is None else value):
        yield Violation(path, f"{describe(value)}: {lost}")


@POLICY.on(
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
def on_audit_configs(resource: Resource) -> Iterator[Outcome]:
    """Members whose access to data is not logged."""
    yield from check_each(resource.entries("auditLogConfigs"), _check_config)


def _check_config(config: Entry) -> Iterator[Outcome]:
    if config.known("exemptedMembers"):
        yield Violation(config.where("exemptedMembers"), "exempts members, whose calls are not logged")


@POLICY.on(
    "gcp:projects/iAMPolicy:IAMPolicy",
    "gcp:folder/iAMPolicy:IAMPolicy",
    "gcp:organizations/iAMPolicy:IAMPolicy",
)
def on_policies(resource: Resource) -> Iterator[Outcome]:
    """The same in the whole policy of a project."""
    data = resource.known("policyData")
    try:
        document: Any = json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return  # The cloud refuses it.
    yield from check_each(Entry("policyData", document).entries("auditConfigs"), _check_service)


def _check_service(service: Entry) -> Iterator[Outcome]:
    yield from check_each(service.entries("auditLogConfigs"), _check_config)


@POLICY.on(
    "gcp:logging/projectExclusion:ProjectExclusion",
    "gcp:logging/folderExclusion:FolderExclusion",
    "gcp:logging/organizationExclusion:OrganizationExclusion",
)
def on_exclusions(resource: Resource) -> Iterator[Outcome]:
    """Exclusions of audit logs."""
    if resource.known("disabled") is not True and "cloudaudit" in str(resource.known("filter")):
        yield Violation("filter", "excludes entries of audit logs")
