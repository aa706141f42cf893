"""RunPlugin: a policy pack or a component plugin as a child whose output is streamed."""

from __future__ import annotations

import os
import queue
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import grpc
from pulumi.runtime.proto import language_pb2

from twin.toolchain.child_process import Child, Children
from twin.toolchain.interpreter import Interpreter, OptionError, resolve, runtime_options

CHUNK = 65536
STACK_BY = "stackConfiguration"
"""The option of a policy pack's runtime that says how it learns of the stack: `call`, by ConfigureStack. Only
this host has it: the official one puts every pack behind a proxy, which starts the pack with the stack in its
environment, as packs of pulumi-policy need it."""


class PluginRun:
    """A running plugin: started, read to its end, and ended with the call of the engine."""

    def __init__(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext, children: Children
    ) -> None:
        self._request = request
        self._context = context
        self._children = children
        self._is_policy_pack = request.kind == "analyzer"
        if self._is_policy_pack:
            _require_call(request)
        self._interpreter = resolve(request.info, is_plugin=not self._is_policy_pack).prepared()
        self._outbox: queue.SimpleQueue[language_pb2.RunPluginResponse | None] = queue.SimpleQueue()

    def responses(self) -> Iterator[language_pb2.RunPluginResponse]:
        """Start the plugin; yields its output as it comes and, at last, its exit code."""
        child = Child(
            plugin_command(self._request, self._interpreter),
            self._environment(),
            self._cwd(),
            piped=True,
        )
        self._children.add(child)
        # The callback is not called when the call has ended before it was added.
        if not self._context.add_callback(child.kill):
            child.kill()
        streams = {"stdout": child.process.stdout, "stderr": child.process.stderr}
        readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in streams.items()
            if stream is not None
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._finish, args=(child, readers), daemon=True).start()
        while (response := self._outbox.get()) is not None:
            yield response

    def _environment(self) -> dict[str, str]:
        environment = self._interpreter.environment(os.environ)
        for assignment in self._request.env:
            name, _, value = assignment.partition("=")
            environment[name] = value
        return environment

    def _cwd(self) -> Path | None:
        # Policy packs have always run in their own folder.
        folder = self._request.info.program_directory if self._is_policy_pack else self._request.pwd
        return Path(folder) if folder else None

    def _read(self, name: str, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), CHUNK):
            response = language_pb2.RunPluginResponse()
            setattr(response, name, chunk)
            self._outbox.put(response)

    def _finish(self, child: Child, readers: list[threading.Thread]) -> None:
        code = child.wait()
        # A pipe stays open while something that the plugin left behind holds it.
        for reader in readers:
            reader.join(timeout=1)
        self._children.remove(child)
        self._outbox.put(language_pb2.RunPluginResponse(exitcode=code))
        self._outbox.put(None)


def plugin_command(request: language_pb2.RunPluginRequest, interpreter: Interpreter) -> list[str]:
    """The command line of a plugin: a policy pack, a folder with __main__.py, or an installable package."""
    python = str(interpreter.python)
    folder = request.info.program_directory
    if request.kind == "analyzer":
        return [python, "-u", "-m", "pulumi.policy", *request.args, folder]
    root = Path(request.info.root_directory)
    if (root / "__main__.py").exists() or (Path(folder) / "__main__.py").exists():
        return [python, folder, *request.args]
    project = root / "pyproject.toml"
    if not project.exists():
        raise FileNotFoundError(f"{root} is no plugin: it has neither __main__.py nor pyproject.toml")
    name = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("name")
    if not name:
        raise ValueError(f"{project} must name its project ([project] name) to be run as a plugin")
    return [python, "-m", "pulumi.run.plugin", name, *request.args]


def _require_call(request: language_pb2.RunPluginRequest) -> None:
    by = runtime_options(request.info).get(STACK_BY)
    if by != "call":
        raise OptionError(
            f"the runtime option {STACK_BY} of the policy pack is {by!r}; expected 'call': this host states "
            "the stack by ConfigureStack alone (the official Pulumi CLI knows another way)"
        )
