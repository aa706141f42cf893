"""Runs the Pulumi engine in a twin."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cli import captured, engine_settings, environment_files, pending, stack_locks
from cli.log_format import condense
from cli.output import CommandError, note
from twin import bound_process, environment
from twin.instances import Instance
from twin.private_files import write_private
from twin.watch import Watch

STACK_OPTIONS: Final = ("-s", "--stack")
END_SECONDS: Final = 15.0
"""Seconds that an engine has to end at a safe point, and then to end at once."""
CREDENTIALS: Final = {"aws": "AWS_", "gcp": "GOOGLE_OAUTH_ACCESS_TOKEN"}
"""Cloud -> prefix of the variables from which a kubeconfig's plugin takes its credentials."""


def ensure_stack(instance: Instance, name: str) -> Path:
    """Create the stack in the twin's backend where there is none. Returns the stack file to use.

    Raises CommandError where the stack's state is damaged or was lost.
    """
    file = environment_files.stack_file(instance, name)
    stack_locks.release(instance, name)
    check_state(instance, name)
    if not _state(instance, name).exists():
        done = captured.pulumi(instance, "stack", "select", "--create", name, "--non-interactive")
        if done.returncode:
            raise CommandError(f"the stack {name} could not be created:\n{done.stderr or done.stdout}")
    return file


def check_state(instance: Instance, name: str) -> None:
    """Raise CommandError where the stack's state is damaged, or missing while the twin's cloud has resources
    of the stack: an `up` would create them again."""
    file = _state(instance, name)
    former = file.with_name(f"{file.name}.bak")
    way_out = f"`aiplatform twin reset --name {instance.name}` deletes the twin and its stacks" + (
        f"; {former.name} next to it is the state before its last change" if former.exists() else ""
    )
    try:
        json.loads(file.read_text())["checkpoint"].items()
    except FileNotFoundError:
        # `pulumi stack rm` of an empty stack leaves its last state in the other file.
        if pending.knows(instance, name) and _has_resources(former):
            raise CommandError(
                f"{file} is missing, and the cloud has resources of the stack {name}; {way_out}"
            ) from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; expected a file that this user can read") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file} is damaged ({error!r}); {way_out}") from error


def _has_resources(state: Path) -> bool:
    """Return whether a state has resources of a cloud, or cannot be read."""
    try:
        latest = json.loads(state.read_text())["checkpoint"].get("latest") or {}
        return any(resource.get("custom") for resource in latest.get("resources") or [])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True


def run(instance: Instance, name: str, arguments: Sequence[str]) -> int:
    """Run `pulumi <arguments>` on an environment's stack, streaming its output; returns its exit code.

    Ctrl-C reaches the engine, which stops at a safe point; a second one stops it at once.
    """
    file = ensure_stack(instance, name)
    if arguments[0] in stack_locks.LOCKING:
        stack_locks.refuse_locked(instance, name)
    command = [environment.engine(instance), *arguments, "--stack", name, "--config-file", str(file)]
    if warning := engine_settings.ignored(arguments):
        note(warning)
    variables = environment.complete(instance) | engine_settings.variables(arguments)
    with Watch(instance, note) as watch:
        code = stream(command, variables, watch)
    if watch.failure:
        note(f"the command was ended because the twin stopped running: {watch.failure}")
    elif code and watch.restarted:
        note(f"Requests in progress when {', '.join(watch.restarted)} ended may have failed with it.")
    return code


def stream(command: Sequence[str], env: dict[str, str], watch: Watch | None = None) -> int:
    """Run a command in the repository with its output on ours, and forward our signals to it.

    watch: of the command's twin; the command ends when the twin cannot be kept running.

    Without a terminal at either end the output is condensed (cli.log_format), and no question is asked.
    """
    on_terminal = sys.stdin.isatty()
    watched = on_terminal and sys.stdout.isatty()
    if not watched:
        command = [*command, "--non-interactive", "--suppress-progress"]
    engine = subprocess.Popen(
        # One that outlived a killed command would keep the stack locked.
        bound_process.command(signal.SIGTERM, [*command]),
        env=env,
        cwd=environment_files.ROOT,
        stdout=None if watched else subprocess.PIPE,
        # On a terminal Ctrl-C goes to the whole group, the engine included: another one from us would count
        # as the second. Elsewhere the engine gets a separate group, and the signals that we get.
        process_group=None if on_terminal else 0,
        stdin=None if on_terminal else subprocess.DEVNULL,
    )
    if watch is not None:
        watch.on_failure = lambda: _end(engine)
    with engine, _forwarding(engine, interrupts=not on_terminal):
        if engine.stdout is not None:
            for line in condense(raw.decode(errors="replace") for raw in engine.stdout):
                _show(line)
        return engine.wait()


def read_lines(command: Sequence[str], env: dict[str, str], watch: Watch | None = None) -> Iterator[str]:
    """Run a command in the repository and yield the lines of its stdout. watch: as of `stream`.

    Our signals are forwarded, and the command is awaited so that none of its processes keeps running; then
    KeyboardInterrupt is raised.
    """
    on_terminal = sys.stdin.isatty()
    engine = subprocess.Popen(
        # One that outlived a killed command would keep the stack locked.
        bound_process.command(signal.SIGTERM, [*command]),
        env=env,
        cwd=environment_files.ROOT,
        stdout=subprocess.PIPE,
        process_group=None if on_terminal else 0,
        stdin=None if on_terminal else subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    assert engine.stdout is not None, "it is a pipe"  # noqa: S101
    if watch is not None:
        watch.on_failure = lambda: _end(engine)
    with engine, _forwarding(engine, interrupts=not on_terminal) as received:
        yield from engine.stdout
        engine.wait()
        if received:
            raise KeyboardInterrupt


def _end(engine: subprocess.Popen[Any]) -> None:
    """End an engine that cannot finish: at a safe point, at once, or by force."""
    for number, seconds in (
        (signal.SIGINT, END_SECONDS),
        (signal.SIGINT, END_SECONDS),
        (signal.SIGKILL, 1.0),
    ):
        with contextlib.suppress(OSError):
            engine.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(seconds)
            return


def _show(line: str) -> None:
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has ended, as `head` does. An update must not stop in the middle for that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def outputs(instance: Instance, name: str) -> dict[str, Any]:
    """Return the stack's outputs, with secrets hidden; empty where there are none."""
    done = captured.pulumi(instance, "stack", "output", "--json", "--stack", name)
    with contextlib.suppress(ValueError):
        values = json.loads(done.stdout)
        return values if isinstance(values, dict) else {}
    return {}


def undo_pending(instance: Instance, name: str) -> bool:
    """Delete what an interrupted `up` created and the stack's state does not contain, before a destroy.

    Returns whether nothing is left. Where another engine works on the stack, the destroy reports that.
    """
    stack_locks.release(instance, name)
    if stack_locks.is_locked(instance, name):
        return True
    return pending.undo(instance, name, _state(instance, name))


def settle_pending(instance: Instance, name: str, *, whole: bool) -> bool:
    """Remove pending operations of an interrupted command from the stack's state, after an `up` or a destroy
    that succeeded. whole: whether it covered the whole stack. Returns whether nothing is left."""
    return pending.settle(instance, name, _state(instance, name), whole=whole)


def has_pending(instance: Instance, name: str) -> bool:
    """Return whether the stack's state has operations of an interrupted command."""
    return pending.has_pending(_state(instance, name))


def attend(command: Sequence[str], variables: dict[str, str]) -> int:
    """Run a command with this process's terminal and signals; return its exit code."""
    on_terminal = sys.stdin.isatty()
    with (
        subprocess.Popen(
            bound_process.command(signal.SIGTERM, [*command]),
            env=variables,
            process_group=None if on_terminal else 0,
        ) as process,
        _forwarding(process, interrupts=not on_terminal),
    ):
        return process.wait()


def protected(instance: Instance, name: str) -> list[str]:
    """Return the URNs of the stack's protected resources, by its state on disk."""
    try:
        state = json.loads(_state(instance, name).read_text())
        latest = state["checkpoint"]["latest"]
        resources = latest.get("resources") or []
        known = {resource["urn"] for resource in resources}
        # Of an interrupted `up`. Where a later one continued, its pending operations are out of date.
        pending_resources = [operation["resource"] for operation in latest.get("pending_operations") or []]
        resources = [*resources, *(item for item in pending_resources if item["urn"] not in known)]
        return [resource["urn"] for resource in resources if resource.get("protect")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # no stack yet, or an unreadable one, which the engine reports


def component_types(instance: Instance, name: str) -> set[str]:
    """Return the types of the platform's components in the stack, by its state as it is on disk."""
    try:
        latest = json.loads(_state(instance, name).read_text())["checkpoint"]["latest"] or {}
        types = (resource["type"] for resource in latest.get("resources") or [])
        return {type_ for type_ in types if type_.startswith("aiplatform:")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def resources(instance: Instance, name: str) -> list[dict[str, Any]]:
    """Return the resources of the stack's state, empty where there is no stack. Raises CommandError for one
    that cannot be read."""
    file = _state(instance, name)
    try:
        latest = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        return list(latest.get("resources") or [])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: the state of the stack {name} cannot be read: {error!r}") from error


def write_kubeconfig(instance: Instance, stack_outputs: dict[str, Any]) -> Path | None:
    """Write the kubeconfig of the stack's outputs, with the twin's credentials for its exec plugin.

    It works in any shell. Returns None where the stack has none.
    """
    config = _kubeconfig(stack_outputs)
    if config is None:
        return None
    variables = environment.environment(instance)
    prefix = CREDENTIALS[instance.cloud]
    credentials = [
        {"name": key, "value": value} for key, value in variables.items() if key.startswith(prefix)
    ]
    places = (Path(sys.prefix) / "bin", instance.bin)
    for user in config.get("users") or []:
        plugin = user.get("user", {}).get("exec")
        if plugin:
            replaced = {entry["name"] for entry in credentials}
            others = [entry for entry in plugin.get("env") or [] if entry.get("name") not in replaced]
            plugin["env"] = [*others, *credentials]
            programs = (place / str(plugin.get("command")) for place in places)
            plugin["command"] = next((str(file) for file in programs if file.exists()), plugin.get("command"))
    for entry in config.get("clusters") or []:
        # The authority that the twin's variables add to the publicly trusted ones (a DNS endpoint's).
        cluster = entry.get("cluster", {})
        if instance.cloud == "gcp" and not cluster.get("certificate-authority-data"):
            authority = (instance.folder / "kubernetes" / "pki" / "ca.crt").read_bytes()
            cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return write_private(environment.stack_kubeconfig(instance), json.dumps(config, indent=2) + "\n")


def stack_of(arguments: Sequence[str]) -> str | None:
    """Return the stack that a pulumi command line names, or None."""
    for place, word in enumerate(arguments):
        if word in STACK_OPTIONS and place + 1 < len(arguments):
            return arguments[place + 1].rpartition("/")[2]
        for option in STACK_OPTIONS:
            if word.startswith(f"{option}="):
                return word.removeprefix(f"{option}=").rpartition("/")[2]
    return None


def _kubeconfig(stack_outputs: dict[str, Any]) -> dict[str, Any] | None:
    objects = [stack_outputs, *(value for value in stack_outputs.values() if isinstance(value, dict))]
    for values in objects:
        value = values.get("kubeconfig")
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                continue
        if isinstance(value, dict) and value.get("kind") == "Config":
            return value
    return None


def _state(instance: Instance, name: str) -> Path:
    return instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / f"{name}.json"


@contextlib.contextmanager
def _forwarding(engine: subprocess.Popen[Any], *, interrupts: bool) -> Iterator[list[int]]:
    """Forward SIGTERM to the engine, and Ctrl-C where the terminal does not. Yields the received signals."""
    received: list[int] = []

    def forward(number: int, _: object) -> None:
        received.append(number)
        # On both the engine stops at a safe point.
        if number == signal.SIGTERM or interrupts:
            with contextlib.suppress(OSError):
                os.kill(engine.pid, number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
