"""Cloud Scheduler: jobs that call something at set times. None of them is run here."""

from __future__ import annotations

from typing import Any

from twin.gcp.api_server.errors import precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods import cron, handles
from twin.gcp.methods.standard_methods import serve


def _check(call: Call, job: Body) -> None:
    cron.check(job["schedule"], "schedule", english=True)
    cron.check_zone(job["timeZone"], "time zone")
    if job.get("httpTarget"):
        _check_http(call, job["httpTarget"])


def _check_http(call: Call, target: Body) -> None:
    target.setdefault("httpMethod", "POST")
    tokens = [name for name in ("oauthToken", "oidcToken") if target.get(name)]
    for token in tokens:
        email = str(target[token].get("serviceAccountEmail") or "")
        check_member(call, f"serviceAccount:{email}")
    if "oauthToken" in tokens:
        target["oauthToken"].setdefault("scope", "https://www.googleapis.com/auth/cloud-platform")


JOBS = serve("cloudscheduler.projects.locations.jobs", check=_check)


@handles(f"{JOBS.methods}.pause", f"{JOBS.methods}.resume")
def switch(call: Call) -> dict[str, Any]:
    """Pause or resume a job."""
    body = JOBS.need(call, call.parameters["name"])
    wanted = {"pause": "PAUSED", "resume": "ENABLED"}[call.method.name]
    if body["state"] == wanted:
        raise precondition(f"Job is already {wanted.lower()}: {body['name']}.")
    return call.state.put(f"cloudscheduler/{body['name']}", {**body, "state": wanted})
