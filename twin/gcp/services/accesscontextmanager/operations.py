"""Access Context Manager: service perimeters and access levels of an access policy.

The access policy belongs to an organization, of which an instance knows nothing: any number is taken for one.
"""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods.standard_methods import serve
from twin.gcp.services.serviceusage import data as serviceusage

_API: Final = "accesscontextmanager"
_POLICY: Final = re.compile(r"accessPolicies/\d+/.*")


def _in_policy(_: Call, body: Body) -> None:
    if not _POLICY.fullmatch(body["name"]):
        raise invalid(f"Invalid access policy in '{body['name']}': accessPolicies/NUMBER is right.")


def _vacate_level(call: Call, level: Body) -> None:
    """A level goes only when no perimeter names it."""
    for _, body in call.state.of(f"{_API}.servicePerimeters", f"{_API}/"):
        if f"'{level['name']}'" in str(body):
            raise invalid(f"Access level '{level['name']}' is referenced by '{body['name']}'.")


def _check(call: Call, perimeter: Body) -> None:
    bridge = perimeter.get("perimeterType") == "PERIMETER_TYPE_BRIDGE"
    if perimeter.get("spec") and not perimeter.get("useExplicitDryRunSpec"):
        raise invalid("spec must not be set unless use_explicit_dry_run_spec is true.")
    for field in ("status", "spec"):
        if perimeter.get(field):
            _check_config(call, perimeter, field, bridge)


def _check_config(call: Call, perimeter: Body, field: str, bridge: bool) -> None:
    config = perimeter[field]
    if bridge and (config.get("restrictedServices") or config.get("accessLevels")):
        raise invalid("A perimeter bridge has resources only.")
    for resource in config.get("resources") or []:
        _check_resource(call, perimeter, resource, bridge, field)
    for service in config.get("restrictedServices") or []:
        if not serviceusage.known(service):
            raise invalid(
                f"{field}.restricted_services: '{service}' is not supported by VPC Service Controls."
            )
    for level in config.get("accessLevels") or []:
        _check_level(call, level)
    for index, rule in enumerate(config.get("ingressPolicies") or []):
        _check_rule(call, rule, f"{field}.ingress_policies[{index}]", "ingress")
    for index, rule in enumerate(config.get("egressPolicies") or []):
        _check_rule(call, rule, f"{field}.egress_policies[{index}]", "egress")


def _check_resource(call: Call, perimeter: Body, resource: str, bridge: bool, field: str) -> None:
    network = resource.startswith("//compute.googleapis.com/projects/")
    if not network and not re.fullmatch(r"projects/\d+", resource):
        raise invalid(f"Invalid resource '{resource}': projects/PROJECT_NUMBER is right.")
    if not network and resource != f"projects/{call.project_number}":
        raise invalid(f"The resource '{resource}' was not found.")
    if bridge or field == "spec":
        return
    for _, other in call.state.of(f"{_API}.servicePerimeters", f"{_API}/"):
        regular = other.get("perimeterType") != "PERIMETER_TYPE_BRIDGE"
        resources = (other.get("status") or {}).get("resources") or []
        if other["name"] != perimeter["name"] and regular and resource in resources:
            raise invalid(f"Resource '{resource}' is in the regular perimeter '{other['name']}' already.")


def _check_level(call: Call, level: str) -> None:
    if level != "*" and call.state.get(f"{_API}/{level}") is None:
        raise invalid(f"Access level '{level}' was not found.")


def _check_rule(call: Call, rule: Body, where: str, way: str) -> None:
    source, target = rule.get(f"{way}From") or {}, rule.get(f"{way}To") or {}
    kind = source.get("identityType") or ""
    if source.get("identities") and kind not in ("", "IDENTITY_TYPE_UNSPECIFIED"):
        raise invalid(f"{where}: identities cannot be set together with identity_type {kind}.")
    for identity in source.get("identities") or []:
        if not identity.startswith(("serviceAccount:", "user:", "group:", "principal://", "principalSet://")):
            raise invalid(f"{where}: invalid identity '{identity}'.")
        check_member(call, identity)
    for source_entry in source.get("sources") or []:
        if source_entry.get("accessLevel"):
            _check_level(call, source_entry["accessLevel"])
    resources = target.get("resources") or []
    for resource in resources:
        if resource != "*" and not re.fullmatch(r"projects/\d+", resource):
            raise invalid(f"{where}: invalid resource '{resource}': * or projects/PROJECT_NUMBER is right.")
    if "*" in resources and len(resources) > 1:
        raise invalid(f"{where}: * cannot be combined with other resources.")
    for operation in target.get("operations") or []:
        service = str(operation.get("serviceName") or "")
        if service != "*" and not serviceusage.known(service):
            raise invalid(f"{where}: unknown service '{service}'.")
        if service == "*" and operation.get("methodSelectors"):
            raise invalid(f"{where}: method selectors cannot be set for the service *.")


serve(f"{_API}.accessPolicies.servicePerimeters", prepare=_in_policy, check=_check)
serve(f"{_API}.accessPolicies.accessLevels", prepare=_in_policy, vacate=_vacate_level)
