"""URLs of functions, `ID.lambda-url.REGION.on.aws`: who can call one, and its requests as events.

Lambda developer guide, "Control access to Lambda function URLs" (both rights since October 2025) and
"Invoking Lambda function URLs" (payload format 2.0).
"""

from __future__ import annotations

import base64
import json
import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_evaluation, request_context
from twin.aws.iam.principals import Principal
from twin.aws.services.lambdas import validation as lambdas

LOG = logging.getLogger(__name__)
_HOST: Final = re.compile(r"[0-9a-f]{32}\.lambda-url\.(?P<region>[a-z0-9-]+)\.on\.aws")
_RIGHTS: Final = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
_TEXT: Final = re.compile(r"text/.*|application/(json|xml|javascript)")
Props = dict[str, Any]


class FunctionUrls:
    """The URLs of the functions of one API server."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def serves(self, environ: Props) -> bool:
        """Return whether a request is for a URL of a function."""
        return _HOST.fullmatch(_host(environ)) is not None

    def answer(self, environ: Props) -> Answer:
        """Answer a request."""
        host = _host(environ)
        call = Call.of(environ)
        try:
            return self._answer(call, environ, host)
        except Refusal as error:
            return _refused(error.status, error.message)
        except Exception:
            # A defect of the twin: the log has the cause.
            LOG.exception("%s %s failed in the twin", call.method, host)
            return _refused(502, "failed in the twin itself; see its log")

    def _answer(self, call: Call, environ: Props, host: str) -> Answer:
        match = _HOST.fullmatch(host)
        region = match["region"] if match else ""
        with self._server.moto.lock:
            function = self._function(region, host)
        if function is None:
            raise Refusal("NotFound", "Not Found", 404)
        config, qualifier = function.url_config.config, lambdas.url_qualifier(function)
        arn = f"{function.function_arn}:{qualifier}" if qualifier else function.function_arn
        if config.get("AuthType") != "NONE":
            self._authorize(call, function, arn)
        params: Props = {"FunctionName": function.function_name, "Qualifier": qualifier}
        event = json.dumps(_event(call, environ, host, self._server.instance.account)).encode()
        ran = self._server.functions.run(region, params, event, str(uuid.uuid4()))
        if ran is None:
            return _refused(429, "Rate Exceeded.")
        if ran.failed:
            return _refused(502, "Internal Server Error")
        return _response(json.loads(ran.payload or b"null"))

    def _function(self, region: str, host: str) -> Any:
        functions = self._server.moto.backend("lambda", region)._lambdas._functions
        for versions in functions.values():
            function = versions["latest"]
            if function.url_config is not None and function.url_config.url == f"https://{host}":
                return function
        return None

    def _authorize(self, call: Call, function: Any, arn: str) -> None:
        """Refuse a request that is not signed, or whose principal lacks a right."""
        if not call.access_key or call.service != "lambda":
            raise Refusal("AccessDeniedException", "Forbidden", 403)
        self._server.identity.known(call)
        self._server.identity.signed(call)
        with self._server.moto.lock:
            who: Principal = self._server.identity.principal(call.access_key)
            document = {"Statement": lambdas.statements(function)}
        context = {
            **request_context.context(call, self._server, who),
            "lambda:FunctionUrlAuthType": "AWS_IAM",
            "lambda:InvokedViaFunctionUrl": "true",
        }
        for right in _RIGHTS:
            why = policy_evaluation.why_not(
                who, policy_evaluation.AuthorizationRequest(right, arn, context, document)
            )
            if why:
                LOG.info("%s", why)
                raise Refusal("AccessDeniedException", "Forbidden", 403)


def _host(environ: Props) -> str:
    return str(environ.get("HTTP_HOST") or "").partition(":")[0]


def _refused(status: int, message: str) -> Answer:
    body = json.dumps({"Message": message}).encode()
    return Answer(status, [("Content-Type", "application/json")], body)


def _event(call: Call, environ: Props, host: str, account: str) -> Props:
    """A request in the payload format 2.0."""
    query = str(environ.get("QUERY_STRING") or "")
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_AUTHORIZATION",)
    }
    kind = str(environ.get("CONTENT_TYPE") or "")
    if kind:
        headers["content-type"] = kind
    is_text = _TEXT.match(kind) is not None
    now = datetime.now(UTC)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": query,
        "headers": headers,
        **({"queryStringParameters": dict(parse_qsl(query))} if query else {}),
        "requestContext": {
            "accountId": account,
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": call.method,
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": str(environ.get("REMOTE_ADDR") or "127.0.0.1"),
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(time.time() * 1000),
        },
        **({"body": _body(call.body, is_text=is_text), "isBase64Encoded": not is_text} if call.body else {}),
    }


def _body(body: bytes, *, is_text: bool) -> str:
    return body.decode() if is_text else base64.b64encode(body).decode()


def _response(result: Any) -> Answer:
    """The answer of a function: an object with `statusCode`, or any value, which is a body of JSON."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Answer(200, [("Content-Type", "application/json")], json.dumps(result).encode())
    text = result.get("body") or ""
    text = text if isinstance(text, str) else json.dumps(text)
    body = base64.b64decode(text) if result.get("isBase64Encoded") else text.encode()
    headers = {"Content-Type": "application/json", **(result.get("headers") or {})}
    return Answer(int(result["statusCode"]), [(name, str(value)) for name, value in headers.items()], body)
