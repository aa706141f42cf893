"""Whether there are credentials for the environment's project, and which APIs are switched on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cli.clients.errors import UncheckedError
from cli.clients.gcp import ApiError
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CREDENTIALS: Final = "credentials"
APIS: Final = "APIs"
FIRST_APIS: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""What a project has switched on before the first `up`: the program switches on the others by them."""
_SERVICE: Final = "gcp:projects/service:Service"
_BATCH: Final = 20
"""Services of one services.batchGet at most. Source: reference of Service Usage; we keep to the limit that
batchEnable states."""
_LOG_IN: Final = "gcloud auth application-default login; gcloud projects describe {project}"


def check_credentials(scope: Scope) -> Iterator[Result]:
    """Read the project by the credentials."""
    log_in = _LOG_IN.format(project=scope.account)
    try:
        project = scope.client.get("cloudresourcemanager", f"projects/{scope.account}")
    except ApiError as error:
        if error.is_off:
            # The credentials were accepted; the API is one of those that are checked next.
            yield ok(CREDENTIALS, scope.account, "accepted; Resource Manager is switched off")
        else:
            reason = f"the project cannot be read: {error}"
            yield problem(CREDENTIALS, scope.account, reason, log_in)
        return
    except UncheckedError as error:
        yield problem(CREDENTIALS, scope.account, str(error), log_in)
        return
    state = project.get("lifecycleState", "ACTIVE")
    if state == "ACTIVE":
        yield ok(CREDENTIALS, scope.account, f"project {project.get('projectNumber', '')}, {state}")
        return
    restore = f"gcloud projects undelete {scope.account}"
    yield problem(CREDENTIALS, scope.account, f"the project is {state}; expected ACTIVE", restore)


def check_apis(scope: Scope) -> Iterator[Result]:
    """Compare the APIs that are switched on with those that the environment needs."""
    wanted = {str(entry.get("service")) for entry in scope.resources.of(_SERVICE) if entry.get("service")}
    try:
        states = _states(scope, sorted({*FIRST_APIS, *wanted}))
    except ApiError as error:
        if error.is_off:
            yield _off(scope, FIRST_APIS)
        else:
            yield not_checked(APIS, scope.account, str(error))
        return
    off_first = [name for name in FIRST_APIS if states.get(name) != "ENABLED"]
    if off_first:
        yield _off(scope, off_first)
    else:
        yield ok(APIS, " and ".join(FIRST_APIS), "on")
    off = sorted(name for name in wanted - {*FIRST_APIS} if states.get(name) != "ENABLED")
    on = len(wanted) - len(off)
    later = f"; the program switches on {', '.join(off)}" if off else ""
    if wanted:
        yield ok(APIS, scope.account, f"{on} of {len(wanted)} needed are on{later}")


def _off(scope: Scope, names: Sequence[str]) -> Result:
    reason = "switched off, without which the program can switch on no API"
    command = f"gcloud services enable {' '.join(names)} --project {scope.account}"
    return problem(APIS, " and ".join(names), reason, command)


def _states(scope: Scope, names: Sequence[str]) -> dict[str, str]:
    parent = f"projects/{scope.account}"
    states: dict[str, str] = {}
    for start in range(0, len(names), _BATCH):
        batch = [f"{parent}/services/{name}" for name in names[start : start + _BATCH]]
        answer: Any = scope.client.get("serviceusage", f"{parent}/services:batchGet", {"names": batch})
        for service in answer.get("services") or ():
            states[str(service["name"]).rpartition("/")[2]] = str(service.get("state"))
    return states
