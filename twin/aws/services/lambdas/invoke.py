"""Lambda's Invoke: who can, as whom the function runs, what is answered, what its log group gets.

It is not made again from the journal: what the function did in the cloud is there as separate calls.
An invocation under an intent is answered once (docs/adr/0003), also after the API server was killed.
"""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import time
import uuid
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import service_roles
from twin.aws.services.eks.workload_identity import place
from twin.aws.services.lambdas import validation as lambdas
from twin.aws.services.lambdas.process import Processes, Program, Ran, Run
from twin.aws.validation.moto_state import MotoState
from twin.instances import Instance
from twin.kubernetes.processes import environments, images

LOG = logging.getLogger(__name__)
_PAYLOAD: Final = 6 * 1024 * 1024
_PAYLOAD_LATER: Final = 1024 * 1024
_TAIL: Final = 4096


class Functions:
    """The functions of one instance's AWS, as they are invoked."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._processes = Processes(server.instance.folder / "run" / "functions")
        self._inside = Inside(server)
        self._busy: dict[str, int] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer | None:
        """The answer to Invoke; None for any other call. Raises Refusal."""
        if call.service != "lambda" or call.operation not in ("Invoke", "InvokeWithResponseStream"):
            return None
        if call.operation != "Invoke":
            raise NotImplementedError("answers are given whole, not as a stream")
        if call.key is None:
            return self._invoke(call)
        with self._turn(call.key):
            # Asked for again while it runs, or after it ran: it runs once.
            known = self._server.journal.recall(f"invoked {call.key}")
            if known is not None:
                return _restored(known)
            answer = self._invoke(call)
            self._server.journal.set_meta(f"invoked {call.key}", _serialized(answer))
            return answer

    def close(self) -> None:
        """End what runs."""
        self._processes.close()

    def _turn(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def _invoke(self, call: Call) -> Answer:
        kind = call.environ.get("HTTP_X_AMZ_INVOCATION_TYPE") or "RequestResponse"
        function = self._function(call)
        event = call.body or b""
        if len(event) > (_PAYLOAD if kind == "RequestResponse" else _PAYLOAD_LATER):
            words = f"Request must be smaller than {_PAYLOAD} bytes for the InvokeFunction operation"
            raise Refusal("RequestEntityTooLargeException", words, 413)
        try:
            json.loads(event or b"null")
        except ValueError as error:
            raise Refusal(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        if kind == "DryRun":
            return Answer(204, [], b"")
        request = str(uuid.uuid4())
        if kind == "Event":
            arguments = (self._region(call), call.params, event, function)
            threading.Thread(target=self._server.deliveries.later, args=arguments, daemon=True).start()
            return Answer(202, [("x-amzn-RequestId", request)], b"")
        ran = self._run(self._region(call), function, event, request)
        if ran is None:
            raise Refusal("TooManyRequestsException", "Rate Exceeded.", 429)
        headers = [
            ("Content-Type", "application/json"),
            ("X-Amz-Executed-Version", str(function.version)),
            ("x-amzn-RequestId", request),
        ]
        if ran.failed:
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        if call.environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail":
            headers.append(("X-Amz-Log-Result", base64.b64encode(ran.log.encode()[-_TAIL:]).decode()))
        return Answer(200, headers, ran.payload)

    def run(self, region: str, params: dict[str, Any], event: bytes, request: str) -> Ran | None:
        """Run a function for another service, which has looked at the rights. None where it is throttled."""
        return self._run(region, self._called(region, params), event, request)

    def _region(self, call: Call) -> str:
        return call.region or self._server.instance.region

    def _function(self, call: Call) -> Any:
        return self._called(self._region(call), call.params)

    def _called(self, region: str, params: dict[str, Any]) -> Any:
        with self._server.moto.lock:
            state = MotoState(self._server.moto, region)
            function = lambdas.called(state, params, random.random())  # noqa: S311 - weights of versions
            runtime = str(function.run_time or "")
            if function.package_type == "Zip" and not runtime.startswith("python"):
                raise NotImplementedError(f"a function of {runtime}: Python runs here alone")
            if service_roles.by("lambda.amazonaws.com", function.role, state) is None:
                raise Refusal(
                    "AccessDeniedException",
                    "The role defined for the function cannot be assumed by Lambda.",
                    403,
                )
            return function

    def _run(self, region: str, function: Any, event: bytes, request: str) -> Ran | None:
        """Run a function; None where it runs as often as is reserved for it."""
        name = str(function.function_name)
        with self._server.moto.lock:
            holder = lambdas.find(MotoState(self._server.moto, region), name)
            most = None if holder is None else holder.reserved_concurrency
        with self._lock:
            if most is not None and self._busy.get(name, 0) >= int(most):
                return None
            self._busy[name] = self._busy.get(name, 0) + 1
        try:
            return self._once(region, function, event, request)
        finally:
            with self._lock:
                self._busy[name] -= 1

    def _once(self, region: str, function: Any, event: bytes, request: str) -> Ran:
        group = lambdas.log_group(function)
        stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{function.version}]{uuid.uuid4().hex}"
        variables = self._variables(region, function) | {
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }
        reported = {
            "name": function.function_name,
            "version": str(function.version),
            "arn": function.function_arn,
            "memory": function.memory_size,
            "request_id": request,
            "log_group": group,
            "log_stream": stream,
        }
        image = _program(self._server.instance, function) if function.package_type == "Image" else None
        code = b"" if image else function.code_bytes
        run = Run(code, str(function.handler), event, variables, float(function.timeout), reported, image)
        ran = self._processes.run(run)
        self._write_log(function, group, stream, ran.log, request)
        return ran

    def _variables(self, region: str, function: Any) -> dict[str, str]:
        session = self._inside.call(
            "sts", "assume_role", RoleArn=function.role, RoleSessionName=function.function_name
        )["Credentials"]
        return {
            **{str(name): str(value) for name, value in (function.environment_vars or {}).items()},
            **place(self._server.instance),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": str(function.handler),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        }

    def _write_log(self, function: Any, group: str, stream: str, log: str, request: str) -> None:
        """Into the log group, as far as the function's role may write there."""
        arn = f"arn:aws:logs:{function.region}:{function.account_id}:log-group:{group}:log-stream:{stream}"
        role = function.role
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if not self._server.identity.allowed(role, action, arn, {}):
                return
        now = int(time.time() * 1000)
        lines = [f"START RequestId: {request} Version: {function.version}", *log.splitlines()]
        events = [
            {"timestamp": now, "message": line} for line in (*lines, f"END RequestId: {request}") if line
        ]
        try:
            self._inside.call("logs", "create_log_stream", logGroupName=group, logStreamName=stream)
            self._inside.call(
                "logs", "put_log_events", logGroupName=group, logStreamName=stream, logEvents=events
            )
        except Refusal as error:
            LOG.info("%s writes no log: %s", function.function_name, error)


def _program(instance: Instance, function: Any) -> Program:
    """Return the program of a function's image. Raises NotImplementedError for an image that is in no table
    of images."""
    uri = str(function.code["ImageUri"])
    image = images.load(instance).of(uri)
    if image is None:
        raise NotImplementedError(f"a function of the image {uri}, which no images.toml has")
    stated = function.image_config
    command = (*(stated.entry_point or image.entrypoint), *(stated.cmd or image.arguments))
    return Program(command, image.folder, environments.commands(image.environment))


def _serialized(answer: Answer) -> str:
    body = base64.b64encode(answer.body).decode()
    return json.dumps({"status": answer.status, "headers": answer.headers, "body": body})


def _restored(text: str) -> Answer:
    reported = json.loads(text)
    headers = [(name, value) for name, value in reported["headers"]]
    return Answer(reported["status"], headers, base64.b64decode(reported["body"]))
