"""Running the commands that build and look up tools."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from twin.toolchain.errors import ToolchainError

ANSWER_SECONDS = 30
STOP_SECONDS = 10


def answer(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str | None:
    """What a tool prints when asked something short, or None when it cannot answer."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            env=dict(env) if env is not None else None,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def run_logged(
    command: Sequence[str | Path],
    *,
    what: str,
    advice: str,
    log: Path,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run a long command; its output goes to the log and, line by line, to `on_line`.

    A failure is a ToolchainError with `what` failed and the end of the output. If this
    process is interrupted the command is stopped too: it does not outlive its caller.
    """
    words = [str(word) for word in command]
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(words)}\n")
        file.flush()
        try:
            process = subprocess.Popen(
                words,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise ToolchainError(
                f"{what} failed: {words[0]} cannot be run: {error}", advice=advice
            ) from error
        output: list[str] = []
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked for above
            for line in process.stdout:
                file.write(line)
                output.append(line)
                if on_line is not None:
                    on_line(line.rstrip())
            code = process.wait()
        except BaseException:
            stop(process)
            raise
    if code != 0:
        raise ToolchainError(
            f"{what} failed with exit code {code}.", advice=advice, output="".join(output), log=log
        )


def stop(process: subprocess.Popen[str]) -> None:
    """End a child: asked first, then killed."""
    with contextlib.suppress(OSError):
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
