"""Which webhook configurations and aggregated APIs the twin answers in the place of their controllers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from twin.kubernetes.api import Kube, Object
from twin.kubernetes.backends import Backends

LOOK: Final = 5.0
"""Seconds between looks."""
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_COLLECTIONS: Final = {
    "MutatingWebhookConfiguration": f"{_ADMISSION}/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": f"{_ADMISSION}/validatingwebhookconfigurations",
    "APIService": "/apis/apiregistration.k8s.io/v1/apiservices",
}

Service = tuple[str, str]
"""Namespace and name."""


class SetAside:
    """Looks for them from time to time."""

    def __init__(self, kube: Kube, backends: Backends) -> None:
        self._kube = kube
        self._backends = backends
        self._names: list[str] = []
        self._looked = -LOOK

    def names(self) -> list[str]:
        """Return kind, name and Service of each, by the last look. Raises ApiError and Unreachable."""
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._names = list(self._look())
            self._looked = now
        return self._names

    def _look(self) -> Iterator[str]:
        known: dict[Service, bool] = {}
        for kind, where in _COLLECTIONS.items():
            for item in self._kube.get(where)["items"]:
                for service in sorted(set(_services(item))):
                    if service not in known:
                        known[service] = self._backends.is_absent(*service)
                    if known[service]:
                        yield f"{kind} {item['metadata']['name']} (Service {'/'.join(service)})"


def _services(item: Object) -> Iterator[Service]:
    references: list[Any] = [(item.get("spec") or {}).get("service")]
    references += [hook["clientConfig"].get("service") for hook in item.get("webhooks") or ()]
    for reference in references:
        if reference:
            yield reference["namespace"], reference["name"]
