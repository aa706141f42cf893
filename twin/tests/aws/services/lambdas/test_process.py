"""A function's process: its answer, what it raises, what it finds around it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from twin.archives import zipped
from twin.aws.services.lambdas.process import Processes, Run, usable
from twin.tests.aws.services.lambdas.test_invoke import archive

CODE = """
import os, sys

def handle(event, context):
    print("event", event)
    if event.get("raise"):
        raise KeyError(event["raise"])
    return {"name": context.function_name, "variables": sorted(os.environ), "modules": sys.flags.no_site}
"""

REPORTED = {
    "name": "f",
    "version": "$LATEST",
    "arn": "a",
    "memory": 128,
    "request_id": "r",
    "log_group": "g",
    "log_stream": "s",
}


def run(folder: Path, **event: Any) -> tuple[Any, bool, str]:
    lambda_run = Run(
        zipped(archive(CODE)),
        "keeper.handler.handle",
        json.dumps(event).encode(),
        {"MODE": "test"},
        20,
        REPORTED,
    )
    ran = Processes(folder).run(lambda_run)
    return json.loads(ran.payload), ran.failed, ran.log


def test_a_handler_finds_its_own_variables_alone(tmp_path: Path) -> None:
    answer, failed, log = run(tmp_path, a=1)
    assert not failed
    assert answer["name"] == "f"
    assert {"MODE", "TMPDIR", "HOME", "LAMBDA_TASK_ROOT"} <= set(answer["variables"])
    assert "AIPLATFORM_HOME" not in answer["variables"], "nothing of the twin's own"
    assert "event {'a': 1}" in log


def test_what_it_raises_is_its_answer(tmp_path: Path) -> None:
    answer, failed, log = run(tmp_path, **{"raise": "gone"})
    assert failed
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'gone'")
    assert "KeyError" in log


def test_the_same_files_make_the_same_archive() -> None:
    assert zipped(archive()) == zipped(archive())
    assert usable(zipped(archive()))
    assert not usable(b"no zip")


def test_packages_are_in_the_given_folder_alone_and_go_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "functions"
    (folder / "left").mkdir(parents=True)
    processes = Processes(folder)
    assert not folder.exists(), "what a server that was killed left"
    processes.run(Run(zipped(archive(CODE)), "keeper.handler.handle", b"{}", {}, 20, REPORTED))
    assert [path.name for path in folder.iterdir()] == [hashlib.sha256(zipped(archive(CODE))).hexdigest()]
    assert folder.stat().st_mode & 0o077 == 0, "variables of functions can be secrets"
    processes.close()
    assert not folder.exists()
