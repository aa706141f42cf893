"""What runs in a function's process: import its handler, call it once, write down what it answered.

Started as `python -I -S runtime.py REQUEST ANSWER`, in the folder of the function's code. It imports nothing
but the standard library, the code, and the AWS SDK that Lambda's Python runtimes bring.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, reported: dict[str, Any]) -> None:
        self.function_name: str = reported["name"]
        self.function_version: str = reported["version"]
        self.invoked_function_arn: str = reported["arn"]
        self.memory_limit_in_mb: str = str(reported["memory"])
        self.aws_request_id: str = reported["request_id"]
        self.log_group_name: str = reported["log_group"]
        self.log_stream_name: str = reported["log_stream"]
        self.identity = None
        self.client_context = None
        self._deadline: float = time.time() + reported["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""
        return max(0, int((self._deadline - time.time()) * 1000))


def main() -> None:
    """One invocation."""
    request, answer = map(Path, sys.argv[1:3])
    reported = json.loads(request.read_text())
    # What started this may have ended by then: it ends by itself.
    signal.alarm(int(reported["timeout"]) + 5)
    sys.path[:0] = [reported["code"]]
    sys.path.append(reported["packages"])
    answer.write_text(json.dumps(_invoked(reported)))


def _invoked(reported: dict[str, Any]) -> dict[str, Any]:
    handler = _handler(reported["handler"], reported["request_id"])
    if isinstance(handler, dict):
        return handler
    try:
        result = handler(json.loads(reported["event"]), Context(reported))
    except Exception as error:  # noqa: BLE001 - whatever the code raises is its answer
        return _failed(error, reported["request_id"])
    try:
        return {"payload": json.dumps(result)}
    except (TypeError, ValueError) as error:
        words = f"Unable to marshal response: {error}"
        return _error("Runtime.MarshalError", words, reported["request_id"], [])


def _handler(named: str, request: str) -> Callable[[Any, Context], Any] | dict[str, Any]:
    module, _, function = named.rpartition(".")
    if not module:
        words = f"Bad handler '{named}': not enough values to unpack (expected 2, got 1)"
        return _error("Runtime.MalformedHandlerName", words, request, [])
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        words = f"Unable to import module '{module}': {error}"
        return _error("Runtime.ImportModuleError", words, request, [])
    except SyntaxError as error:
        words = f"Syntax error in module '{module}': {error}"
        return _error("Runtime.UserCodeSyntaxError", words, request, [])
    except Exception as error:  # noqa: BLE001 - whatever the code raises is its answer
        return _failed(error, request)
    if not hasattr(loaded, function):
        words = f"Handler '{function}' missing on module '{module}'"
        return _error("Runtime.HandlerNotFound", words, request, [])
    return getattr(loaded, function)


def _failed(error: Exception, request: str) -> dict[str, Any]:
    # Without this file's own frame, as Lambda's runtime leaves its own out.
    frames = traceback.extract_tb(error.__traceback__)[1:]
    traceback.print_exception(error)
    return _error(type(error).__name__, str(error), request, traceback.format_list(frames))


def _error(kind: str, words: str, request: str, stack: list[str]) -> dict[str, Any]:
    reported = {"errorMessage": words, "errorType": kind, "requestId": request, "stackTrace": stack}
    return {"payload": json.dumps(reported), "failed": True}


if __name__ == "__main__":
    main()
