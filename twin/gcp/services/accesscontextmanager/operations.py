"""Access Context Manager: service perimeters and access levels of an access policy.

The access policy belongs to an organization, of which an instance knows nothing: any number is taken for one.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member, etag
from twin.gcp.methods import generic, handles
from twin.gcp.services.serviceusage import data as serviceusage

_API: Final = "accesscontextmanager"
_POLICY: Final = re.compile(r"accessPolicies/\d+")
_SHORT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}")
_TYPES: Final = {"servicePerimeters": "ServicePerimeter", "accessLevels": "AccessLevel"}
_MUTABLE: Final = {
    "servicePerimeters": frozenset({"title", "description", "status", "spec", "useExplicitDryRunSpec"}),
    "accessLevels": frozenset({"title", "description", "basic", "custom"}),
}
_PARTS: Final = ("accessPolicies.servicePerimeters", "accessPolicies.accessLevels")


def _ids(word: str) -> tuple[str, ...]:
    return tuple(f"{_API}.{part}.{word}" for part in _PARTS)


def _kind(call: Call) -> str:
    return call.method.id.split(".")[-2]


def _done(call: Call, kind: str, body: Body) -> Body:
    name = f"operations/{kind}/{secrets.token_hex(8)}"
    response = f"google.identity.accesscontextmanager.v1.{kind}"
    return operations.long_running(call, name, body, kind=response)


@handles(*_ids("create"))
def create(call: Call) -> dict[str, Any]:
    """A perimeter or a level."""
    parent, kind = call.parameters["parent"], _kind(call)
    name = str(call.body.get("name") or "")
    if not _POLICY.fullmatch(parent):
        raise invalid(f"Invalid access policy '{parent}': accessPolicies/NUMBER is right.")
    short = name.removeprefix(f"{parent}/{kind}/")
    if short == name or not _SHORT.fullmatch(short):
        raise invalid(
            f"Invalid name '{name}': {parent}/{kind}/NAME with letters, digits and _, a letter first."
        )
    if call.state.get(f"{_API}/{name}") is not None:
        raise exists(f"{_TYPES[kind]} '{name}' already exists.")
    made: Body = dict(call.body)
    _check(call, kind, made)
    _seal(made, kind)
    return _done(call, _TYPES[kind], call.state.put(f"{_API}/{name}", made))


@handles(*_ids("patch"))
def patch(call: Call) -> dict[str, Any]:
    """What can change of one."""
    kind, row = _kind(call), f"{_API}/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    if not call.parameters.get("updateMask"):
        raise invalid("update_mask must be specified.")
    made = generic.masked(call, before, _MUTABLE[kind])
    _check(call, kind, made)
    _seal(made, kind)
    return _done(call, _TYPES[kind], call.state.put(row, made))


@handles(*_ids("delete"))
def delete(call: Call) -> dict[str, Any]:
    """A perimeter goes; a level only when no perimeter names it."""
    name, kind = call.parameters["name"], _kind(call)
    call.need(f"{_API}/{name}", generic.missing(call))
    if kind == "accessLevels":
        for _, body in call.state.of(f"{_API}.servicePerimeters", f"{_API}/"):
            if f"'{name}'" in str(body):
                raise invalid(f"Access level '{name}' is referenced by '{body['name']}'.")
    call.state.delete(f"{_API}/{name}")
    return _done(call, "Empty", {})


def _seal(body: Body, kind: str) -> None:
    """Perimeters have an etag, levels have none."""
    if kind == "servicePerimeters":
        body["etag"] = etag({key: each for key, each in body.items() if key != "etag"})


def _check(call: Call, kind: str, body: Body) -> None:
    if not body.get("title"):
        raise invalid("title must be specified.", reason="required")
    if kind == "accessLevels":
        if len([each for each in ("basic", "custom") if body.get(each)]) != 1:
            raise invalid("Exactly one of basic and custom must be set.")
        return
    bridge = body.get("perimeterType") == "PERIMETER_TYPE_BRIDGE"
    if body.get("spec") and not body.get("useExplicitDryRunSpec"):
        raise invalid("spec must not be set unless use_explicit_dry_run_spec is true.")
    for field in ("status", "spec"):
        if body.get(field):
            _check_config(call, body, field, bridge)


def _check_config(call: Call, perimeter: Body, field: str, bridge: bool) -> None:
    config = perimeter[field]
    if bridge and (config.get("restrictedServices") or config.get("accessLevels")):
        raise invalid("A perimeter bridge has resources only.")
    for each in config.get("resources") or []:
        _check_resource(call, perimeter, each, bridge, field)
    for each in config.get("restrictedServices") or []:
        if not serviceusage.known(each):
            raise invalid(f"{field}.restricted_services: '{each}' is not supported by VPC Service Controls.")
    for each in config.get("accessLevels") or []:
        _check_level(call, each)
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
        held = (other.get("status") or {}).get("resources") or []
        if other["name"] != perimeter["name"] and regular and resource in held:
            raise invalid(f"Resource '{resource}' is in the regular perimeter '{other['name']}' already.")


def _check_level(call: Call, level: str) -> None:
    if level != "*" and call.state.get(f"{_API}/{level}") is None:
        raise invalid(f"Access level '{level}' was not found.")


def _check_rule(call: Call, rule: Body, where: str, way: str) -> None:
    source, target = rule.get(f"{way}From") or {}, rule.get(f"{way}To") or {}
    kind = source.get("identityType") or ""
    if source.get("identities") and kind not in ("", "IDENTITY_TYPE_UNSPECIFIED"):
        raise invalid(f"{where}: identities cannot be set together with identity_type {kind}.")
    for each in source.get("identities") or []:
        if not each.startswith(("serviceAccount:", "user:", "group:", "principal://", "principalSet://")):
            raise invalid(f"{where}: invalid identity '{each}'.")
        check_member(call, each)
    for each in source.get("sources") or []:
        if each.get("accessLevel"):
            _check_level(call, each["accessLevel"])
    resources = target.get("resources") or []
    for each in resources:
        if each != "*" and not re.fullmatch(r"projects/\d+", each):
            raise invalid(f"{where}: invalid resource '{each}': * or projects/PROJECT_NUMBER is right.")
    if "*" in resources and len(resources) > 1:
        raise invalid(f"{where}: * cannot be combined with other resources.")
    for operation in target.get("operations") or []:
        service = str(operation.get("serviceName") or "")
        if service != "*" and not serviceusage.known(service):
            raise invalid(f"{where}: unknown service '{service}'.")
        if service == "*" and operation.get("methodSelectors"):
            raise invalid(f"{where}: method selectors cannot be set for the service *.")
