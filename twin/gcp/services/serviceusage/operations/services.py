"""Service Usage: which services the project has enabled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from twin.gcp.api_server import initial_state, operations
from twin.gcp.api_server.errors import GoogleError, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.serviceusage import data as serviceusage

BATCH: Final = 20
"""Services of one batchEnable at most. Source: services.batchEnable of the Service Usage reference."""
_NO_IDENTITY: Final = ("compute.googleapis.com",)
"""Services whose agents come with their API alone. Source: terraform-google-project-factory#628, which does
not record the refusal's words."""
_TYPES: Final = "google.api.serviceusage.v1"


def _name(call: Call, service: str) -> str:
    return f"serviceusage/projects/{call.project}/services/{service}"


def _service(call: Call) -> str:
    service = call.parameters["name"].rsplit("/", 1)[-1]
    _known(service)
    return service


def _known(service: str) -> None:
    if not serviceusage.known(service):
        raise GoogleError(
            403,
            "PERMISSION_DENIED",
            f"Not found or permission denied for service(s): {service}.",
            details=[
                {
                    "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
                    "violations": [{"type": "googleapis.com", "subject": "220002"}],
                },
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
                    "domain": "serviceusage.googleapis.com",
                    "metadata": {"services": service},
                },
            ],
        )


def representation(call: Call, service: str) -> Body:
    """A service as the API shows it, enabled or not."""
    enabled_service = call.state.get(_name(call, service))
    return enabled_service or {
        "name": f"projects/{call.project_number}/services/{service}",
        "config": {"name": service, "title": serviceusage.title(service), "documentation": {}, "usage": {}},
        "state": "DISABLED",
        "parent": f"projects/{call.project_number}",
    }


def switch_on(call: Call, service: str) -> Body:
    """Enable a service and what it depends on."""
    for dependency in serviceusage.DEPENDS.get(service, ()):
        if not call.enabled(dependency):
            switch_on(call, dependency)
    if call.enabled(service):
        return representation(call, service)
    return initial_state.enable(call.state, call.project, call.project_number, service)


@handles("serviceusage.services.enable")
def enable(call: Call) -> dict[str, Any]:
    """Enable one."""
    service = _service(call)
    was = call.enabled(service)
    body = switch_on(call, service)
    if was:
        # Nothing to do: the operation has no name to ask for.
        return {
            "name": "operations/noop.DONE_OPERATION",
            "done": True,
            "response": {"@type": f"type.googleapis.com/{_TYPES}.EnableServiceResponse", "service": body},
        }
    return _done(call, {"service": body}, "EnableServiceResponse", [service])


@handles("serviceusage.services.batchEnable")
def batch_enable(call: Call) -> dict[str, Any]:
    """Enable some, all or none."""
    wanted: list[str] = call.body.get("serviceIds") or []
    if not wanted:
        raise invalid("At least one service must be specified.")
    if len(wanted) > BATCH:
        raise invalid(f"A batch request can enable at most {BATCH} services at a time, got {len(wanted)}.")
    for service in wanted:
        _known(service)
    enabled = [switch_on(call, service) for service in wanted]
    return _done(call, {"services": enabled}, "BatchEnableServicesResponse", wanted)


@handles("serviceusage.services.disable")
def disable(call: Call) -> dict[str, Any]:
    """Disable one; what depends on it must be disabled before, or with it."""
    service = _service(call)
    if not call.enabled(service):
        raise precondition(
            f"The service {service} is not enabled for consumer projects/{call.project_number}."
        )
    dependents = [
        other for other, needs in serviceusage.DEPENDS.items() if service in needs and call.enabled(other)
    ]
    if dependents and not call.body.get("disableDependentServices"):
        raise precondition(
            f"The service {service} is depended on by the following active service(s): "
            f"{','.join(sorted(dependents))}; Please specify disable_dependent_services=true if you want to "
            "proceed with disabling all services."
        )
    _used(call, [service, *dependents])
    for dependent in [*dependents, service]:
        if call.state.get(_name(call, dependent)):
            call.state.delete(_name(call, dependent))
    return _done(call, {"service": representation(call, service)}, "DisableServiceResponse", [service])


def _used(call: Call, services: list[str]) -> None:
    """Services with resources are not disabled (checkIfServiceHasUsage CHECK)."""
    if call.body.get("checkIfServiceHasUsage") != "CHECK":
        return
    for service in services:
        api = service.partition(".")[0]
        if any(collection.startswith(f"{api}.") for collection, _, born in call.state.every() if not born):
            raise precondition(f"The service {service} has been used recently or has resources.")


@handles("serviceusage.services.get")
def get(call: Call) -> dict[str, Any]:
    """One service."""
    return representation(call, _service(call))


@handles("serviceusage.services.batchGet")
def batch_get(call: Call) -> dict[str, Any]:
    """Some services."""
    names: list[str] = call.parameters.get("names") or []
    services = [name.rsplit("/", 1)[-1] for name in names]
    for service in services:
        _known(service)
    return {"services": [representation(call, service_name) for service_name in services]}


@handles("serviceusage.services.list")
def listing(call: Call) -> dict[str, Any]:
    """The enabled services, or all."""
    text = call.parameters.pop("filter", "") or ""
    if text not in ("", "state:ENABLED", "state:DISABLED"):
        raise invalid(f"Invalid filter: {text}. state:ENABLED and state:DISABLED are right.")
    if text == "state:ENABLED":
        rows = call.state.of("serviceusage.services", f"serviceusage/projects/{call.project}/")
        return generic.page(call, [body for _, body in rows], "services")
    names = [name for name in serviceusage.every() if not (text and call.enabled(name))]
    return generic.page(call, [representation(call, name) for name in names], "services")


@handles("serviceusage.services.generateServiceIdentity")
def identity(call: Call) -> dict[str, Any]:
    """The account of a service, made where it is not there yet."""
    service = call.parameters["parent"].rsplit("/", 1)[-1]
    _known(service)
    emails = [agent_ for agent_ in serviceusage.AGENTS.get(service, ()) if agent_.startswith("service-")]
    if service in _NO_IDENTITY or not emails:
        raise invalid(f"Service identity generation is not supported for service {service}.")
    email = emails[0].format(number=call.project_number)
    agent = initial_state.agent(
        call.state, call.project, email, f"{serviceusage.title(service)} Service Agent"
    )
    response = {"email": email, "uniqueId": agent["uniqueId"]}
    return operations.long_running(
        replace(call, lasts=0),
        f"operations/finished.DONE_OPERATION.{operations.numeric_id()}",
        response,
        kind="google.api.serviceusage.v1beta1.ServiceIdentity",
    )


def _done(call: Call, response: Body, kind: str, services: list[str]) -> Body:
    resources = [f"projects/{call.project_number}/services/{service}" for service in services]
    metadata = {"@type": f"type.googleapis.com/{_TYPES}.OperationMetadata", "resourceNames": resources}
    name = operations.new_name(call.project_number)
    return operations.long_running(call, name, response, kind=f"{_TYPES}.{kind}", metadata=metadata)
