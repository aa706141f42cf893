"""For the tests of `drain` and `gpu check`."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from stacks import gpu_checks


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the program in this process: another one imports for more than a second."""

    def answered(command: Sequence[str], *, input: str, **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:] == ["-m", gpu_checks.__name__]
        out, errors = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(input))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = gpu_checks.main()
        return subprocess.CompletedProcess(command, status, out.getvalue(), errors.getvalue())

    monkeypatch.setattr(subprocess, "run", answered)
