"""Whether a Pod's processes listen on a port.

A program that listens on all interfaces of this machine answers at each Pod's address, too: the API server
must not reach one that is of no Pod.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil


def listens(address: str, port: int, processes: Iterable[int]) -> bool:
    """Whether there is a listener at an address of loopback, or of one of the processes or their children.

    address: the Pod's on loopback, at which nothing but the Pod listens.
    """
    pids = set(processes)
    # Almost always it is one of them: to find the process of every socket of the machine takes a second of a
    # busy one, and Prometheus asks for each scrape.
    if any(_of_process(pid, port) for pid in pids):
        return True
    for pid in list(pids):
        with contextlib.suppress(psutil.Error):
            pids |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    for connection in psutil.net_connections("tcp"):
        local = connection.laddr
        if connection.status != psutil.CONN_LISTEN or not local or local.port != port:
            continue
        if local.ip.endswith(address) or connection.pid in pids:
            return True
    return False


def _of_process(pid: int, port: int) -> bool:
    """Whether a process itself listens on a port."""
    with contextlib.suppress(psutil.Error):
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            for connection in psutil.Process(pid).net_connections("tcp")
        )
    return False
