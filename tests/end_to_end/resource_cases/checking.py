"""One update with many resources that the provider's check refuses.

The engine ends an update at the first check that fails. So the check of each resource is asked for before it
is registered, and a refused one is reported to the program as failed, as the engine reports a failed create.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime import settings
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, resource_pb2


@contextmanager
def provider(program: Path, variables: Mapping[str, str]) -> Iterator[Any]:
    """Run a provider as the engine does, and give a client of it, configured by the variables alone."""
    command = [str(program), "127.0.0.1:0"]
    with subprocess.Popen(command, env=dict(variables), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                client: Any = provider_pb2_grpc.ResourceProviderStub(channel)
                client.Configure(provider_pb2.ConfigureRequest(acceptSecrets=True))
                yield client
        finally:
            process.terminate()


@dataclass
class Checked:
    """The engine's monitor, with the provider's check before each registration.

    refusals: the name of a resource -> why it is refused. What depends on a refused resource is left out.
    """

    provider: Any
    package: str
    refusals: dict[str, str] = field(default_factory=dict[str, str])
    monitor: Any = None
    _refused: set[str] = field(default_factory=set[str])

    def install(self) -> None:
        """Take the place of the monitor. In a program, before its first resource."""
        self.monitor = settings.get_monitor()
        replaced: Any = settings.SETTINGS
        replaced.monitor = self

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        """Register a resource that passes its check; answer that another one failed."""
        if not request.custom or not request.type.startswith(f"{self.package}:"):
            return self.monitor.RegisterResource(request)
        urn = f"urn:pulumi:stack::project::{request.type}::{request.name}"
        failed = resource_pb2.RegisterResourceResponse(
            urn=urn, object=request.object, result=resource_pb2.Result.FAIL
        )
        if self._refused.intersection(request.dependencies):
            self._refused.add(urn)
            return failed
        answer = self.provider.Check(
            provider_pb2.CheckRequest(urn=urn, news=request.object, randomSeed=b"seed")
        )
        if not answer.failures:
            return self.monitor.RegisterResource(request)
        self.refusals[request.name] = "; ".join(f"{one.property}: {one.reason}" for one in answer.failures)
        self._refused.add(urn)
        return failed

    def __getattr__(self, name: str) -> Any:
        """Leave every other call to the engine's monitor."""
        return getattr(self.monitor, name)
