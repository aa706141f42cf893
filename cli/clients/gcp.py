"""Requests to Google's APIs, by Google's own library for credentials.

Endpoints and the token are those of the variables that the provider reads (`GOOGLE_COMPUTE_CUSTOM_ENDPOINT`,
`GOOGLE_OAUTH_ACCESS_TOKEN`, ...), else Google's own and the application default credentials.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from cli.clients.errors import UncheckedError
from twin.gcp.apis import APIS, Api

_SECONDS: Final = 30
_TOKEN: Final = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 - a variable
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_QUOTAS: Final = Api("cloudquotas", "v1", "v1/", "CLOUD_QUOTAS")
_OFF: Final = ("SERVICE_DISABLED", "accessNotConfigured")
_COMPUTE: Final = "/compute/v1/"
_WAIT_SECONDS: Final = 150
_OPERATION_SECONDS: Final = 600.0
_PAUSE_SECONDS: Final = 0.2
OK: Final = 200
NO_CONTENT: Final = 204
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
CONFLICT: Final = 409


class ApiError(UncheckedError):
    """An error that an API answered. status: of HTTP. is_off: whether the project has the API switched
    off."""

    def __init__(self, status: int, message: str, *, is_off: bool = False) -> None:
        """Store all."""
        super().__init__(f"{status}: {message}")
        self.status = status
        self.is_off = is_off


class Client:
    """Requests for one project. local: refuse addresses outside this machine, which a twin has none of."""

    def __init__(self, project: str, *, local: bool) -> None:
        """Make no request yet."""
        self.project = project
        self.local = local

    def get(self, api: str, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return an answer. path: below the endpoint. Raises ApiError, and UncheckedError where the API
        cannot be reached."""
        return self.send("GET", api, path, parameters)

    def delete(self, api: str, path: str) -> None:
        """Delete a resource; wait for the end of an operation of Compute Engine. Raises as `get`."""
        answer = self.send("DELETE", api, path)
        if api == "compute":
            self._await(answer)

    def _await(self, operation: Mapping[str, Any]) -> None:
        # A wait returns after two minutes at most, or earlier, with the operation as it is then. Source:
        # reference of zoneOperations.wait.
        path = str(operation["selfLink"]).partition(_COMPUTE)[2]
        end = time.monotonic() + _OPERATION_SECONDS
        while operation.get("status") != "DONE":
            if time.monotonic() > end:
                raise UncheckedError(f"compute: the operation {operation.get('name')} has not ended")
            time.sleep(_PAUSE_SECONDS)
            operation = self.send("POST", "compute", f"{path}/wait", seconds=_WAIT_SECONDS)
        errors: Sequence[Mapping[str, Any]] = (operation.get("error") or {}).get("errors") or ()
        if errors:
            status = int(operation.get("httpErrorStatusCode") or CONFLICT)
            raise ApiError(status, "; ".join(str(error.get("message")) for error in errors))

    def send(
        self,
        method: str,
        api: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        seconds: int = _SECONDS,
    ) -> dict[str, Any]:
        """Return the answer to a request without a body; nothing where the API answers nothing. seconds: how
        long it is waited for. Raises as `get`."""
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        url = self._endpoint(api) + path
        try:
            answer = self._session.request(method, url, params=dict(parameters or {}), timeout=seconds)
        except GoogleAuthError as error:
            raise ApiError(401, f"no credentials of Google Cloud: {error}") from error
        except RequestException as error:
            raise UncheckedError(f"{api}: {error}") from error
        if answer.status_code not in (OK, NO_CONTENT):
            raise _error(answer)
        return answer.json() if answer.content else {}

    def pages(
        self, api: str, path: str, key: str, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """Yield the entries of all pages under a key: of a mapping, as aggregatedList of Compute Engine
        answers, its values. Raises as `get`."""
        more: dict[str, Any] = dict(parameters or {})
        while True:
            page = self.get(api, path, more)
            entries: Any = page.get(key) or ()
            yield from entries.values() if isinstance(entries, Mapping) else entries
            if not page.get("nextPageToken"):
                return
            more["pageToken"] = page["nextPageToken"]

    def exists(self, api: str, path: str) -> bool:
        """Return whether there is a resource: none, where its API is switched off. Raises as `get`."""
        try:
            self.get(api, path)
        except ApiError as error:
            if error.status == NOT_FOUND or error.is_off:
                return False
            raise
        return True

    def _endpoint(self, api: str) -> str:
        known = APIS.get(api, _QUOTAS)
        url = os.environ.get(known.variable) or known.default
        if self.local and not url.startswith("http://127.0.0.1:"):
            raise UncheckedError(f"the twin has no API {known.host}")
        return url if url.endswith("/") else f"{url}/"

    @cached_property
    def _session(self) -> Any:
        import google.auth
        from google.auth.transport.requests import AuthorizedSession
        from google.oauth2.credentials import Credentials

        if token := os.environ.get(_TOKEN):
            return AuthorizedSession(Credentials(token))  # pyright: ignore[reportUnknownArgumentType]
        default: Any = google.auth.default(scopes=[_SCOPE])  # pyright: ignore[reportUnknownMemberType]
        return AuthorizedSession(default[0])


def segment(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")


def _error(answer: Any) -> ApiError:
    try:
        error: Any = answer.json()["error"]
        reasons = [detail.get("reason") for detail in _details(error)]
        message = " ".join(str(error.get("message") or answer.reason).split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(answer.status_code, str(answer.reason))
    return ApiError(answer.status_code, message, is_off=any(reason in _OFF for reason in reasons))


def _details(error: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*(error.get("details") or ()), *(error.get("errors") or ())]
