"""The process of one execution: `python -m twin.aws.services.stepfunctions.interpreter REQUEST RESULT`.

moto's interpreter of the Amazon States Language, whose calls go to the twin with the session of the role of
the state machine: a call that the role does not permit fails.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

_POLL_SECONDS: Final = 0.05


def main() -> None:
    """Run one execution to its end."""
    request_file, result_file = map(Path, sys.argv[1:3])
    request: dict[str, Any] = json.loads(request_file.read_text())
    server = os.getppid()
    _use_session()
    _await_jobs()
    from moto.stepfunctions.parser.backend.execution import Execution

    machine: Any = SimpleNamespace(
        arn=request["machine"],
        name=request["machine_name"],
        sm_type="STANDARD",
        definition=request["definition"],
    )
    execution = Execution(
        name=request["name"],
        sm_type=machine.sm_type,
        role_arn=request["role"],
        exec_arn=request["execution"],
        account_id=request["account"],
        region_name=request["region"],
        state_machine=machine,
        start_date=datetime.datetime.now(tz=datetime.UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=request["input"],
    )
    execution.start()
    while execution.status == "RUNNING":
        # Without the twin there is nothing to call.
        if os.getppid() != server:
            os._exit(1)
        time.sleep(_POLL_SECONDS)
    temporary = result_file.with_suffix(".part")
    temporary.write_text(json.dumps(_result(execution), default=str))
    temporary.rename(result_file)
    # Threads of states that timed out still wait for their calls.
    os._exit(0)


def _use_session() -> None:
    """Let moto's calls use the session and the address of the environment, and not its own server's."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session()

    def client(service_name: str, region_name: str | None = None, **_: Any) -> Any:
        create: Any = session.client
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=1000)
        return create(service_name, region_name=region_name, config=config)

    boto3.client = client


def _await_jobs() -> None:
    """moto (5.2) fails at the end of a `.sync` task of a service without `.waitForTaskToken`: it releases the
    token that such a task does not have. With the second pattern a task of Glue has one, never returned."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_glue
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
        ResourceCondition,
    )

    module: Any = state_task_service_glue
    module._SUPPORTED_INTEGRATION_PATTERNS.add(ResourceCondition.WaitForTaskToken)


def _result(execution: Any) -> dict[str, Any]:
    described = execution.to_describe_output()
    events = execution.to_history_output()["events"]
    for event in events:
        event["timestamp"] = datetime.datetime.fromisoformat(str(event["timestamp"])).timestamp()
    return {
        "status": execution.status,
        "stopped": (execution.stop_date or datetime.datetime.now(tz=datetime.UTC)).timestamp(),
        **{key: described[key] for key in ("output", "error", "cause") if described.get(key) is not None},
        "events": events,
    }


if __name__ == "__main__":
    main()
