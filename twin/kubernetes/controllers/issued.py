"""Secrets of cert-manager's Certificates, which the twin issues: cert-manager itself does not run."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twin.kubernetes import certificates
from twin.kubernetes.api import ApiError, Kube, Object, path
from twin.kubernetes.certificates import Pki

LOOK: Final = 2.0
"""Seconds between looks."""
_CERTIFICATES: Final = "/apis/cert-manager.io/v1/certificates"


class Issued:
    """Looks for Certificates without a Secret. folder: for the files of certificates."""

    def __init__(self, kube: Kube, pki: Pki, folder: Path) -> None:
        self._kube = kube
        self._pki = pki
        self._folder = folder
        self._looked = -LOOK

    def step(self) -> None:
        """Issue those that are missing. Raises ApiError and Unreachable."""
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        present = self._kube.find(_CERTIFICATES)
        for item in (present or {}).get("items", ()):
            metadata, spec = item["metadata"], item["spec"]
            secret = path("v1", "secrets", metadata["namespace"], spec["secretName"])
            if "deletionTimestamp" in metadata or self._kube.find(secret) is not None:
                continue
            try:
                self._kube.create(path("v1", "secrets", metadata["namespace"]), self._secret(item))
            except ApiError as error:
                if error.status not in (404, 409):
                    raise

    def _secret(self, item: Object) -> Object:
        metadata, spec = item["metadata"], item["spec"]
        names: Sequence[str] = spec.get("dnsNames") or [spec.get("commonName") or metadata["name"]]
        folder = self._folder / metadata["namespace"] / metadata["name"]
        files = folder / "tls.crt", folder / "tls.key"
        certificates.issue(self._pki, list(names), *files)
        data = {file.name: base64.b64encode(file.read_bytes()).decode() for file in files}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": spec["secretName"], "namespace": metadata["namespace"]},
            "data": {**data, "ca.crt": self._pki.authority_base64()},
        }
