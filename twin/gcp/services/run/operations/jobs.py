"""Cloud Run: jobs, created and stored. Their containers are not run."""

from __future__ import annotations

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import serve


def _check(_: Call, job: Body) -> None:
    containers = ((job.get("template") or {}).get("template") or {}).get("containers") or []
    if not containers or not all(container.get("image") for container in containers):
        raise invalid("template.template.containers: expected a container with an image.")
    job["terminalCondition"] = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}


serve("run.projects.locations.jobs", check=_check)
