"""The versions that InferenceServices serve: their labels, by the API of Kubernetes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import requests

from llm_logger.records import RELEASE

SECONDS: Final = 15
"""For how long a version is not read again. The InferenceService of another version gets its first request
minutes after it was created."""
_FOLDER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Read = Callable[[str], str | None]
"""InferenceService -> its version; None where it does not exist or has none. Raises OSError."""


def read_by_api(namespace: str, folder: Path = _FOLDER) -> Read:
    """Return what reads versions by the identity of the Pod."""
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST", ""),
        os.environ.get("KUBERNETES_SERVICE_PORT", "443"),
    )
    host = f"[{host}]" if ":" in host else host
    base = f"https://{host}:{port}/apis/serving.kserve.io/v1beta1/namespaces/{namespace}/inferenceservices"

    def read(name: str) -> str | None:
        # The kubelet renews the token.
        token = (folder / "token").read_text().strip()
        answer = requests.get(
            f"{base}/{name}",
            headers={"Authorization": f"Bearer {token}"},
            verify=str(folder / "ca.crt"),
            timeout=5,
        )
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()["metadata"].get("labels", {}).get(RELEASE)

    return read


class Versions:
    """Versions that were read lately."""

    def __init__(self, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._known: dict[str, str] = {}
        self._read_at: dict[str, float] = {}

    async def of(self, name: str) -> str | None:
        """Return the version of an InferenceService. One that was deleted, or cannot be read now, has the
        one that it had; None where that is not known."""
        last = self._read_at.get(name)
        if last is None or self._clock() - last >= SECONDS:
            try:
                version = await asyncio.to_thread(self._read, name)
            except (OSError, ValueError, KeyError):
                return self._known.get(name)
            self._read_at[name] = self._clock()
            if version:
                self._known[name] = version
        return self._known.get(name)
