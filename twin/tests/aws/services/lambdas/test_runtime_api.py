"""The program of an image gets its event by the Runtime API, and answers by it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from twin.aws.services.lambdas.process import Processes, Program, Ran, Run

PROGRAM = """
import json, os, sys, time, urllib.error, urllib.request

runtime = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"

def send(path, body, headers=None):
    if not isinstance(body, (bytes, list)):
        body = json.dumps(body).encode()
    sent = urllib.request.Request(runtime + path, body, {"Content-Type": "text/plain", **(headers or {})})
    return urllib.request.urlopen(sent).status

with urllib.request.urlopen(runtime + "/invocation/next") as answer:
    request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    left = int(answer.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
    arn, event = answer.headers["Lambda-Runtime-Invoked-Function-Arn"], json.load(answer)
print("event", event)
if "exit" in event:
    sys.exit(event["exit"])
if "sleep" in event:
    time.sleep(event["sleep"])
if "raise" in event:
    send(f"/invocation/{request}/error", {"errorType": "Refused", "errorMessage": event["raise"]})
elif "other" in event:
    try:
        send("/invocation/another/response", {})
    except urllib.error.HTTPError as error:
        send(f"/invocation/{request}/response", {"status": error.code})
elif "chunked" in event:
    parts = [b'{"a": ', b"1}"]
    send(f"/invocation/{request}/response", parts, {"Transfer-Encoding": "chunked"})
else:
    found = {"event": event, "arn": arn, "left": 0 < left <= 20, "mode": os.environ["MODE"]}
    found["path"] = os.getcwd()
    send(f"/invocation/{request}/response", found)
urllib.request.urlopen(runtime + "/invocation/next")
print("another event")
"""


def run(folder: Path, timeout: float = 20, **event: Any) -> Ran:
    (folder / "program.py").write_text(PROGRAM)
    reported = {"name": "f", "version": "1", "arn": "the-arn", "memory": 128, "request_id": "r-1"}
    program = Program((sys.executable, "-u", "program.py"), folder, Path(sys.executable).parent)
    variables = {"MODE": "test", "PATH": "/usr/bin:/bin"}
    return Processes(folder / "functions").run(
        Run(b"", "None", json.dumps(event).encode(), variables, timeout, reported, program)
    )


def test_a_program_answers_and_is_frozen_at_its_next_request(tmp_path: Path) -> None:
    ran = run(tmp_path, a=1)
    assert not ran.failed
    assert json.loads(ran.payload) == {
        "event": {"a": 1},
        "arn": "the-arn",
        "left": True,
        "mode": "test",
        "path": str(tmp_path.resolve()),
    }
    assert "event {'a': 1}" in ran.log
    assert "another event" not in ran.log


def test_an_error_that_a_program_reports_is_its_answer(tmp_path: Path) -> None:
    event: dict[str, Any] = {"raise": "gone"}
    ran = run(tmp_path, **event)
    assert ran.failed
    assert json.loads(ran.payload) == {"errorType": "Refused", "errorMessage": "gone"}


def test_an_answer_in_chunks_is_put_together(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, chunked=True).payload) == {"a": 1}


def test_an_answer_to_another_invocation_is_refused(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, other=True).payload) == {"status": 404}


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        ({"exit": 3}, "Runtime.ExitError", "exit status 3"),
        ({"sleep": 30}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ],
)
def test_a_program_without_an_answer_failed(
    tmp_path: Path, event: dict[str, Any], kind: str, words: str
) -> None:
    ran = run(tmp_path, 2, **event)
    assert ran.failed
    answer = json.loads(ran.payload)
    assert answer["errorType"] == kind
    assert words in answer["errorMessage"]
