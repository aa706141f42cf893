"""Binary Authorization: the project's one policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import concurrent, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles

DEFAULT: Final[Mapping[str, Any]] = services.tables("binaryauthorization")["default_policy"]
"""What a project's policy is while it is not set."""
_GOOGLES: Final = ("gke.gcr.io/**", "gcr.io/gke-release/**")
"""Of the images that Google's own policy admits those that a cluster is made of."""


@handles("binaryauthorization.projects.updatePolicy")
def update(call: Call) -> dict[str, Any]:
    """The whole policy."""
    before = _policy(call)
    if call.body.get("etag") and call.body["etag"] != before["etag"]:
        raise concurrent("The policy was changed meanwhile: its etag differs.")
    policy = {key: value for key, value in call.body.items() if key not in ("name", "updateTime", "etag")}
    rule = policy.get("defaultAdmissionRule")
    if not rule:
        raise invalid("Required field 'default_admission_rule' not specified")
    _check(call, rule, "default_admission_rule")
    for field in (
        "clusterAdmissionRules",
        "kubernetesNamespaceAdmissionRules",
        "istioServiceIdentityAdmissionRules",
    ):
        for key, admission_rule in (policy.get(field) or {}).items():
            if field == "clusterAdmissionRules" and "." not in key:
                raise invalid(f"{field}: '{key}' is no cluster; LOCATION.CLUSTER is right.")
            _check(call, admission_rule, f"{field}[{key}]")
    policy["name"] = f"projects/{call.project}/policy"
    policy["updateTime"] = call.timestamp
    policy["etag"] = f'"{iam_policy.etag(policy)}"'
    return call.state.put(_row(call), policy)


@handles(
    "binaryauthorization.projects.policy.getIamPolicy",
    "binaryauthorization.projects.policy.setIamPolicy",
    "binaryauthorization.projects.policy.testIamPermissions",
)
def policy(call: Call) -> dict[str, Any]:
    """Access to the policy."""
    return generic.policy(call, _row(call))


def admitted(state: State, project: str, cluster: str) -> str | None:
    """The regular expression of the images that a cluster (`us-central1.name`) runs by the project's policy,
    or None where it runs all. Nothing is attested here, so what needs an attestation is refused."""
    policy = state.get(f"binaryauthorization/projects/{project}/policy/policy") or DEFAULT
    rule = (policy.get("clusterAdmissionRules") or {}).get(cluster) or policy["defaultAdmissionRule"]
    if rule["evaluationMode"] == "ALWAYS_ALLOW" or rule["enforcementMode"] == "DRYRUN_AUDIT_LOG_ONLY":
        return None
    patterns = [pattern["namePattern"] for pattern in policy.get("admissionWhitelistPatterns") or ()]
    if policy.get("globalPolicyEvaluationMode") == "ENABLE":
        patterns += _GOOGLES
    return f"^({'|'.join(map(_expression, patterns))})$"


def _expression(pattern: str) -> str:
    start = pattern.rstrip("*")
    return re.escape(start) + {0: "", 1: "[^/]*"}.get(len(pattern) - len(start), ".*")


def _check(call: Call, rule: Body, path: str) -> None:
    mode = rule.get("evaluationMode", "EVALUATION_MODE_UNSPECIFIED")
    if mode == "EVALUATION_MODE_UNSPECIFIED":
        raise invalid(f"{path}.evaluation_mode must be set.")
    if rule.get("enforcementMode", "ENFORCEMENT_MODE_UNSPECIFIED") == "ENFORCEMENT_MODE_UNSPECIFIED":
        raise invalid(f"{path}.enforcement_mode must be set.")
    attestors: list[str] = rule.get("requireAttestationsBy") or []
    if (mode == "REQUIRE_ATTESTATION") != bool(attestors):
        raise invalid(
            f"{path}.require_attestations_by must be given with REQUIRE_ATTESTATION, and only with it."
        )
    for attestor in attestors:
        if attestor.startswith(f"projects/{call.project}/") and not call.state.get(
            f"binaryauthorization/{attestor}"
        ):
            raise invalid(f"{path}.require_attestations_by: attestor '{attestor}' does not exist.")


@handles("binaryauthorization.projects.getPolicy")
def _policy(call: Call) -> Body:
    policy = call.state.get(_row(call))
    if policy:
        return policy
    default = {"name": f"projects/{call.project}/policy", **DEFAULT}
    return {**default, "etag": f'"{iam_policy.etag(default)}"'}


def _row(call: Call) -> str:
    return f"binaryauthorization/projects/{call.project}/policy/policy"
