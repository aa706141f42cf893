"""The addresses of Pods that run here.

A Pod's address in the API is one of 100.96.0.0/11, which belongs to no interface of this machine. Its
processes listen on the same address with 127 in place of 100: on Linux all of 127.0.0.0/8 is loopback, so
each Pod has a separate address, and two Pods can use the same port. kwok's Pods begin at 100.64.0.1.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any, Final

PODS: Final = IPv4Network("100.96.0.0/11")
_LOOPBACK: Final = int(IPv4Address("127.0.0.0")) - int(IPv4Address("100.0.0.0"))
_LAST_OCTETS: Final = 254


def of_pod(pod: Mapping[str, Any]) -> str:
    """Return the address of a Pod in the API.

    One with a host name in a headless Service keeps its address when it is created again, so that it is known
    before the Pod exists.
    """
    spec, metadata = pod["spec"], pod["metadata"]
    if spec.get("subdomain"):
        return of_host(spec.get("hostname") or metadata["name"], spec["subdomain"], metadata["namespace"])
    return _draw(str(metadata["uid"]))


def of_host(hostname: str, service: str, namespace: str) -> str:
    """Return the address of the Pod with a host name in a headless Service."""
    return _draw(f"{hostname}.{service}.{namespace}")


def loopback(address: str) -> str | None:
    """Return where a Pod's process listens, by the Pod's address in the API; None for another address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if not isinstance(parsed, IPv4Address) or parsed not in PODS:
        return None
    # Elsewhere only 127.0.0.1 exists; there, two Pods cannot use one port.
    return str(IPv4Address(int(parsed) + _LOOPBACK)) if sys.platform == "linux" else "127.0.0.1"


def _draw(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    blocks = PODS.num_addresses // 256
    block, last = number % blocks, number // blocks % _LAST_OCTETS + 1
    return str(PODS.network_address + block * 256 + last)
