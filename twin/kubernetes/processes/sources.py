"""ConfigMaps, Secrets, the downward API and tokens: what the variables and volumes of a Pod are read from."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from twin.kubernetes.api import ApiError, Kube, Object, path
from twin.kubernetes.processes import downward

_RENEW_AT: Final = 0.8
"""The part of a token's life after which a kubelet requests another."""
_LIFE: Final = 3600


class MissingSourceError(Exception):
    """A ConfigMap, Secret or key that a Pod needs does not exist; the text is a kubelet's."""


class Sources:
    """Reads them for one Pod.

    pod: with its addresses as a process has them. allocatable: of its node.
    """

    def __init__(self, kube: Kube, pod: Object, allocatable: Mapping[str, str]) -> None:
        self._kube = kube
        self.pod = pod
        self._allocatable = allocatable
        self._tokens: dict[str, tuple[float, bytes]] = {}

    @property
    def _namespace(self) -> str:
        return self.pod["metadata"]["namespace"]

    def data(self, kind: str, name: str, *, optional: bool = False) -> dict[str, bytes]:
        """Return the data of a ConfigMap (`configmaps`) or Secret (`secrets`)."""
        body = self._kube.find(path("v1", kind, self._namespace, name))
        if body is None:
            if optional:
                return {}
            raise MissingSourceError(f'{kind.removesuffix("s")} "{name}" not found')
        data: dict[str, str] = body.get("data") or {}
        binary: dict[str, str] = body.get("binaryData") or {}
        if kind == "secrets":
            data, binary = {}, data
        return {
            **{key: text.encode() for key, text in data.items()},
            **{key: base64.b64decode(text) for key, text in binary.items()},
        }

    def key(self, kind: str, reference: Object) -> str | None:
        """Return the text of a configMapKeyRef or secretKeyRef; None where an optional one is missing."""
        optional = bool(reference.get("optional"))
        data = self.data(kind, reference["name"], optional=optional)
        if reference["key"] in data:
            return data[reference["key"]].decode(errors="replace")
        if optional:
            return None
        word = "ConfigMap" if kind == "configmaps" else "Secret"
        raise MissingSourceError(
            f"couldn't find key {reference['key']} in {word} {self._namespace}/{reference['name']}"
        )

    def field(self, reference: Object) -> str:
        """Return the text of a fieldRef."""
        return downward.field(self.pod, reference["fieldPath"])

    def resource(self, reference: Object, container: Object) -> str:
        """Return the text of a resourceFieldRef."""
        return downward.resource(container, reference, self._allocatable)

    def token(self, projection: Object) -> bytes:
        """Return a token of the Pod's service account, bound to the Pod; another one late in its life."""
        audience = projection.get("audience") or ""
        renew, token = self._tokens.get(audience, (0.0, b""))
        if time.time() < renew:
            return token
        metadata = self.pod["metadata"]
        account = self.pod["spec"].get("serviceAccountName") or "default"
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {
            "audiences": [audience] if audience else [],
            "expirationSeconds": projection.get("expirationSeconds") or _LIFE,
            "boundObjectRef": bound,
        }
        where = path("v1", "serviceaccounts", self._namespace, account) + "/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            status = self._kube.create(where, request)["status"]
        except ApiError as error:
            raise MissingSourceError(f"failed to fetch token: {error}") from error
        now, end = time.time(), datetime.fromisoformat(status["expirationTimestamp"]).timestamp()
        self._tokens[audience] = (now + (end - now) * _RENEW_AT, status["token"].encode())
        return self._tokens[audience][1]
