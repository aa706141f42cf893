"""StartExecution and what reports executions: their state, output and history.

moto stores state machines and executions. What an execution does is not replayed from the journal: its calls
are there as separate calls. Its result is stored with the journal, so that it outlasts a restart; an
execution that runs when the twin stops is aborted.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import service_roles
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState

LOG = logging.getLogger(__name__)
SERVICE: Final = "states"
_PRINCIPAL: Final = "states.amazonaws.com"
_READS: Final = ("DescribeExecution", "GetExecutionHistory", "ListExecutions")
_MODULE: Final = "twin.aws.services.stepfunctions.interpreter"


class Executions:
    """The executions of one twin's AWS."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._inside = Inside(server)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer | None:
        """Return the answer to GetExecutionHistory, and let moto report executions as they are; None for any
        other call. Raises Refusal."""
        if call.service != SERVICE:
            return None
        if call.operation == "StartExecution":
            self._check_role(call)
        if call.operation not in _READS:
            return None
        with self._server.moto.lock:
            for execution in self._all(call):
                self._settle(execution)
        if call.operation != "GetExecutionHistory":
            return None
        known = self._server.journal.recall(_key(str(call.params["executionArn"])))
        if known is None:
            return extension_store.respond(call, {"events": []})
        events: list[dict[str, Any]] = json.loads(known)["events"]
        for event in events:
            event["timestamp"] = datetime.fromtimestamp(event["timestamp"], UTC)
        if call.params.get("reverseOrder"):
            events.reverse()
        return extension_store.respond(call, {"events": events})

    def take(self, call: Call, answer: Answer) -> None:
        """Start or end the process of an execution that a call started or stopped."""
        if call.service != SERVICE or not answer.good:
            return
        if call.operation == "StopExecution":
            self._end(str(call.params["executionArn"]))
        if call.operation == "StartExecution":
            self._start(call, json.loads(answer.body)["executionArn"])

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            for process in self._processes.values():
                process.kill()

    def _all(self, call: Call) -> list[Any]:
        backend = self._server.moto.backend("stepfunctions", call.region or "")
        return [execution for machine in backend.state_machines for execution in machine.executions]

    def _machine(self, call: Call) -> Any:
        backend = self._server.moto.backend("stepfunctions", call.region or "")
        arn = call.params.get("stateMachineArn")
        return next((machine for machine in backend.state_machines if machine.arn == arn), None)

    def _check_role(self, call: Call) -> None:
        with self._server.moto.lock:
            machine = self._machine(call)
            state = MotoState(self._server.moto, call.region or self._server.instance.region)
            # One that does not exist is reported by moto.
            if machine is not None and not service_roles.by(
                _PRINCIPAL, machine.roleArn, state, **{"aws:SourceArn": machine.arn}
            ):
                raise Refusal(
                    "AccessDeniedException",
                    f"Neither the global service principal {_PRINCIPAL}, nor the regional one is authorized "
                    "to assume the provided role.",
                )

    def _start(self, call: Call, arn: str) -> None:
        with self._lock:
            # A name that is used again with the same input names the execution that there is.
            if arn in self._processes or self._server.journal.recall(_key(arn)) is not None:
                return
            with self._server.moto.lock:
                machine = self._machine(call)
                [execution] = [entry for entry in machine.executions if entry.execution_arn == arn]
                request = {
                    "execution": arn,
                    "name": execution.name,
                    "machine": machine.arn,
                    "machine_name": machine.name,
                    "role": machine.roleArn,
                    "definition": machine.definition,
                    "input": execution.execution_input,
                    "account": self._server.moto.account,
                    "region": call.region or self._server.instance.region,
                }
            folder = tempfile.TemporaryDirectory(prefix="execution-")
            place = Path(folder.name)
            (place / "request.json").write_text(json.dumps(request))
            self._processes[arn] = subprocess.Popen(
                [sys.executable, "-m", _MODULE, place / "request.json", place / "result.json"],
                env=self._variables(request),
                stdin=subprocess.DEVNULL,
            )
        threading.Thread(target=self._await, args=(arn, folder), daemon=True).start()

    def _variables(self, request: dict[str, Any]) -> dict[str, str]:
        session = self._inside.call(
            "sts", "assume_role", RoleArn=request["role"], RoleSessionName=request["machine_name"][:64]
        )["Credentials"]
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "AWS_REGION": request["region"],
            "AWS_DEFAULT_REGION": request["region"],
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
            "AWS_ENDPOINT_URL": self._server.instance.url("cloud"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def _await(self, arn: str, folder: tempfile.TemporaryDirectory[str]) -> None:
        with folder:
            self._processes[arn].wait()
            result = Path(folder.name, "result.json")
            if result.exists():
                self._server.journal.set_meta(_key(arn), result.read_text())
            else:
                LOG.warning("the interpreter of %s ended without a result", arn)
        with self._lock:
            self._processes.pop(arn, None)

    def _end(self, arn: str) -> None:
        with self._lock:
            process = self._processes.get(arn)
            if process is not None:
                process.kill()

    def _settle(self, execution: Any) -> None:
        """Report an execution of moto as it ended."""
        arn: str = execution.execution_arn
        if execution.status != "RUNNING" or arn in self._processes:
            return
        known = self._server.journal.recall(_key(arn))
        result: dict[str, Any] = (
            json.loads(known)
            if known
            else {
                "status": "ABORTED",
                "cause": "The twin was stopped.",
                "stopped": execution.start_date.timestamp(),
            }
        )
        execution.status = result["status"]
        execution.stop_date = datetime.fromtimestamp(result["stopped"], UTC)
        execution.output = result.get("output")
        execution.error, execution.cause = result.get("error"), result.get("cause")


def _key(arn: str) -> str:
    return f"execution {arn}"
