"""Cloud Scheduler: jobs that call something at set times. None of them is run here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods import cron, generic, handles
from twin.gcp.methods.standard_methods import check_place

_JOBS: Final = "cloudscheduler.projects.locations.jobs"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,500}")
_TARGETS: Final = ("httpTarget", "pubsubTarget", "appEngineHttpTarget")
_RETRY: Final[Mapping[str, Any]] = services.tables("cloudscheduler")["retry"]
_MUTABLE: Final = frozenset(
    {"description", "schedule", "timeZone", "retryConfig", "attemptDeadline", *_TARGETS}
)


@handles(f"{_JOBS}.create")
def create(call: Call) -> dict[str, Any]:
    """A job."""
    parent = call.parameters["parent"]
    check_place(parent.split("/")[3], frozenset())
    name = str(call.body.get("name") or "")
    if not name.startswith(f"{parent}/jobs/") or not _ID.fullmatch(name.removeprefix(f"{parent}/jobs/")):
        raise invalid(
            "Job name must be formatted: "
            f"\"projects/<PROJECT_ID>/locations/<LOCATION_ID>/jobs/<JOB_ID>\", got '{name}'."
        )
    if call.state.get(f"cloudscheduler/{name}") is not None:
        raise exists(f"Job {name} already exists.")
    made: Body = {
        "timeZone": "Etc/UTC",
        "attemptDeadline": "180s",
        **call.body,
        "state": "ENABLED",
        "userUpdateTime": call.timestamp,
    }
    _check(call, made)
    return call.state.put(f"cloudscheduler/{name}", made)


def _check(call: Call, job: Body) -> None:
    if not job.get("schedule"):
        raise invalid("schedule must be specified.", reason="required")
    cron.check(job["schedule"], "schedule")
    cron.check_zone(job["timeZone"], "time zone")
    seconds = float(str(job["attemptDeadline"]).removesuffix("s"))
    if not 15 <= seconds <= 1800:
        raise invalid(f"attempt_deadline must be from 15s to 1800s, got {job['attemptDeadline']}.")
    given = [each for each in _TARGETS if job.get(each)]
    if len(given) != 1:
        raise invalid(f"Exactly one of {', '.join(_TARGETS)} must be set, got {given or 'none'}.")
    target = job[given[0]]
    if given[0] == "httpTarget":
        _check_http(call, target)
    elif given[0] == "pubsubTarget":
        topic = str(target.get("topicName") or "")
        if call.state.get(f"pubsub/{topic}") is None:
            raise not_found(f"Resource '{topic}' was not found.")
        if not target.get("data") and not target.get("attributes"):
            raise invalid("pubsub_target needs data or attributes.")
    job.setdefault("retryConfig", dict(_RETRY))


def _check_http(call: Call, target: Body) -> None:
    uri = str(target.get("uri") or "")
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", uri):
        raise invalid(f"http_target.uri '{uri}' is no HTTP or HTTPS address.")
    target.setdefault("httpMethod", "POST")
    if target.get("body") and target["httpMethod"] not in ("POST", "PUT", "PATCH"):
        raise invalid(f"http_target.body is not allowed with the method {target['httpMethod']}.")
    tokens = [each for each in ("oauthToken", "oidcToken") if target.get(each)]
    if len(tokens) > 1:
        raise invalid("Only one of http_target.oauth_token and http_target.oidc_token can be set.")
    if tokens == ["oauthToken"] and not re.fullmatch(r"https://[^/]*\.googleapis\.com(/\S*)?", uri):
        raise invalid("http_target.oauth_token is for addresses of *.googleapis.com only.")
    for each in tokens:
        email = str(target[each].get("serviceAccountEmail") or "")
        check_member(call, f"serviceAccount:{email}")
    if "oauthToken" in tokens:
        target["oauthToken"].setdefault("scope", "https://www.googleapis.com/auth/cloud-platform")


@handles(f"{_JOBS}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a job."""
    row = f"cloudscheduler/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    made = {**before}
    mask = [each for each in (call.parameters.get("updateMask") or "").split(",") if each]
    for field in mask or [each for each in call.body if each in _MUTABLE]:
        if field in _MUTABLE:
            made[field] = call.body.get(field)
    made = {field: value for field, value in made.items() if value is not None}
    made["userUpdateTime"] = call.timestamp
    _check(call, made)
    return call.state.put(row, made)


@handles(f"{_JOBS}.pause", f"{_JOBS}.resume")
def switch(call: Call) -> dict[str, Any]:
    """Pause or resume a job."""
    row = f"cloudscheduler/{call.parameters['name']}"
    body = call.need(row, generic.missing(call))
    wanted = {"pause": "PAUSED", "resume": "ENABLED"}[call.method.name]
    if body["state"] == wanted:
        raise precondition(f"Job is already {wanted.lower()}: {body['name']}.")
    return call.state.put(row, {**body, "state": wanted})


@handles(f"{_JOBS}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A job goes."""
    row = f"cloudscheduler/{call.parameters['name']}"
    call.need(row, generic.missing(call))
    call.state.delete(row)
    return {}
