"""Files that the Prometheus operator generates for its Pods, as a process of this machine reads them.

Paths become those of this machine, as in arguments. Prometheus finds its targets by a kubeconfig, since the
files of a service account are not at their fixed path, and connects to them by a proxy, since addresses of
Pods and Services have no route here. Durations of waiting are divided by the factor of the twin's clock: of
scrapes, evaluations, pending alerts and groups of notifications. All else is as the operator wrote it.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

RULES: Final = re.compile(r"prometheus-.+-rulefiles-\d+")
"""The volumes with files of rules."""
_SHORTEST_SECONDS: Final = 1.0
_SHORTEST_SCRAPE: Final = 2.0
"""Seconds of a scrape's interval and timeout at least: a busy machine answers later than a cluster."""
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_SCRAPES: Final = ("scrape_interval", "scrape_timeout")
_INTERVALS: Final = ("evaluation_interval",)
_WAITS: Final = ("group_wait", "group_interval", "repeat_interval", "resolve_timeout")
_PENDING: Final = ("for", "keep_firing_for")


@dataclass(frozen=True)
class Adaptation:
    """What differs for a Pod.

    rewrite: returns a text with this machine's paths. proxy: the address of the proxy into the cluster.
    kubeconfig: of the Pod's service account. factor: of the twin's clock.
    """

    rewrite: Callable[[str], str]
    proxy: str
    kubeconfig: Path
    factor: float

    def file(self, volume: str, name: str, content: bytes) -> bytes:
        """Return the content of a file of a volume as its process reads it."""
        if name == "prometheus.yaml.gz":
            return gzip.compress(self._prometheus(gzip.decompress(content).decode()).encode(), mtime=0)
        if name == "alertmanager.yaml.gz":
            text = self.rewrite(gzip.decompress(content).decode())
            return gzip.compress(self._faster(text, _WAITS).encode(), mtime=0)
        if name == "web-config.yaml":
            return self.rewrite(content.decode()).encode()
        if RULES.fullmatch(volume):
            return self._faster(content.decode(), _PENDING, shortest=0.0).encode()
        return content

    def _prometheus(self, text: str) -> str:
        text = self._faster(self.rewrite(text), _SCRAPES, shortest=_SHORTEST_SCRAPE)
        text = self._faster(text, _INTERVALS)
        document: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
        alerting: Mapping[str, Any] = document.get("alerting") or {}
        jobs: Iterable[dict[str, Any]] = [
            *(document.get("scrape_configs") or ()),
            *(alerting.get("alertmanagers") or ()),
        ]
        for job in jobs:
            job.setdefault("proxy_url", self.proxy)
            for discovery in job.get("kubernetes_sd_configs") or ():
                discovery["kubeconfig_file"] = str(self.kubeconfig)
        return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, width=10_000)

    def _faster(self, text: str, keys: Iterable[str], shortest: float = _SHORTEST_SECONDS) -> str:
        """Divide the durations of keys that are alone in their line."""
        lines = re.compile(rf'(?m)^([ -]*(?:{"|".join(keys)}): )"?((?:\d+(?:ms|[smhdwy]))+)"?$')
        return lines.sub(lambda line: line[1] + divided(line[2], self.factor, shortest), text)


def divided(duration: str, factor: float, shortest: float = _SHORTEST_SECONDS) -> str:
    """Return a duration, shorter by a factor. shortest: seconds below which none is divided."""
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
    return f"{math.ceil(max(seconds / factor, min(seconds, shortest)) * 1000)}ms" if seconds else duration
