"""A configured Google provider: where its calls go, as whom, and what all resources share."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Final
from urllib.parse import quote

from twin.gcp.api_server.discovery import Method, known
from twin.gcp.apis import APIS
from twin.gcp.http_client import Transport
from twin.provider_interface import UNKNOWN, CloudError, Context, Props

ATTRIBUTION: Final = ("goog-pulumi-provisioned", "true")
CREATION_ONLY: Final = "CREATION_ONLY"
PROACTIVE: Final = "PROACTIVE"
_PLACE: Final = re.compile(r"\{(\+?)(\w+)\}")


@cache
def method(name: str) -> Method:
    """A method by its id; `bigquerydatapolicy@v2.` asks for a version. KeyError where its API has none."""
    head, dot, rest = name.partition(".")
    head, _, version = head.partition("@")
    whole = f"{head}{dot}{rest}"
    method = known(whole, version or APIS[head].version) or known(whole)
    if method is None:
        raise KeyError(name)
    return method


@dataclass(frozen=True)
class Labels:
    """What the provider adds to the labels of every resource that has them.

    default: `defaultLabels`. attribution: whether Google's label of provenance is added. strategy: to new
    resources alone (CREATION_ONLY), or to all (PROACTIVE).
    """

    default: Mapping[str, str] = field(default_factory=dict[str, str])
    attribution: bool = True
    strategy: str = CREATION_ONLY

    def merged(self, labels: Any) -> Any:
        """`pulumiLabels`: the default labels and the resource's own, without the attribution."""
        return UNKNOWN if labels is UNKNOWN else {**self.default, **(labels or {})}

    def managed(self, labels: Any, has: Mapping[str, Any] | None) -> Any:
        """`pulumiLabels` of a resource. has: the labels that it has already; None of one to be made."""
        merged = self.merged(labels)
        if merged is UNKNOWN or not self.attribution:
            return merged
        key, value = ATTRIBUTION
        if has is None or key in has or self.strategy == PROACTIVE:
            return {key: value, **merged}
        return merged


@dataclass(frozen=True)
class GcpContext(Context):
    """A configured provider.

    account: the project's id. region, zone: the provider's defaults, "" where it has none. endpoints: by
    API, the URL below which its paths are. timeout: seconds that a wait may take (customTimeouts).
    deletion_policy: the provider's default for resources that have one.
    """

    region: str
    account: str
    zone: str
    endpoints: Mapping[str, str]
    transport: Transport
    labels: Labels = Labels()
    deletion_policy: str = "DELETE"
    intent: str = ""
    timeout: float | None = None

    @property
    def project(self) -> str:
        """The project's id."""
        return self.account

    def with_intent(self, intent: str) -> GcpContext:
        return replace(self, intent=intent)

    def with_timeout(self, seconds: float | None) -> GcpContext:
        """The same, with the resource's custom timeout."""
        return replace(self, timeout=seconds)

    def call(
        self, name: str, params: Mapping[str, Any], body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Props:
        """Call a method by its id in the discovery document (`compute.networks.insert`).

        params: what is in its path; those that the path does not name become the query's, as far as the
        method knows them. query: more of the query. Raises Refusal and Unreachable.
        """
        called = method(name)
        url = self.url(called, params)
        query_params = {
            key: params[key]
            for key, value in called.parameters.items()
            if value.get("location") == "query" and params.get(key) is not None
        }
        intent = self.intent if called.verb != "GET" else ""
        return self.transport.request(
            called.verb, url, {**query_params, **(query or {})}, body, intent=intent
        )

    def upload(self, name: str, params: Mapping[str, Any], metadata: Props, media: bytes) -> Props:
        """Call a method that takes bytes next to its body, as one multipart request. Raises as `call`."""
        called = method(name)
        root, path = self.endpoints[called.api], APIS[called.api].path
        url = self.url(called, params).replace(root, f"{root.removesuffix(path)}upload/{path}", 1)
        mark = "upload-of-metadata-and-media"
        kind = metadata.get("contentType") or "application/octet-stream"
        parts = (
            f"--{mark}\r\nContent-Type: application/json\r\n\r\n{json.dumps(metadata, sort_keys=True)}\r\n",
            f"--{mark}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            base64.b64encode(media).decode(),
            f"\r\n--{mark}--\r\n",
        )
        return self.transport.request(
            called.verb,
            url,
            {"uploadType": "multipart"},
            "".join(parts),
            intent=self.intent,
            content_type=f"multipart/related; boundary={mark}",
        )

    def url(self, called: Method, params: Mapping[str, Any]) -> str:
        """Where a method is called; CloudError where a part of its path is not known."""

        def part(match: re.Match[str]) -> str:
            value = params.get(match[2])
            if value in (None, "", UNKNOWN):
                raise CloudError(
                    f"{called.id} needs {match[2]!r}: set it in the resource, or in the provider",
                    path=match[2],
                )
            # What is encoded already (a metric's name with slashes, in a quota's path) stays as it is.
            return quote(str(value), safe="/:@%" if match[1] else "@")

        path = _PLACE.sub(part, called.path)
        api, base = APIS[called.api], self.endpoints[called.api]
        if base.endswith(api.path):
            return base.removesuffix(api.path) + path  # a method may are in another version alone
        return base + path.removeprefix(api.path)

    @cached_property
    def project_number(self) -> str:
        """The project's number, asked for once."""
        answer = self.call("cloudresourcemanager.projects.get", {"projectId": self.account})
        return str(answer["projectNumber"])
