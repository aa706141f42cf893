"""The messages of the policy pack about a run, in addition to violations."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from .evaluation import Diagnostic, Evaluator
from .resource import Resource

PREFIX: Final = "guardrails: "
"""The beginning of each line."""
Log = Callable[[str], None]
"""Writes one line, to which it adds PREFIX."""
_SECONDS: Final = 10


@dataclass
class Summary:
    """What the last lines of a run report."""

    deferred: Counter[str] = field(default_factory=Counter[str])
    """Policy -> how many checks are deferred to `up`."""
    exempt: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def lines(self, resources: Sequence[Resource], evaluator: Evaluator) -> Iterator[str]:
        """Yield the lines. resources: those of the program, including its stack and its providers."""
        if len(resources) <= 1:
            yield "nothing to check: the stack is empty"
            return
        yield f"{len(resources)} resources evaluated"
        if self.deferred:
            checks = ", ".join(f"{name} ({count})" for name, count in sorted(self.deferred.items()))
            yield f"known only at `up`, and evaluated there: {checks}"
        for diagnostic in self.exempt:
            exempt = diagnostic.exempt
            assert exempt is not None, "only exempt diagnostics are in this list"  # noqa: S101
            yield (
                f"exempt from {diagnostic.policy.id} until {exempt.expires}: {diagnostic.name}: "
                f"{exempt.reason} ({exempt.owner})"
            )
        without_effect = list(self._without_effect(resources, evaluator))
        if without_effect:
            yield f"exemptions without effect here: {'; '.join(without_effect)}"

    def _without_effect(self, resources: Sequence[Resource], evaluator: Evaluator) -> Iterator[str]:
        """Yield the exemptions that no violation used, each with the reason."""
        disabled = {policy.id for policy in evaluator.disabled}
        used = [diagnostic.exempt for diagnostic in self.exempt]
        for exemption in evaluator.exemptions:
            if exemption in used:
                continue
            if exemption.policy in disabled:
                reason = "the policy is disabled"
            elif not any(exemption.names(resource.name, resource.urn) for resource in resources):
                reason = "the program has no such resource"
            elif self.deferred[exemption.policy]:
                continue  # It may have an effect at `up`.
            else:
                reason = "no violation"
            yield f"{exemption.policy} of {exemption.resource!r} ({reason})"


def opening_line(evaluator: Evaluator) -> str:
    """Return the line before the first evaluation: the profile, and where it comes from."""
    return f"{len(evaluator.policies)} policies in profile {evaluator.profile} ({evaluator.origin})"


def to_stderr(line: str) -> None:
    """Write a line to stderr, for a run without an engine."""
    sys.stderr.write(f"{PREFIX}{line}\n")
    sys.stderr.flush()


def to_engine(address: str) -> Log:
    """Return a Log that writes to the log of the engine at an address.

    The engine has the line when the call returns. It reads the stderr of a plugin concurrently: a preview
    that fails ends without its last lines.
    """
    engine: Any = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))  # its types are partly unknown

    def log(line: str) -> None:
        request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=f"{PREFIX}{line}")
        try:
            engine.Log(request, timeout=_SECONDS)
        except grpc.RpcError:
            to_stderr(line)

    return log
