"""The Python language host: what the Pulumi engine starts to run programs written in Python.

    python -m twin.toolchain.language_host [--use-executor FILE] [ENGINE_ADDRESS]

It exists because the official host comes with the Pulumi CLI's release archive only, and
the engine built from its Go module has none. It prints its port and serves the
LanguageRuntime service until it is interrupted or the engine, its parent, is gone.
What it does for programs, policy packs and plugins is what the official host does;
generating code and projects (`pulumi new`, `convert`, `package add`) is left out, and
the engine says so itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from twin import path_shims
from twin.core.engine import WARNING, Engine
from twin.toolchain.child_process import Children
from twin.toolchain.installing import install_dependencies
from twin.toolchain.interpreter import resolve, toolchain_of
from twin.toolchain.packages import list_packages, package_dependencies
from twin.toolchain.plugin_run import PluginRun
from twin.toolchain.policy_proxy import CHANNEL_OPTIONS
from twin.toolchain.program_run import run_program
from twin.toolchain.provider_versions import adopt
from twin.toolchain.versions import read_versions

EXECUTOR = "pulumi-language-python-exec"
WORKERS = 64  # a plugin's stream keeps one for as long as the plugin runs
PARENT_SECONDS = 0.3


@contextlib.contextmanager
def _reported(context: grpc.ServicerContext) -> Iterator[None]:
    """An error that the user can act on becomes the call's status, without a traceback."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service. What it does not define answers UNIMPLEMENTED."""

    def __init__(self, executor: Path, engine: str = "") -> None:
        self._executor = executor
        self._engine = engine
        # Cancel is for programs: the engine cancels plugins by their own service.
        self._programs = Children()
        self._plugins = Children()

    def end(self) -> None:
        """Leave no child behind."""
        self._programs.end()
        self._plugins.end()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        del context
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        del request, context
        return plugin_pb2.PluginInfo(version=read_versions().pulumi)

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        with _reported(context):
            packages = list(package_dependencies(list_packages(resolve(request.info), os.environ)))
            self._adopt(packages)
            return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def _adopt(self, packages: Sequence[plugin_pb2.PackageDependency]) -> None:
        """In a twin, give the program the twin's providers whatever minor versions its SDKs have."""
        if not os.environ.get("AIPLATFORM_TWIN"):
            return
        installed = {name: path_shims.sdk_version(name) for name in path_shims.PROVIDERS}
        built = {path_shims.KUBERNETES: read_versions().kubernetes_provider}
        plugins = Path(os.environ["PULUMI_HOME"]) / "plugins"
        engine = Engine()
        engine.connect(self._engine)
        for warning in adopt(plugins, installed, built, packages):
            engine.log(WARNING, warning)

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        del request, context  # the engine asks for packages, and for this only where those are unknown
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        with _reported(context):
            packages = list_packages(resolve(request.info), os.environ)
            return language_pb2.GetProgramDependenciesResponse(
                dependencies=[
                    language_pb2.DependencyInfo(name=package.name, version=package.version)
                    for package in packages
                    if request.transitiveDependencies or not package.required
                ]
            )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        with _reported(context):
            yield from install_dependencies(request)

    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        with _reported(context):
            return language_pb2.AboutResponse(
                executable=str(resolve(request.info).prepared().python),
                version=platform.python_version(),
                metadata={"toolchain": toolchain_of(request.info)},
            )

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        with _reported(context):
            if not self._engine:
                raise RuntimeError("the engine must call Handshake before Run")
            return run_program(request, self._executor, self._engine, self._programs, context)

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        with _reported(context):
            yield from PluginRun(request, context, self._plugins).responses()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del request, context
        self._programs.cancel()
        return empty_pb2.Empty()


def find_executor(path: str | None) -> Path:
    """pulumi-language-python-exec: as given, or next to the pulumi on PATH."""
    if path:
        executor = Path(path)
    else:
        pulumi = shutil.which("pulumi")
        executor = Path(pulumi).resolve().with_name(EXECUTOR) if pulumi else Path(EXECUTOR)
    if not executor.is_file():
        raise SystemExit(
            f"pulumi-language-python: there is no {executor}. It is next to the pulumi that the twin's "
            "toolchain builds: put that one on PATH, or name the file with --use-executor."
        )
    return executor


def serve(executor: Path, engine: str = "") -> None:
    """Serve until SIGINT or SIGTERM, or until the parent process is gone."""
    # What gRPC's core notes about connections would be shown as messages of the program.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    host = LanguageHost(executor, engine)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    parent = os.getppid()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # An engine that was killed sends no Cancel; its children must not go on without it.
    while not stopped.wait(PARENT_SECONDS):
        if os.getppid() != parent:
            break
    host.end()
    server.stop(grace=1).wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line, as the engine calls it; flags for logging are taken and have no effect."""
    parser = argparse.ArgumentParser(
        prog="pulumi-language-python", description="Pulumi's language host for Python"
    )
    parser.add_argument(
        "engine", nargs="?", default="", help="the engine's address; else it comes by Handshake"
    )
    parser.add_argument("--use-executor", metavar="FILE", help=f"the {EXECUTOR} to run programs with")
    parser.add_argument("--version", action="version", version=read_versions().pulumi)
    options, _ = parser.parse_known_args(
        _without_logging(arguments if arguments is not None else sys.argv[1:])
    )
    serve(find_executor(options.use_executor), options.engine)


def _without_logging(arguments: Sequence[str]) -> list[str]:
    """The engine's `-v=9 --logtostderr --logflow --tracing URL`, whose URL would read as its address."""
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in ("-tracing", "--tracing"):
            next(words, None)
        elif not word.startswith(("-v", "--v=", "-logtostderr", "--logtostderr", "-logflow", "--logflow")):
            others.append(word)
    return others


if __name__ == "__main__":
    main()
