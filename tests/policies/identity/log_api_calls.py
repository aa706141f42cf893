"""Spec of identity.log_api_calls."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource, stack


def _trail(**more: Any) -> Resource:
    complete = {"s3BucketName": "acme-trail", "isMultiRegionTrail": True, "enableLogFileValidation": True}
    return resource("aws:cloudtrail/trail:Trail", {**complete, **more})


def _audit(*members: Any) -> Resource:
    config = {"logType": "DATA_READ", "exemptedMembers": list(members)}
    return resource(
        "gcp:projects/iAMAuditConfig:IAMAuditConfig", {"service": "allServices", "auditLogConfigs": [config]}
    )


def _exclusion(text: Any, *sinks: Any, **more: Any) -> Stack:
    exclusion = resource("gcp:logging/projectExclusion:ProjectExclusion", {"filter": text, **more})
    sink = "gcp:logging/projectSink:ProjectSink"
    stored = [resource(sink, {"filter": text}, name=f"sink-{index}") for index, text in enumerate(sinks)]
    return stack(exclusion, *stored)


_ACCESS = 'logName:"cloudaudit.googleapis.com%2Fdata_access"'
_MEMBER = "user:anna@acme.example"
_DATA = {
    "auditConfigs": [
        {
            "service": "allServices",
            "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": [_MEMBER]}],
        }
    ]
}

SPEC = Spec(
    passes={
        "a complete trail": _trail(),
        "audit logs of all members": _audit(),
        "an exclusion of health checks": _exclusion('httpRequest.requestUrl="/healthz"'),
        "audit logs that a sink stores elsewhere": _exclusion(_ACCESS, 'severity="ERROR"', _ACCESS),
        "an exclusion that is off": _exclusion('logName:"cloudaudit.googleapis.com"', disabled=True),
        "a policy of a project without exemptions": resource(
            "gcp:projects/iAMPolicy:IAMPolicy", {"policyData": json.dumps({"bindings": []})}
        ),
    },
    fails={
        "a trail of one region": Fails(
            _trail(isMultiRegionTrail=False), "isMultiRegionTrail", "calls in other regions"
        ),
        "a trail as it comes": Fails(
            resource("aws:cloudtrail/trail:Trail", {"s3BucketName": "acme"}),
            "isMultiRegionTrail",
            "is not set",
            count=2,
        ),
        "a trail that is off": Fails(_trail(enableLogging=False), "enableLogging", "no call"),
        "a trail without IAM": Fails(
            _trail(includeGlobalServiceEvents=False), "includeGlobalServiceEvents", "IAM and STS"
        ),
        "an exempt member": Fails(_audit(_MEMBER), "auditLogConfigs[0].exemptedMembers", "exempts members"),
        "an exempt member in a whole policy": Fails(
            resource("gcp:projects/iAMPolicy:IAMPolicy", {"policyData": json.dumps(_DATA)}),
            "policyData.auditConfigs[0].auditLogConfigs[0].exemptedMembers",
        ),
        "an exclusion of audit logs": Fails(_exclusion(_ACCESS), "filter", "excludes entries", of="it"),
        "a sink for other entries": Fails(_exclusion(_ACCESS, 'severity="ERROR"'), "filter"),
    },
    unknown={
        "whether it has all regions": _trail(isMultiRegionTrail=UNKNOWN),
        "the members": resource(
            "gcp:projects/iAMAuditConfig:IAMAuditConfig",
            {"auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": UNKNOWN}]},
        ),
        "a filter": _exclusion(UNKNOWN),
        "the filter of a sink": _exclusion(_ACCESS, UNKNOWN),
    },
)
