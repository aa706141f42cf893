"""Run: a Pulumi program as a child that shares the host's stdout and stderr."""

from __future__ import annotations

import json
import os
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2

from twin.toolchain.child_process import Child, Children
from twin.toolchain.interpreter import resolve

START = Path(__file__).with_name("program_start.py")
# pulumi-language-python-exec exits with this after it has shown the error itself.
SHOWN_TO_THE_USER = 32


def run_program(
    request: language_pb2.RunRequest,
    executor: Path,
    engine: str,
    children: Children,
    context: grpc.ServicerContext,
) -> language_pb2.RunResponse:
    """Run the program to its end. What it prints reaches the engine through the host's own streams."""
    interpreter = resolve(request.info).prepared()
    environment = interpreter.environment(os.environ) | configuration(request)
    try:
        child = Child(
            [str(interpreter.python), str(START), str(executor), *arguments(request, engine)],
            environment,
            interpreter.project,
        )
    except OSError as error:
        return language_pb2.RunResponse(
            error=f"problem executing program (could not run language executor): {error}"
        )
    children.add(child)
    # An engine that ends, or cancels the call, ends the program too.
    context.add_callback(child.interrupt)
    try:
        code = child.wait()
    finally:
        children.remove(child)
    # The engine knows why it cancelled the call, and has reported it.
    if code == SHOWN_TO_THE_USER or (code != 0 and child.interrupted):
        return language_pb2.RunResponse(bail=True)
    if code != 0:
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}")
    return language_pb2.RunResponse()


def arguments(request: language_pb2.RunRequest, engine: str) -> list[str]:
    """The command line of pulumi-language-python-exec; empty values are left out."""
    values = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    words = [word for name, value in values.items() if value for word in (f"--{name}", value)]
    return [*words, request.info.entry_point or ".", *request.args]


def configuration(request: language_pb2.RunRequest) -> dict[str, str]:
    """The stack's configuration, as the SDK reads it from the environment."""
    values = {"PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys))}
    if request.config:
        values["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    return values
