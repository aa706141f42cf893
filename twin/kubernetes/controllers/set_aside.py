"""Which webhook configurations and aggregated APIs the twin answers in the place of their controllers.

What such a controller, or cert-manager's injector, would write into a webhook configuration is written here:
the authority of its certificate, which a program may wait for.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from typing import Any, Final

from twin.kubernetes.api import ApiError, Kube, Object, passing_over
from twin.kubernetes.backends import Backends
from twin.kubernetes.certificates import Pki
from twin.kubernetes.time_scale import Interval

log = logging.getLogger(__name__)

INJECTED: Final = "cert-manager.io/inject-ca-from"
"""How annotations of configurations begin whose authority cert-manager writes: of a Certificate, a Secret
(`-secret`) or the API server (`-apiserver`)."""
LOOK: Final = 2.0
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
    """Looks for them from time to time. pki: of the authority that signs what answers in their place."""

    def __init__(self, kube: Kube, backends: Backends, pki: Pki) -> None:
        self._kube = kube
        self._backends = backends
        self._pki = pki
        self._names: list[str] = []
        self._interval = Interval(LOOK)

    def names(self) -> list[str]:
        """Return kind, name and Service of each, by the last look. Raises ApiError and Unreachable."""
        if self._interval.due():
            self._names = list(self._look())
        return self._names

    def _look(self) -> Iterator[str]:
        known: dict[Service, bool] = {}
        for kind, where in _COLLECTIONS.items():
            for item in self._kube.get(where)["items"]:
                services = sorted(set(_services(item)))
                for service in services:
                    if service not in known:
                        known[service] = self._backends.is_absent(*service)
                # cert-manager's injector does not run here; the twin issues the certificates of its Secrets.
                if _injected(item) or (services and all(known[service] for service in services)):
                    self._inject(kind, where, item)
                for service in services:
                    if known[service]:
                        yield f"{kind} {item['metadata']['name']} (Service {'/'.join(service)})"

    def _inject(self, kind: str, where: str, item: Object) -> None:
        """Write the authority into the webhooks that have none."""
        webhooks = copy.deepcopy(item.get("webhooks") or [])
        without = [hook for hook in webhooks if not hook["clientConfig"].get("caBundle")]
        if not without:
            return
        for hook in without:
            hook["clientConfig"]["caBundle"] = self._pki.authority_base64()
        name = item["metadata"]["name"]
        version = {"resourceVersion": item["metadata"].get("resourceVersion")}
        try:
            with passing_over(404, 409):
                self._kube.merge(f"{where}/{name}", {"metadata": version, "webhooks": webhooks})
        except ApiError as error:
            log.warning("%s %s: %s (trying again)", kind, name, error)


def _injected(item: Object) -> bool:
    annotations: dict[str, str] = item["metadata"].get("annotations") or {}
    return any(name.startswith(INJECTED) for name in annotations)


def _services(item: Object) -> Iterator[Service]:
    references: list[Any] = [(item.get("spec") or {}).get("service")]
    references += [hook["clientConfig"].get("service") for hook in item.get("webhooks") or ()]
    for reference in references:
        if reference:
            yield reference["namespace"], reference["name"]
