"""Secrets of cert-manager's Certificates, which the twin issues: cert-manager itself does not run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twin.kubernetes import certificates
from twin.kubernetes.api import Kube, Object, passing_over, path
from twin.kubernetes.certificates import Pki
from twin.kubernetes.time_scale import Interval

LOOK: Final = 2.0
"""Seconds between looks."""
_CERTIFICATES: Final = "/apis/cert-manager.io/v1/certificates"


class Issued:
    """Looks for Certificates without a Secret. folder: for the files of certificates."""

    def __init__(self, kube: Kube, pki: Pki, folder: Path) -> None:
        self._kube = kube
        self._pki = pki
        self._folder = folder
        self._look = Interval(LOOK)

    def step(self) -> None:
        """Issue those that are missing. Raises ApiError and Unreachable."""
        if not self._look.due():
            return
        present = self._kube.find(_CERTIFICATES)
        for item in (present or {}).get("items", ()):
            metadata, spec = item["metadata"], item["spec"]
            secret = path("v1", "secrets", metadata["namespace"], spec["secretName"])
            if "deletionTimestamp" in metadata or self._kube.find(secret) is not None:
                continue
            with passing_over(404, 409):
                self._kube.create(path("v1", "secrets", metadata["namespace"]), self._secret(item))

    def _secret(self, item: Object) -> Object:
        metadata, spec = item["metadata"], item["spec"]
        names: Sequence[str] = spec.get("dnsNames") or [spec.get("commonName") or metadata["name"]]
        folder = self._folder / metadata["namespace"] / metadata["name"]
        return certificates.secret(self._pki, metadata["namespace"], spec["secretName"], names, folder)
