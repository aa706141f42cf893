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
from twin.toolchain.policy_proxy import PolicyProxy

CHUNK = 65536
STACK_BY = "stackConfiguration"
"""The option of a policy pack's runtime that says how it learns of the stack. `call`: by ConfigureStack
alone. Left out: from its environment too, for which it waits behind a PolicyProxy. Only this host has it: the
official one puts every pack behind a proxy."""


class PluginRun:
    """A running plugin: started, read to its end, and ended with the call of the engine."""

    def __init__(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext, children: Children
    ) -> None:
        self._request = request
        self._context = context
        self._children = children
        self._is_policy_pack = request.kind == "analyzer"
        self._interpreter = resolve(request.info, is_plugin=not self._is_policy_pack).prepared()
        self._is_behind_proxy = self._is_policy_pack and not _takes_the_call(request)
        self._outbox: queue.SimpleQueue[language_pb2.RunPluginResponse | None] = queue.SimpleQueue()
        self._proxy: PolicyProxy | None = None

    def responses(self) -> Iterator[language_pb2.RunPluginResponse]:
        """Start the plugin; yields its output as it comes and, at last, its exit code."""
        extra: dict[str, str] = {}
        if self._is_behind_proxy:
            self._proxy = PolicyProxy()
            self._context.add_callback(self._proxy.close)
            yield language_pb2.RunPluginResponse(stdout=f"{self._proxy.port}\n".encode())
            extra = self._proxy.await_environment()
            if not self._context.is_active():
                return
        child = Child(
            plugin_command(self._request, self._interpreter),
            self._environment(extra),
            self._cwd(),
            piped=True,
        )
        self._children.add(child)
        # The callback is not called when the call has ended before it was added.
        if not self._context.add_callback(child.kill):
            child.kill()
        readers = [
            threading.Thread(target=self._read_stdout, args=(child,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(child,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._finish, args=(child, readers), daemon=True).start()
        while (response := self._outbox.get()) is not None:
            yield response

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        environment = self._interpreter.environment(os.environ) | extra
        for assignment in self._request.env:
            name, _, value = assignment.partition("=")
            environment[name] = value
        return environment

    def _cwd(self) -> Path | None:
        # Policy packs have always run in their own folder.
        folder = self._request.info.program_directory if self._is_policy_pack else self._request.pwd
        return Path(folder) if folder else None

    def _read_stdout(self, child: Child) -> None:
        stream = _stream(child.process.stdout)
        if self._proxy is not None:
            # The pack's first line is its port: the proxy's, the engine has its own.
            line = stream.readline()
            if line.strip().isdigit():
                self._proxy.attach(int(line))
            elif line:
                self._proxy.fail(f"the policy pack wrote {line!r} where its port was expected")
                self._outbox.put(language_pb2.RunPluginResponse(stdout=line))
        while chunk := os.read(stream.fileno(), CHUNK) if self._proxy is None else stream.readline():
            self._outbox.put(language_pb2.RunPluginResponse(stdout=chunk))

    def _read_stderr(self, child: Child) -> None:
        stream = _stream(child.process.stderr)
        while chunk := os.read(stream.fileno(), CHUNK):
            self._outbox.put(language_pb2.RunPluginResponse(stderr=chunk))

    def _finish(self, child: Child, readers: list[threading.Thread]) -> None:
        code = child.wait()
        # A pipe stays open while something that the plugin left behind holds it.
        for reader in readers:
            reader.join(timeout=1)
        self._children.remove(child)
        if self._proxy is not None:
            self._proxy.fail(f"the policy pack ended with exit code {code}")
            self._proxy.close()
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


def _takes_the_call(request: language_pb2.RunPluginRequest) -> bool:
    by = runtime_options(request.info).get(STACK_BY)
    if by not in (None, "call"):
        raise OptionError(f"the runtime option {STACK_BY} is {by!r}; expected 'call' or nothing")
    return by == "call"


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - the child was started with pipes
    return stream
