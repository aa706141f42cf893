"""Audit logs record the calls of every region and of every member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..framework import (
    Entry,
    Outcome,
    Policy,
    Resource,
    Stack,
    Violation,
    any_of,
    check_each,
    describe,
)

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


@POLICY.on_stack
def on_exclusions(stack: Stack) -> Iterator[Outcome]:
    """Exclusions of audit logs that no sink with the same filter stores elsewhere."""
    exclusions = stack.of(
        "gcp:logging/projectExclusion:ProjectExclusion",
        "gcp:logging/folderExclusion:FolderExclusion",
        "gcp:logging/organizationExclusion:OrganizationExclusion",
    )
    sinks = stack.of(
        "gcp:logging/projectSink:ProjectSink",
        "gcp:logging/folderSink:FolderSink",
        "gcp:logging/organizationSink:OrganizationSink",
    )
    yield from check_each(exclusions, _check_exclusion, sinks)


def _check_exclusion(exclusion: Resource, sinks: Sequence[Resource]) -> Iterator[Outcome]:
    text = str(exclusion.known("filter"))
    if exclusion.known("disabled") is True or "cloudaudit" not in text:
        return
    if not any_of(sinks, lambda sink: sink.known("filter") == text):
        yield Violation("filter", "excludes entries of audit logs, which no sink with this filter stores")
