"""What every resource type of Google must do: made, read again, changed and deleted."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twin.checks.sdk import sdk
from twin.core.diff import compare
from twin.core.drift import inputs_now
from twin.core.grpc_messages import complete
from twin.gcp.api_server import discovery
from twin.gcp.api_server.server import ApiServer
from twin.gcp.apis import APIS
from twin.gcp.context import GcpContext, Labels
from twin.gcp.credentials import deployer
from twin.gcp.http_client import Transport
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.table import table
from twin.provider_interface import Props
from twin.tests.gcp.api_servers import PROJECT, REGION

_intents = itertools.count()


class Direct(Transport):
    """A transport into an API server of this process; `sent` states what was asked."""

    def __init__(self, server: ApiServer) -> None:
        super().__init__(deployer(server.instance).access_token, attempts=1)
        self.server = server
        self.sent: list[str] = []

    def _send(
        self, scheme: str, host: str, verb: str, target: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        raw = (body or "").encode()
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": verb,
            "PATH_INFO": path,
            "RAW_URI": target,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(raw)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "HTTP_AUTHORIZATION": headers["Authorization"],
            "wsgi.input": io.BytesIO(raw),
        }
        if "X-Twin-Intent" in headers:
            environ["HTTP_X_TWIN_INTENT"] = headers["X-Twin-Intent"]
        if verb != "GET":
            self.sent.append(f"{verb} {path.rpartition('/')[2]}")
        answer = self.server.handle(environ)
        return answer.status, answer.body


def context(server: ApiServer, **more: Any) -> GcpContext:
    """A provider in front of this API server, with one default label."""
    context = GcpContext(
        region=REGION,
        account=PROJECT,
        zone="",
        endpoints={api.name: f"http://front/{api.host}/{api.path}" for api in APIS.values()},
        transport=Direct(server),
        labels=Labels({"owner": "platform"}),
    )
    return replace(context, **more)


@dataclass
class Made:
    """A resource that a test made."""

    kind: GcpResource
    context: GcpContext
    id: str
    inputs: Props
    outputs: Props

    def read(self) -> Props | None:
        """What a refresh states."""
        return self.kind.read(self.context, self.id, self.outputs)

    def update(self, **changes: Any) -> Props:
        """Change inputs; None takes one away. What is refused in place fails the test."""
        wanted = {**self.inputs, **changes}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        difference = compare(self.kind, self.inputs, self.outputs, wanted)
        assert difference.changes, "nothing differs"
        assert not difference.replaces, f"only a replacement gets there: {difference.replaces}"
        under = self.context.with_intent(f"update-{next(_intents)}")
        state = complete(self.kind.sdk_schema, self.inputs, self.outputs)
        self.outputs = self.kind.update(under, self.id, state, wanted)
        self.inputs = wanted
        assert self.read() == self.outputs
        return self.outputs

    def replaced_by(self, **changes: Any) -> list[str]:
        """The paths that force a replacement."""
        return compare(self.kind, self.inputs, self.outputs, {**self.inputs, **changes}).replaces

    def delete(self) -> None:
        """Delete it, and again, which is no error; see that it is gone."""
        self.kind.delete(self.context, self.id, self.outputs)
        self.kind.delete(self.context, self.id, self.outputs)


def strange(schemas: Mapping[str, Any], spec: Mapping[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """What an answer holds that the API's schema does not say, fields that only Google writes among it."""
    spec = schemas[spec["$ref"]] if "$ref" in spec else spec
    kind = spec.get("type", "object")
    if value is None or kind == "any" or path.startswith(".__"):
        return
    if isinstance(value, dict):
        known, others = spec.get("properties", {}), spec.get("additionalProperties")
        for name, member in value.items():
            inside = known.get(name, others)
            if inside is None and not name.startswith(("@", "__")):
                yield f"{path}.{name}: not in the schema"
            elif inside is not None:
                yield from strange(schemas, inside, member, f"{path}.{name}")
    elif isinstance(value, list):
        if kind != "array":
            yield f"{path}: a list, the schema says {kind}"
        for member in value:
            yield from strange(schemas, spec.get("items", {"type": "any"}), member, f"{path}[]")
    elif not isinstance(value, _PLAIN.get(kind, ())):
        yield f"{path}: {value!r}, the schema says {kind}"
    elif kind == "string" and "enum" in spec and value not in ("", *spec["enum"]):
        yield f"{path}: {value!r}, the schema says one of {spec['enum']}"


_PLAIN: Any = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}


def make(context: GcpContext, token: str, **inputs: Any) -> Made:
    """Check and create, as the core does."""
    kind = table()[token]
    arguments = {**kind.defaults, **inputs}
    failures = kind.check(context, arguments)
    assert not failures, f"{token} refuses inputs that Google takes: {failures}"
    under = context.with_intent(f"test-{next(_intents)}")
    id, outputs = kind.create(under, kind.prepared(under, arguments))
    resource = Made(kind, context, id, arguments, outputs)
    assert resource.read() == outputs, "a refresh right after a create must find nothing new"
    whole = complete(kind.sdk_schema, arguments, outputs)
    now = kind.read(context, id, whole)
    assert now is not None
    reported = inputs_now(sdk("pulumi_gcp"), kind, kind.sdk_schema.inputs, arguments, whole, now)
    drift = compare(kind, reported, complete(kind.sdk_schema, {}, now), arguments)
    assert not drift.changes, f"a refresh finds drift where there is none: {drift.changes}"
    document = discovery.document(kind.api, kind.version)
    item = kind.find(context, id, kind.values(context, id, outputs)) if kind.schema != "Policy" else None
    if document and item and kind.schema in document.schemas:
        found_strange = list(strange(document.schemas, {"$ref": kind.schema}, item))
        assert not found_strange, f"{token}: what the twin answers is not what Google's schema says"
    if kind.importable:
        imported = kind.read(context, id, {})
        assert imported is not None
        assert "id" not in imported, "the id is in its own form"
    again = kind.create(under, kind.prepared(under, arguments))
    assert again[0] == id, "a create that is repeated under one intent makes nothing again"
    return resource


def refused(context: GcpContext, token: str, **inputs: Any) -> dict[str, str]:
    """The failures of Check by path."""
    kind = table()[token]
    return {failure.path: failure.reason for failure in kind.check(context, {**kind.defaults, **inputs})}
