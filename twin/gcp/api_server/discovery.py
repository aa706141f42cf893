"""Google's discovery documents: which method a request is, and whether its body is what the schema says.

The documents come with google-api-python-client, one a service and version. They are read when first asked
for (Compute's, the largest, takes 30 ms) and kept.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

Schema = dict[str, Any]
_VERSION: Final = re.compile(r"v\d+[a-z0-9]*|beta|alpha")
_STANDARD: Final = frozenset(
    {"alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "access_token", "oauth_token", "callback"}
    | {"uploadType", "upload_id", "upload_protocol", "$.xgafv", "trace"}
    | {"$alt", "$callback", "$prettyPrint", "$fields"}
)
OLD_HOST: Final = "www.googleapis.com"
_OWN: Final = Path(__file__).with_name("documents")
"""Documents of ours, for APIs that follow a specification of others'."""
_SHARING: Final = {"biglake": "biglakeiceberg"}
"""APIs on another's host."""


@dataclass(frozen=True)
class Method:
    """A method of an API.

    id: `container.projects.locations.clusters.create`. api and version: `container`, `v1`.
    verb: GET, POST, PUT, PATCH or DELETE. parameters: by name, as in the document. request and response:
    names of schemas, or "". path: the template, with the service's path in front.
    """

    id: str
    api: str
    version: str
    verb: str
    path: str
    flat_path: str
    request: str = ""
    response: str = ""
    parameters: dict[str, Schema] = field(default_factory=dict[str, Schema], compare=False)

    @property
    def name(self) -> str:
        """The last word of the id: `create`."""
        return self.id.rsplit(".", 1)[-1]

    @property
    def mutating(self) -> bool:
        """Whether the method may change what the cloud holds."""
        if self.verb == "GET":
            return False
        return self.name not in ("getIamPolicy", "testIamPermissions", "queryTestablePermissions")


@dataclass(frozen=True)
class Match:
    """A request understood: its method and the parameters of its path."""

    method: Method
    parameters: dict[str, str]


class Document:
    """One API and version."""

    def __init__(self, api: str, version: str, content: dict[str, Any]) -> None:
        self.api = api
        self.version = version
        self.schemas: dict[str, Schema] = content.get("schemas", {})
        self.host = content["rootUrl"].split("//")[-1].strip("/")
        base = content.get("servicePath", "")
        self.methods: dict[str, Method] = {}
        self._by_shape: dict[tuple[str, int], list[Method]] = {}
        # Of any number of segments: `operations/.*`.
        self._open: list[Method] = []
        for raw in _methods(content):
            if not raw.get("path"):
                continue
            path = base + raw["path"]
            method = Method(
                id=raw["id"],
                api=api,
                version=version,
                verb=raw["httpMethod"],
                path=path,
                flat_path=base + raw.get("flatPath", raw["path"]),
                request=raw.get("request", {}).get("$ref", ""),
                response=raw.get("response", {}).get("$ref", ""),
                parameters=raw.get("parameters", {}),
            )
            self.methods[method.id] = method
            # Cloud SQL's methods are called `sql.instances.get`, the API is `sqladmin`.
            self.methods.setdefault(f"{api}.{method.id.partition('.')[2]}", method)
            patterns = [str(parameter.get("pattern", "")) for parameter in method.parameters.values()]
            if any(pattern.endswith("/.*$") for pattern in patterns):
                self._open.append(method)
            shape = (method.verb, method.flat_path.count("/"))
            self._by_shape.setdefault(shape, []).append(method)
        for methods in self._by_shape.values():
            # `{name}:verb` before `{name}`, and literal words before placeholders.
            methods.sort(key=lambda candidate: (_colon(candidate.flat_path), candidate.flat_path.count("{")))

    def match(self, verb: str, path: str) -> Match | None:
        """The method of a path (still percent-encoded), or None."""
        path = path.strip("/")
        for method in self._by_shape.get((verb, path.count("/")), ()):
            flat = _expression(method.flat_path).fullmatch(path)
            if not flat:
                continue
            whole = _expression(method.path).fullmatch(path) if "{+" in method.path else flat
            if not whole:
                continue
            parts = {
                name: _named(value) if f"{{+{name}}}" in method.path else unquote(value)
                for name, value in whole.groupdict().items()
            }
            return Match(method, parts)
        return self._match_open(verb, path)

    def _match_open(self, verb: str, path: str) -> Match | None:
        for method in self._open:
            whole = _expression(method.path).fullmatch(path) if method.verb == verb else None
            parts = {name: _named(value) for name, value in whole.groupdict().items()} if whole else {}
            patterns = {name: method.parameters.get(name, {}).get("pattern", "") for name in parts}
            if parts and all(re.fullmatch(patterns[name], value) for name, value in parts.items()):
                return Match(method, parts)
        return None


def _named(value: str) -> str:
    """A resource's name from a path: an encoded slash is no separator and stays (AIP-127, `{name=**}`)."""
    return "".join(part if part.upper() == "%2F" else unquote(part) for part in re.split("(%2[Ff])", value))


@functools.cache
def folder() -> Path:
    """Where the documents lie."""
    import googleapiclient

    return Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"


@functools.cache
def document(api: str, version: str) -> Document | None:
    """An API's document, or None where there is none."""
    name = f"{api}.{version}.json"
    file = next((candidate for candidate in (folder() / name, _OWN / name) if candidate.exists()), None)
    if file is None:
        return None
    return Document(api, version, json.loads(file.read_bytes()))


def api_of(host: str, path: str) -> tuple[str, str]:
    """(api, version) that a host and path address; the version is "" where the path states none."""
    parts = path.strip("/").split("/")
    api = parts[0] if host == OLD_HOST else host.partition(".")[0]
    return api, next((part for part in parts[:3] if _VERSION.fullmatch(part)), "")


def method(host: str, verb: str, path: str) -> Match | None:
    """The method of a request to a host such as `container.googleapis.com`, or None.

    path: as in the document, percent-encoded; Storage's uploads and downloads (`upload/storage/v1/...`)
    are the methods that they carry.
    """
    api, version = api_of(host, path)
    description = document(api, version) if version else None
    if description is None:
        return None
    path = re.sub(r"^/?(upload|download)/", "", path)
    sharing = document(_SHARING[api], version) if api in _SHARING else None
    return description.match(verb, path) or (sharing.match(verb, path) if sharing else None)


def known(method_id: str, version: str = "") -> Method | None:
    """A method by its id; of that version, else of the first that has it."""
    api = method_id.partition(".")[0]
    versions = [version] if version else sorted(_versions(api))
    for version_ in versions:
        description = document(api, version_)
        if description and method_id in description.methods:
            return description.methods[method_id]
    return None


def violations(api: str, version: str, schema: str, body: Any, method_id: str = "") -> list[tuple[str, str]]:
    """(path, reason) of all that is wrong with a body by its schema: see twin.gcp.api_server.schema."""
    from twin.gcp.api_server import schema as schemas

    description = document(api, version)
    return schemas.violations(description, schema, body, method_id) if description else []


def parameter_violations(method: Method, query: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(name, reason) of query parameters that the method does not take or that are not what it says."""
    errors: list[tuple[str, str]] = []
    for name, values in query.items():
        if name in _STANDARD:
            continue
        spec = method.parameters.get(name)
        if spec is None:
            errors.append(
                (name, f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')
            )
        elif "enum" in spec and values[-1] not in spec["enum"]:
            errors.append((name, f"got {values[-1]!r}, one of {', '.join(spec['enum'])} is right"))
    errors += [
        (name, f"Required parameter: {name}")
        for name, spec in method.parameters.items()
        if spec.get("required") and spec.get("location") == "query" and name not in query
    ]
    return errors


@functools.cache
def _versions(api: str) -> tuple[str, ...]:
    files = [*folder().glob(f"{api}.*.json"), *_OWN.glob(f"{api}.*.json")]
    return tuple(file.name.removesuffix(".json").partition(".")[2] for file in files)


@functools.cache
def _expression(template: str) -> re.Pattern[str]:
    pattern = re.sub(
        r"\\\{(\\\+)?([^}]*)\\\}",
        lambda match: f"(?P<{match[2].replace('-', '_')}>{'.+' if match[1] else '[^/]+'})",
        re.escape(template),
    )
    return re.compile(pattern)


def _colon(template: str) -> int:
    return 0 if ":" in template.rsplit("/", 1)[-1] else 1


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)
