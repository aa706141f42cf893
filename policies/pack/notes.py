"""What the pack itself says of a run, beside the faults that policies find."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from .judging import Court, Verdict

SAID: Final = "guardrails: "
"""How these lines begin."""
Say = Callable[[str], None]
"""Says one line, which begins with SAID then."""
_SECONDS: Final = 10


@dataclass
class Notes:
    """What is worth a line, beside faults."""

    undecided: Counter[str] = field(default_factory=Counter[str])
    """Policy -> how many judgements wait for `up`."""
    exempt: list[Verdict] = field(default_factory=list[Verdict])

    def lines(self, resources: int) -> Iterator[str]:
        """The lines at the end. resources: how many the program has, its stack and its providers among
        them."""
        if resources <= 1:
            yield "nothing to check: the stack is empty"
            return
        yield f"{resources} resources judged"
        if self.undecided:
            told = ", ".join(f"{name} ({count})" for name, count in sorted(self.undecided.items()))
            yield f"known only at `up`, and judged there: {told}"
        for verdict in self.exempt:
            exempt = verdict.exempt
            assert exempt is not None, "only what is exempt comes here"  # noqa: S101
            yield (
                f"exempt from {verdict.policy.id} until {exempt.expires}: {verdict.name}: {exempt.reason} "
                f"({exempt.owner})"
            )


def beginning(court: Court) -> str:
    """The line before anything is judged: how strict the pack is, and who says so."""
    return f"{len(court.policies)} policies in profile {court.profile} ({court.origin})"


def to_stderr(line: str) -> None:
    """Says a line where nobody else listens."""
    sys.stderr.write(f"{SAID}{line}\n")
    sys.stderr.flush()


def to_engine(address: str) -> Say:
    """Says lines by the log of the engine that serves at an address.

    The engine has a line when the call returns. What a plugin writes to stderr it reads beside its work: a
    preview that fails ends without the last of it.
    """
    engine: Any = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))  # its types are partly unknown

    def say(line: str) -> None:
        request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=f"{SAID}{line}")
        try:
            engine.Log(request, timeout=_SECONDS)
        except grpc.RpcError:
            to_stderr(line)

    return say
