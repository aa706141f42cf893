"""Texts of a container with the folders and addresses of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from twin.kubernetes.processes import addresses

# A path begins after a character that is in no path, or after the scheme of a URL without a host.
_BEGIN = r"(?:(?<![\w./~-])|(?<=file://)|(?<=:///))"
_END = r"(?=/|$|[^\w.-])"
# The value of an option, such as `--listen-address=:8080`, or of a variable.
_ALL_INTERFACES = re.compile(r"(?:^|(?<==))(?=:\d{1,5}$)")
_LISTENING = re.compile(r"(?<![\w.])(?:0\.0\.0\.0|127\.0\.0\.1)(?![\w.])")


class Rewriter:
    """Replaces in a text the paths below mounts, addresses that mean the Pod, and host names of Pods.

    folders: folder or file of this machine by mount path. address: of the Pod on loopback. services: the
    headless Services of the Pod's namespace, whose Pods have host names.
    """

    def __init__(
        self, folders: Mapping[str, Path], address: str, namespace: str, services: Iterable[str]
    ) -> None:
        self._folders = {path.rstrip("/"): str(folder) for path, folder in folders.items() if path != "/"}
        # The longest first: of two mounts, one may be inside the other.
        paths = "|".join(re.escape(path) for path in sorted(self._folders, key=len, reverse=True))
        self._paths = re.compile(f"{_BEGIN}({paths}){_END}") if paths else None
        self._address, self._namespace = address, namespace
        names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))
        suffix = rf"(?:\.{re.escape(namespace)}(?:\.svc(?:\.cluster\.local)?)?)?"
        self._hosts = re.compile(rf"(?<![\w.-])([a-z0-9-]+)\.({names}){suffix}(?![\w.-])") if names else None

    def __call__(self, text: str) -> str:
        """Return a text for a process on this machine."""
        if self._paths is not None:
            text = self._paths.sub(lambda match: self._folders[match[1]], text)
        if self._hosts is not None:
            text = self._hosts.sub(lambda match: self._host(match[1], match[2]), text)
        return _ALL_INTERFACES.sub(self._address, _LISTENING.sub(self._address, text))

    def _host(self, hostname: str, service: str) -> str:
        address = addresses.of_host(hostname, service, self._namespace)
        return addresses.loopback(address) or address
