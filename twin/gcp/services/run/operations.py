"""Cloud Run: services with their revisions, and jobs, of which none runs.

Source: Cloud Run Admin API v2, and "Service limits" of its documentation.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import serve

_SERVICES: Final = "run.projects.locations.services"
_LATEST: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_MEMORY: Final = re.compile(r"(\d+)(Mi|Gi)")
_CPUS: Final = {1: (128, 4096), 2: (128, 8192), 4: (2048, 16384), 6: (4096, 24576), 8: (4096, 32768)}
"""CPUs -> the least and the most memory, MiB ("Configure memory limits", "Configure CPU limits")."""
_PART: Final = (0.08, 128, 512)
"""The least part of a CPU, and its least and most memory."""
_CPU: Final = re.compile(r"(\d+)m|(\d+(?:\.\d+)?)")


def _prepare(call: Call, service: Body) -> None:
    name, place = service["name"].rpartition("/")[2], service["name"].split("/")[3]
    service |= {
        "uri": f"https://{name}-{call.project_number}.{place}.run.app",
        "creator": call.principal,
        "generation": "0",
    }
    service["urls"] = [service["uri"]]
    _revised(call, service)


def _revised(call: Call, service: Body) -> None:
    """A template makes a revision, which is ready at once."""
    generation = int(service["generation"]) + 1
    name = service["name"].rpartition("/")[2]
    stated = (service.get("template") or {}).get("revision")
    revision = stated or f"{name}-{generation:05d}-{uuid.uuid4().hex[:3]}"
    row = f"{service['name']}/revisions/{revision}"
    if call.state.get(f"run/{row}") is not None:
        raise invalid(f"Revision named '{revision}' with different configuration already exists.")
    condition = {"type": "Ready", "state": "CONDITION_SUCCEEDED", "lastTransitionTime": call.timestamp}
    service |= {
        "generation": str(generation),
        "observedGeneration": str(generation),
        "lastModifier": call.principal,
        "latestCreatedRevision": row,
        "latestReadyRevision": row,
        "terminalCondition": condition,
    }
    call.state.put(f"run/{row}", {"name": row, "createTime": call.timestamp, "uid": str(uuid.uuid4())})


def _renew(call: Call, before: Body, after: Body) -> None:
    if before.get("template") != after.get("template"):
        _revised(call, after)


def _check(call: Call, service: Body) -> None:
    _check_template(call, service, service.get("template") or {})
    traffic = service.get("traffic") or [{"type": _LATEST, "percent": 100}]
    service["traffic"] = traffic
    total = sum(int(target.get("percent") or 0) for target in traffic)
    if total != 100:
        raise invalid(f"Traffic targets must sum to 100, got {total}.")
    for target in traffic:
        if target.get("type") == _LATEST:
            continue
        row = f"run/{service['name']}/revisions/{target.get('revision', '')}"
        if call.state.get(row) is None:
            raise not_found(f"Revision '{target.get('revision', '')}' not found.")
    service["trafficStatuses"] = [dict(target) for target in traffic]


def _check_template(call: Call, service: Body, template: Body) -> None:
    place = service["name"].split("/")[3]
    containers: list[Body] = template.get("containers") or []
    if not containers or not all(container.get("image") for container in containers):
        raise invalid("template.containers: at least one container with an image is required.")
    account = template.get("serviceAccount")
    if account:
        check_member(call, f"serviceAccount:{account}")
    check_key(call, template.get("encryptionKey"), place, "serverless-robot-prod", "service")
    for container in containers:
        _check_container(container)


def _check_container(container: Body) -> None:
    container.setdefault("ports", [{"name": "http1", "containerPort": 8080}])
    limits = container.setdefault("resources", {}).setdefault("limits", {})
    cpu, memory = str(limits.setdefault("cpu", "1000m")), str(limits.setdefault("memory", "512Mi"))
    match = _MEMORY.fullmatch(memory)
    if match is None:
        raise invalid(f"Invalid value specified for container memory: '{memory}'.")
    size = int(match[1]) * (1024 if match[2] == "Gi" else 1)
    number = _CPU.fullmatch(cpu)
    cpus = 0.0 if number is None else int(number[1]) / 1000 if number[1] else float(number[2])
    least, most = _CPUS.get(int(cpus), (0, 0)) if cpus >= 1 else _PART[1:]
    if cpus < _PART[0] or not most or (cpus >= 1 and cpus != int(cpus)):
        raise invalid(f"Invalid value specified for cpu: '{cpu}'. 0.08 to 1, or 1, 2, 4, 6 or 8, is right.")
    if not least <= size <= most:
        raise invalid(
            f"Invalid value specified for container memory: {memory}. With {cpu} CPUs {least}Mi to {most}Mi "
            "are right."
        )
    names = [str(entry.get("name")) for entry in container.get("env") or []]
    if {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"} & {*names}:
        raise invalid(
            "The following reserved env names were provided: PORT, K_*. These are set by the system."
        )


def _vacate(call: Call, service: Body) -> None:
    for row, _ in list(call.state.of(f"{_SERVICES}.revisions", f"run/{service['name']}/revisions/")):
        call.state.delete(row)


serve("run.projects.locations.services", prepare=_prepare, check=_check, renew=_renew, vacate=_vacate)


def _check_job(_: Call, job: Body) -> None:
    containers = ((job.get("template") or {}).get("template") or {}).get("containers") or []
    if not containers or not all(container.get("image") for container in containers):
        raise invalid("template.template.containers: expected a container with an image.")
    job["terminalCondition"] = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}


serve("run.projects.locations.jobs", check=_check_job)
