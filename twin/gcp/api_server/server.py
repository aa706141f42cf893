"""The API server: one request to what API and method, in whose name, in which project; and its answer."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

from twin.gcp import methods
from twin.gcp.api_server import discovery, schema
from twin.gcp.api_server.errors import GoogleError, denied, invalid, not_found
from twin.gcp.api_server.fault_injection import InjectedFaults
from twin.gcp.api_server.request import Call, disabled
from twin.gcp.api_server.state import State
from twin.gcp.iam import PERMISSIONS
from twin.gcp.iam.identity import Identity
from twin.instances import Instance
from twin.web import Answer

LOG = logging.getLogger(__name__)
_REMEMBERED: Final = 7 * 86400
"""Seconds that an answer to an intent and an operation are kept."""
_INTENT: Final = "HTTP_X_TWIN_INTENT"
_CARRIERS: Final = ("upload", "download")
_JSON: Final = ("storage/", "upload/storage/", "download/storage/", "batch/storage/")
"""Paths of Cloud Storage's JSON API. Any other is one of its XML API, of which the twin has the reading of an
object, `/BUCKET/OBJECT`."""
_WORDS: Final = {"insert": "create", "patch": "update", "aggregatedList": "list"}
_OWN_RIGHTS: Final = frozenset({"storage.objects.rewrite"})
"""Methods that take rights on two resources: their handlers decide."""
_HOLDERS: Final = ("resource", "name", "topic", "subscription", "parent")
"""Parameters that name what a call is about, or what it is in."""
_NO_PROJECT: Final = frozenset({"roles", "operations", "permissions", "services", "b", "-"})


class ApiServer:
    """One instance's Google Cloud."""

    operation_seconds = 0.2
    """Run time of operations and jobs, in seconds; on Google Cloud it is seconds to minutes."""

    def __init__(self, instance: Instance) -> None:
        from twin.gcp.api_server import initial_state
        from twin.gcp.services.artifactregistry.registry import ArtifactRegistry

        self.instance = instance
        folder = instance.folder / "gcp"
        self.state = State(folder / "state.db")
        self.faults = InjectedFaults(folder / "faults.json")
        self.identity = Identity(instance, self.state)
        with self.state.transaction():
            self.project_number = initial_state.make(self.state, instance)
            self.state.forget(time.time() - _REMEMBERED)
        self._registry = ArtifactRegistry(self)

    @property
    def greeting(self) -> str:
        """One line on what the start found."""
        from twin.gcp.api_server import inventory

        count = sum(map(len, inventory.of(self).values()))
        return f"project {self.instance.account} ({self.project_number}), {count} resources"

    def handle(self, environ: dict[str, Any]) -> Answer:
        """A WSGI request."""
        if environ.get("PATH_INFO", "").startswith("/_twin/"):
            from twin.gcp.api_server import admin_api

            return admin_api.handle(self, environ)
        if self._registry.serves(environ):
            return self._registry.answer(environ, _read(environ))
        host, path = _address(environ)
        api, _ = discovery.api_of(host, path)
        try:
            return self._answer(environ, host, path)
        except GoogleError as error:
            return _refused(api, error)
        except NotImplementedError as error:
            return _refused(api, GoogleError(501, "UNIMPLEMENTED", f"not in the twin: {error}"))
        except Exception:
            # A defect of the twin: its words must reach who asked, and the log states where.
            LOG.exception("%s %s%s failed in the twin", environ["REQUEST_METHOD"], host, path)
            text = f"{environ['REQUEST_METHOD']} {host}{path} failed in the twin itself; see its log"
            return _refused(api, GoogleError(501, "UNIMPLEMENTED", text))

    def close(self) -> None:
        """Release the file."""
        self.state.close()

    def _answer(self, environ: dict[str, Any], host: str, path: str) -> Answer:
        principal = self.identity.of_request(environ.get("HTTP_AUTHORIZATION", ""))
        verb = environ["REQUEST_METHOD"]
        raw = _read(environ)
        override = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE")
        text = environ.get("QUERY_STRING", "")
        if override:
            # Clients send what is too long for a URL as a form.
            verb, text, raw = override, raw.decode("utf-8", "replace"), b""
        if "upload_id=" in text:
            # A resumable upload goes on by PUT, and is the method that began it.
            verb = "POST"
        match = discovery.method(host, verb, path)
        if match is None:
            raise not_found(f"The requested URL {path} was not found on this server ({host}).")
        method = match.method
        lasts = self.faults.strike(method, self.operation_seconds)
        key = _key(environ, verb, host, path, raw)
        query = parse_qs(text, keep_blank_values=True)
        with self.state.transaction():
            before = self.state.answer(key) if key else None
            if before:
                return _json(before[0], before[1])
            parameters = _parameters(method, match.parameters, query)
            project = self._project(method, host, parameters)
            body, media, media_type = _body(method, environ, raw)
            call = Call(
                server=self,
                state=self.state,
                method=method,
                parameters=parameters,
                body=body,
                principal=principal,
                project=project,
                at=time.time(),
                media=media,
                media_type=media_type,
                headers=_headers(environ),
                lasts=lasts,
            )
            response = self.perform(call)
            if isinstance(response, Answer):
                return response
            answer = json.dumps(response).encode() if response else b"{}"
            if key:
                self.state.remember(key, 200, answer, call.at)
        return _json(200, answer)

    def perform(self, call: Call) -> dict[str, Any] | Answer:
        """Answer a call inside a transaction. Raises GoogleError."""
        from twin.gcp.methods import generic
        from twin.gcp.services.bigquery.operations import jobs

        if call.method.api.startswith(("bigquery", "biglake")):
            jobs.settle(call)
        if call.principal != self.identity.deployer and call.method.id not in _OWN_RIGHTS:
            _authorize(call)
        function = methods.handler(call.method.id)
        if function:
            return function(call)
        if not methods.load(call.method.api):
            raise NotImplementedError(f"the {call.method.api} API")
        return generic.answer(call)

    def _project(self, method: discovery.Method, host: str, parameters: dict[str, Any]) -> str:
        """The id of the project; the path's number is one too. Raises where it is not ours or not enabled."""
        named = _named(parameters)
        project = self.instance.account
        if named and named not in (project, self.project_number):
            raise _foreign(method.api, named)
        if named == self.project_number:
            for name, value in parameters.items():
                if isinstance(value, str):
                    parameters[name] = _with_id(value, self.project_number, project)
        service = self.state.get(f"serviceusage/projects/{project}/services/{host}")
        if host != discovery.OLD_HOST and not (service and service.get("state") == "ENABLED"):
            raise disabled(host, project, self.project_number)
        return project


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    headers = {key.removeprefix("HTTP_"): value for key, value in environ.items() if key.startswith("HTTP_")}
    return {key.lower().replace("_", "-"): value for key, value in headers.items()}


def _authorize(call: Call) -> None:
    """Refuse who has no role with the permission of the method. The deployer is the project's owner."""
    from twin.gcp.services.biglake import permissions as biglake

    if call.principal.startswith(biglake.DOWNSCOPED):
        biglake.authorize_files(call)
        return
    if call.method.name == "testIamPermissions":
        # It needs no permission: its answer is what the caller has ("Test permissions").
        return
    if call.method.api == "biglakeiceberg":
        biglake.authorize(call)
        return
    _, *groups, word = call.method.id.split(".")
    api = PERMISSIONS["apis"].get(call.method.api, call.method.api)
    permission = f"{api}.{groups[-1]}.{_WORDS.get(word, word)}"
    if call.method.api == "container":
        from twin.gcp.services.container.operations.permissions import needed

        permission = needed(call.method.id)
    permission = PERMISSIONS["methods"].get(permission, permission)
    resource = next((str(call.parameters[holder]) for holder in _HOLDERS if call.parameters.get(holder)), "")
    allowed = call.server.identity.allowed
    name = _conditioned(call)
    if any(allowed(call.principal, permission, holder, name) for holder in ("", *_around(call, resource))):
        return
    if "roles/owner" in call.server.identity.roles(call.principal):
        return
    raise denied(
        f"Permission '{permission}' denied on resource '//{call.method.api}.googleapis.com/"
        f"{resource or f'projects/{call.project}'}' (or it may not exist)."
    )


def _conditioned(call: Call) -> str:
    """What a call is about, as conditions of bindings name it: objects of Cloud Storage, else ""."""
    from twin.gcp.services.storage.operations import objects

    if call.method.api != "storage" or ".objects." not in call.method.id or call.method.name == "list":
        return ""
    return f"projects/_/buckets/{call.parameters.get('bucket', '')}/objects/{objects.name_of(call)}"


def _around(call: Call, resource: str) -> list[str]:
    """The resource and what contains it, as the state names them: a policy of any of them counts."""
    from twin.gcp.services.storage.operations import objects

    api = "biglake" if call.method.api == "biglakeiceberg" else call.method.api
    if api == "storage" and "bucket" in call.parameters:
        bucket = f"storage/b/{call.parameters['bucket']}"
        named = objects.name_of(call)
        folders = call.state.of("storage.managedFolders", f"{bucket}/managedFolders/") if named else []
        return [bucket, *(row for row, body in folders if named.startswith(body["name"]))]
    if not resource and "datasetId" in call.parameters:
        resource = f"projects/{call.project}/datasets/{call.parameters['datasetId']}"
        table = call.parameters.get("tableId")
        resource = f"{resource}/tables/{table}" if table else resource
    parts = resource.split("/")
    return [f"{api}/{'/'.join(parts[:length])}" for length in range(len(parts), 0, -2)]


def _address(environ: dict[str, Any]) -> tuple[str, str]:
    """(host, path), still percent-encoded: a name in a path may hold an encoded slash."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "")
    path = raw.partition("?")[0].lstrip("/")
    called = environ.get("HTTP_HOST", "").partition(":")[0]
    if called.endswith(".googleapis.com"):
        # By the real name (twin/gcp/hosts.py).
        if called == "storage.googleapis.com" and not path.startswith(_JSON):
            bucket, _, name = path.partition("/")
            environ["QUERY_STRING"] = f"alt=media&{environ.get('QUERY_STRING', '')}"
            path = f"storage/v1/b/{bucket}/o/{quote(unquote(name), safe='')}"
        return called, f"/{path}"
    host, _, path = path.partition("/")
    if host == "storage":
        # As a client asks that was answered a host and a port, and no path before Cloud Storage's own.
        return "storage.googleapis.com", f"/{host}/{path}"
    if host in _CARRIERS:
        # Clients join the path of an upload to the root of the address, and lose the API's host.
        return f"{path.partition('/')[0]}.googleapis.com", f"/{host}/{path}"
    return unquote(host), f"/{path}"


def _named(parameters: dict[str, Any]) -> str:
    for name in ("project", "projectId"):
        if isinstance(parameters.get(name), str):
            return parameters[name]
    for name in ("parent", "name", "resource", "sinkName", "topic", "subscription"):
        value = parameters.get(name)
        if not isinstance(value, str):
            continue
        parts = value.split("/")
        if parts[0] == "projects" and len(parts) > 1 and parts[1] not in _NO_PROJECT:
            return parts[1]
        if name == "resource" and len(parts) == 1:
            return value
    return ""


def _with_id(value: str, number: str, project: str) -> str:
    if value == number:
        return project
    head, tail = f"projects/{number}", value.removeprefix(f"projects/{number}")
    return f"projects/{project}{tail}" if value == head or value.startswith(f"{head}/") else value


def _foreign(api: str, project: str) -> GoogleError:
    if api == "compute":
        return not_found(f"The resource 'projects/{project}' was not found")
    if api == "cloudresourcemanager":
        return denied("The caller does not have permission")
    return denied(
        f"Permission denied on resource project {project}.",
        info="CONSUMER_INVALID",
        consumer=f"projects/{project}",
        service=f"{api}.googleapis.com",
    )


def _parameters(
    method: discovery.Method, path: dict[str, str], query: dict[str, list[str]]
) -> dict[str, Any]:
    wrong = discovery.parameter_violations(method, query)
    if wrong:
        raise invalid(wrong[0][1] if wrong[0][1].startswith("Invalid") else f"{wrong[0][0]}: {wrong[0][1]}")
    parameters: dict[str, Any] = {}
    for name, value in path.items():
        spec = method.parameters.get(name, {})
        parameters[name] = value
        if "pattern" in spec and not schema.matches(spec["pattern"], value):
            raise invalid(
                f"Invalid value for field '{name}': '{value}'. Must be a match of regex '{spec['pattern']}'"
            )
    # Of every method: `alt=media` asks for the bytes, the others say how bytes are sent.
    parameters |= {name: query[name][-1] for name in ("alt", "uploadType", "upload_id") if name in query}
    for name, values in query.items():
        spec = method.parameters.get(name)
        if spec is None:
            continue
        read = [_value(spec, text) for text in values]
        parameters[name] = read if spec.get("repeated") else read[-1]
    return parameters


def _value(spec: dict[str, Any], text: str) -> Any:
    if spec["type"] == "boolean":
        return text.lower() in ("true", "1", "")
    if spec["type"] == "integer":
        try:
            return int(text)
        except ValueError:
            raise invalid(f"Invalid value ({text}): a whole number is right") from None
    return text


def _body(method: discovery.Method, environ: dict[str, Any], raw: bytes) -> tuple[dict[str, Any], bytes, str]:
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if "upload" in environ.get("PATH_INFO", "").split("/")[1:3]:
        from twin.gcp.services.storage.uploads import parts

        return parts(environ.get("CONTENT_TYPE", ""), raw)
    if not raw or not method.request:
        _check(method, {})
        return {}, b"", ""
    if kind and kind != "application/json":
        raise invalid(f"Invalid content type {kind}: application/json is right")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}", reason="parseError") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received: an object is right", reason="parseError")
    return _check(method, body), b"", ""


def _check(method: discovery.Method, body: dict[str, Any]) -> dict[str, Any]:
    """The body without what only Google writes. Raises 400 for what the schema does not allow."""
    document = discovery.document(method.api, method.version)
    if not method.request or document is None:
        return body
    violations = schema.violations(document, method.request, body, method.id)
    if violations:
        raise _faulty(method.api, violations)
    strip = schema.patchable if method.verb in ("PATCH", "PUT") else schema.writable
    return strip(document, method.request, body)


def _faulty(api: str, errors: list[tuple[str, str]]) -> GoogleError:
    path, reason = errors[0]
    if reason.startswith("Invalid JSON payload"):
        message, why = reason, "badRequest"
    elif reason.startswith("Required"):
        message, why = (
            f"{reason} ({path})" if api != "compute" else f"Required field 'resource.{path}' not specified",
            "required",
        )
    elif api == "compute":
        message, why = f"Invalid value for field 'resource.{path}': {reason}", "invalid"
    else:
        message, why = f"Invalid value at '{path}': {reason}", "invalid"
    violations = [{"field": where, "description": what} for where, what in errors]
    return invalid(
        message,
        reason=why,
        details=[{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}],
    )


def _key(environ: dict[str, Any], verb: str, host: str, path: str, raw: bytes) -> str | None:
    intent = environ.get(_INTENT)
    if not intent or verb == "GET":
        return None
    query = environ.get("QUERY_STRING", "")
    return f"{intent}|{verb} {host}{path}?{query}|{hashlib.sha256(raw).hexdigest()}"


def _read(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return stream.read()
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return stream.read(length) if length else b""


def _json(status: int, body: bytes) -> Answer:
    return Answer(status, [("Content-Type", "application/json; charset=UTF-8")], body)


def _refused(api: str, error: GoogleError) -> Answer:
    return _json(error.code, json.dumps(error.body(api)).encode())
