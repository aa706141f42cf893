"""The API server, in plain dictionaries: what the simulation needs of it, and no more.

The `kubernetes` client does the transport and the credentials; its model classes are left out, because
turning every watched Pod into objects costs more than all else that the simulation does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_kube_config

Object = dict[str, Any]

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

TIMEOUT: Final = (2.0, 20.0)
"""Seconds to connect and to answer; the API server is on loopback."""


class ApiError(Exception):
    """The API server refused. status: the HTTP status; the text is the server's own message."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(f"{status} {reason or 'error'}: {message}")
        self.status = status
        self.reason = reason


class Unreachable(Exception):  # noqa: N818 - a state, and no error of the caller
    """There is no API server to talk to now."""


def path(api_version: str, plural: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a collection or of one object: `path("apps/v1", "deployments", "default", "web")`."""
    parts = ["/api" if "/" not in api_version else "/apis", api_version]
    if namespace:
        parts += ["namespaces", namespace]
    parts.append(plural)
    if name:
        parts.append(name)
    return "/".join(parts)


@contextmanager
def passing_over(*statuses: int) -> Iterator[None]:
    """Pass over refusals with these statuses: 404, 409 where an object was deleted or changed meanwhile."""
    try:
        yield
    except ApiError as error:
        if error.status not in statuses:
            raise


class Kube:
    """A client of one API server, by a kubeconfig file that may come later or change."""

    def __init__(self, kubeconfig: Path) -> None:
        self._file = kubeconfig
        self._lock = threading.Lock()
        self._client: ApiClient | None = None
        self._stamp = 0

    def get(self, where: str, **query: str | int) -> Object:
        """GET an object or a list."""
        return self._json("GET", where, query)

    def find(self, where: str) -> Object | None:
        """GET an object, or None where there is none."""
        with passing_over(404):
            return self.get(where)
        return None

    def create(self, where: str, body: Mapping[str, Any]) -> Object:
        """POST an object to its collection."""
        return self._json("POST", where, {}, body, JSON)

    def replace(self, where: str, body: Mapping[str, Any]) -> Object:
        """PUT an object; it is refused where the object has changed since it was read."""
        return self._json("PUT", where, {}, body, JSON)

    def merge(self, where: str, body: Mapping[str, Any], *, strategic: bool = False) -> Object:
        """JSON merge patch: None removes a key, lists are replaced. strategic: lists are merged by their keys
        where the type has such (conditions by `type`)."""
        return self._json("PATCH", where, {}, body, STRATEGIC if strategic else MERGE)

    def apply(self, where: str, body: Mapping[str, Any], manager: str) -> Object:
        """Server-side apply by a field manager that wins conflicts, as a cloud's own does."""
        return self._json("PATCH", where, {"fieldManager": manager, "force": "true"}, body, APPLY)

    def delete(self, where: str, *, grace: int | None = None) -> bool:
        """Delete an object; False where there was none. grace: seconds, 0 removes a Pod at once."""
        query: dict[str, str | int] = {"propagationPolicy": "Background"}
        if grace is not None:
            query["gracePeriodSeconds"] = grace
        with passing_over(404):
            self._json("DELETE", where, query)
            return True
        return False

    def watch(self, where: str, resource_version: str, seconds: int = 240) -> Iterator[Object]:
        """Events of a collection since a version, with bookmarks, until the server ends the watch."""
        query: dict[str, str | int] = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": seconds,
        }
        response = self._call("GET", where, query, None, JSON, (TIMEOUT[0], seconds + 30.0))
        buffered = b""
        try:
            for chunk in response.stream(65536, decode_content=True):
                buffered += chunk
                *lines, buffered = buffered.split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(str(error)) from error
        finally:
            response.close()

    def _json(
        self,
        method: str,
        where: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None = None,
        content: str = JSON,
    ) -> Object:
        response = self._call(method, where, query, body, content, TIMEOUT)
        try:
            return json.loads(response.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(f"{method} {where}: {error}") from error
        finally:
            response.release_conn()

    def _call(
        self,
        method: str,
        where: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        content: str,
        timeout: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        client = self._connected()
        url = client.configuration.host + where + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": JSON, "Content-Type": content, "User-Agent": "aiplatform-twin"}
        # The client adds them only to calls of its generated methods. Without a token there are none.
        settings: Any = client.configuration.auth_settings()
        headers |= {setting["key"]: setting["value"] for setting in settings.values()}
        try:
            answer = client.call_api(
                method,
                url,
                headers,
                body=None if body is None else json.loads(json.dumps(body)),
                _request_timeout=timeout,
            )
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise Unreachable(f"{method} {where}: {error}") from error
        response = answer.response
        if response.status == 401:
            # A token may have been replaced, which is in a file that the kubeconfig names.
            with self._lock:
                self._client = None
        if response.status >= 400:
            raise _refusal(response)
        return response

    def _connected(self) -> ApiClient:
        try:
            stamp = self._file.stat().st_mtime_ns
        except OSError as error:
            raise Unreachable(f"no kubeconfig yet: {error}") from error
        with self._lock:
            if self._client is None or stamp != self._stamp:
                configuration = Configuration()
                try:
                    load_kube_config(str(self._file), client_configuration=configuration)
                except (ConfigException, OSError, ValueError) as error:
                    raise Unreachable(f"{self._file} cannot be used yet: {error}") from error
                configuration.retries = False
                configuration.proxy = None
                self._client, self._stamp = ApiClient(configuration), stamp
            return self._client


def _refusal(response: urllib3.BaseHTTPResponse) -> ApiError:
    try:
        status = json.loads(response.data)
        return ApiError(response.status, str(status.get("message", "")), str(status.get("reason", "")))
    except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
        return ApiError(response.status, response.reason or "")
    finally:
        response.release_conn()
