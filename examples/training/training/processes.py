"""The processes of a training: which one this is, and how they exchange messages.

Their number, rank and meeting point are in the variables that Kubeflow Trainer sets for PyTorch (`PET_*`: one
process a node), or those of torchrun (`RANK` and its like: as many as it starts). Rank 0 listens, combines
what each process sends, and returns the result to all. Training with GPUs does this by
`torch.distributed.init_process_group("nccl")`, which reads the variables of torchrun.

A process that ends closes its connections, so that all others end with an error: JobSet then starts all of
them again, and they continue from the last checkpoint.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MEET_SECONDS: Final = 600
"""How long the processes wait for each other at the start: the Pods of a job do not start at once."""
_RETRY_SECONDS: Final = 0.5
_NUMBER: Final = struct.Struct("!Q")


class LostError(Exception):
    """Another process has ended or did not appear."""


@dataclass(frozen=True)
class Place:
    """A process among those of the training. address, port: where rank 0 listens."""

    rank: int
    size: int
    address: str
    port: int


def place(variables: Mapping[str, str]) -> Place:
    """Return the place of this process; alone without variables."""
    if "RANK" in variables:
        names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    elif "PET_NNODES" in variables:
        names = ("PET_NODE_RANK", "PET_NNODES", "PET_MASTER_ADDR", "PET_MASTER_PORT")
    else:
        return Place(0, 1, "localhost", 0)
    rank, size, address, port = (variables[name] for name in names)
    return Place(int(rank), int(size), address, int(port))


class Group:
    """The connections between the processes. seconds: how long to wait for the others, at the start and for
    each message. Raises LostError."""

    def __init__(self, own: Place, seconds: float = MEET_SECONDS) -> None:
        self.rank, self.size = own.rank, own.size
        self._peers: list[socket.socket] = []
        if own.size > 1:
            self._peers = _accept(own, seconds) if own.rank == 0 else [_connect(own, seconds)]
        for peer in self._peers:
            peer.settimeout(seconds)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self, message: bytes, combine: Callable[[Sequence[bytes]], bytes]) -> bytes:
        """Return what `combine` makes of the messages of all processes, in the order of their ranks. It runs
        in rank 0."""
        if self.rank == 0:
            result = combine([message, *(_receive(peer) for peer in self._peers)])
            for peer in self._peers:
                _send(peer, result)
            return result
        [first] = self._peers
        _send(first, message)
        return _receive(first)

    def from_first(self, message: bytes = b"") -> bytes:
        """Return the message of rank 0; those of the others are not used."""
        return self.exchange(message, lambda messages: messages[0])

    def close(self) -> None:
        """Close the connections."""
        for peer in self._peers:
            peer.close()

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _accept(own: Place, seconds: float) -> list[socket.socket]:
    """Return the connections of the other ranks, in their order."""
    peers: dict[int, socket.socket] = {}
    end = time.monotonic() + seconds
    with socket.create_server(("", own.port)) as server:
        while len(peers) < own.size - 1:
            server.settimeout(max(end - time.monotonic(), 0.001))
            try:
                peer, _ = server.accept()
            except TimeoutError:
                absent = sorted(set(range(1, own.size)) - set(peers))
                raise LostError(f"ranks {absent} did not connect in {seconds:.0f} s") from None
            peer.settimeout(seconds)
            peers[int.from_bytes(_receive(peer))] = peer
    return [peers[rank] for rank in sorted(peers)]


def _connect(own: Place, seconds: float) -> socket.socket:
    """Connect to rank 0, whose Pod may not exist yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            peer = socket.create_connection((own.address, own.port), timeout=seconds)
        except OSError as error:
            if time.monotonic() > end:
                raise LostError(f"rank 0 at {own.address}:{own.port}: {error}") from error
            time.sleep(_RETRY_SECONDS)
            continue
        _send(peer, own.rank.to_bytes(4))
        return peer


def _send(peer: socket.socket, message: bytes) -> None:
    try:
        peer.sendall(_NUMBER.pack(len(message)) + message)
    except OSError as error:
        raise LostError(f"another process has ended: {error}") from error


def _receive(peer: socket.socket) -> bytes:
    [size] = _NUMBER.unpack(_read(peer, _NUMBER.size))
    return _read(peer, size)


def _read(peer: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        try:
            part = peer.recv(min(size - len(data), 1 << 20))
        except OSError as error:
            raise LostError(f"another process has ended: {error}") from error
        if not part:
            raise LostError("another process has ended")
        data += part
    return bytes(data)
