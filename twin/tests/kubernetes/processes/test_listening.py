"""Which listeners are a Pod's."""

from __future__ import annotations

import os
import socket
import sys

import psutil
import pytest

from twin.kubernetes.processes.listening import listens

POD = "127.100.0.7"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more than one address on loopback")
def test_a_listener_at_the_pods_address_is_its_own() -> None:
    with socket.create_server((POD, 0)) as server:
        port = server.getsockname()[1]
        assert listens(POD, port, [])
        assert not listens("127.100.0.8", port, [])
    assert not listens(POD, port, [])


def test_a_listener_on_all_interfaces_is_a_pods_only_if_it_is_one_of_its_processes() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - closed at once
        port = server.getsockname()[1]
        assert not listens(POD, port, []), "another program of this machine"
        assert listens(POD, port, [os.getpid()])


def test_sockets_of_other_processes_are_not_read_where_one_of_the_pods_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(kind: str) -> None:
        raise AssertionError(f"all {kind} sockets of the machine take a second, at each scrape")

    monkeypatch.setattr(psutil, "net_connections", slow)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listens(POD, server.getsockname()[1], [os.getpid()])
