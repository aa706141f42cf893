"""What AWS refuses and moto accepts, and the few operations that moto lacks.

A rule is a function of (params, look) that raises Refusal; `look` reads moto's state. Modules of a service's
folder have its rules in a table `RULES` by operation, and in `OPERATIONS` what moto lacks or does otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services import tables
from twin.aws.services.glue.operations import federated
from twin.aws.services.lakeformation import glue_filter
from twin.aws.validation import model_validation, tagging
from twin.aws.validation.moto_state import MotoState

Rule = Callable[[dict[str, Any], MotoState], None]
Extension = Callable[[Call, Any], Answer | None]
_KEPT_IN: Final = {"bcm-data-exports": "ce"}
"""A service that moto lacks -> the one whose backend contains its resources."""
SERVICE_HEADER: Final = "HTTP_X_TWIN_SERVICE"
RULES: Final[dict[str, dict[str, Rule]]] = tables("RULES")
EXTENSIONS: Final[dict[str, dict[str, Extension]]] = tables("OPERATIONS")


def check(call: Call, server: Any) -> None:
    """Raise the Refusal that AWS would answer."""
    if call.service not in model_validation.SERVICES and call.service not in RULES:
        return
    trusted = bool(call.environ.get(SERVICE_HEADER))
    if not trusted and call.mutating and call.service in model_validation.SERVICES:
        model_validation.check(call)
        tagging.check(call)
    state = MotoState(server.moto, call.region or server.instance.region, _caller(call, server, trusted))
    if call.service == "glue":
        federated.check(call.operation, call.params, state)
    if call.service == "glue" and not trusted:
        glue_filter.check(call.operation, call.params, state)
    rule = RULES.get(call.service, {}).get(call.operation)
    if rule:
        rule(call.params, state)
    if call.service == "ec2" and b"DryRun=true" in call.body:
        raise Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def seen(call: Call, server: Any, answer: Answer) -> Answer:
    """An answer as its caller may see it."""
    if call.service != "glue" or call.environ.get(SERVICE_HEADER):
        return answer
    return glue_filter.seen(
        call.operation, MotoState(server.moto, call.region, _caller(call, server, trusted=False)), answer
    )


def _caller(call: Call, server: Any, trusted: bool) -> Callable[[], str]:
    return str if trusted else lambda: server.identity.principal_arn(call.access_key)


def extension(call: Call, moto: Any) -> Answer | None:
    """The answer to an operation or a thing that moto does not have, or None."""
    handler = EXTENSIONS.get(call.service, {}).get(call.operation)
    service = _KEPT_IN.get(call.service, call.model_name)
    return handler(call, moto.backend(service, call.region)) if handler else None
