"""What AWS refuses and moto accepts, and the few operations that moto lacks.

A rule is a function of (params, look) that raises Refusal; `look` reads moto's state. Each service's rules
stand in its own module, in a table by operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws import notices, prices, sessions
from twin.aws.call import Answer, Call, Refusal
from twin.aws.rules import (
    amp,
    athena,
    autoscaling,
    budgets,
    codebuild,
    cost_explorer,
    data_exports,
    data_services,
    ec2,
    ec2_endpoints,
    ec2_groups,
    ec2_network,
    ec2_routes,
    federated,
    fleets,
    glue,
    iam,
    kms,
    lake_gate,
    lakeformation,
    lakeformation_calls,
    logs,
    modelled,
    placement,
    reservations,
    s3,
    ssm,
    tagging,
)
from twin.aws.rules.look import Look

Rule = Callable[[dict[str, Any], Look], None]
SERVICE_HEADER: Final = "HTTP_X_TWIN_SERVICE"
RULES: Final[dict[str, dict[str, Rule]]] = {
    **data_services.RULES,
    "ec2": {
        **ec2.RULES,
        **fleets.RULES,
        **ec2_endpoints.RULES,
        **ec2_groups.RULES,
        **ec2_network.RULES,
        **ec2_routes.RULES,
    },
    "iam": iam.RULES,
    "kms": kms.RULES,
    "logs": logs.RULES,
    "autoscaling": autoscaling.RULES,
    "codebuild": codebuild.RULES,
    "athena": athena.RULES,
    "budgets": budgets.RULES,
    "bcm-data-exports": data_exports.RULES,
    "ce": cost_explorer.RULES,
    "glue": {**glue.RULES, **data_services.GLUE_RULES},
    "s3": s3.RULES,
    "lakeformation": lakeformation.RULES,
}

Extension = Callable[[Call, Any], Answer | None]
EXTENSIONS: Final[dict[str, dict[str, Extension]]] = {
    **data_services.EXTENSIONS,
    "ec2": {
        **placement.OPERATIONS,
        **reservations.OPERATIONS,
        **fleets.OPERATIONS,
        "DescribeSpotPriceHistory": prices.spot_history,
    },
    "aps": amp.OPERATIONS,
    "events": notices.OPERATIONS,
    "logs": logs.OPERATIONS,
    "codebuild": codebuild.OPERATIONS,
    "athena": athena.OPERATIONS,
    "budgets": budgets.OPERATIONS,
    "bcm-data-exports": data_exports.OPERATIONS,
    "ce": cost_explorer.OPERATIONS,
    "glue": {**glue.OPERATIONS, **data_services.GLUE_OPERATIONS},
    "s3": s3.OPERATIONS,
    "lakeformation": lakeformation_calls.OPERATIONS,
    "ssm": ssm.OPERATIONS,
    "sts": sessions.OPERATIONS,
}
_KEPT_IN: Final = {"bcm-data-exports": "ce"}
"""A service that moto lacks -> the one whose backend contains its resources."""


def check(call: Call, front: Any) -> None:
    """Raise the Refusal that AWS would answer."""
    if call.service not in modelled.SERVICES and call.service not in RULES:
        return
    trusted = bool(call.environ.get(SERVICE_HEADER))
    if not trusted and call.mutating and call.service in modelled.SERVICES:
        modelled.check(call)
        tagging.check(call)
    look = Look(front.moto, call.region or front.world.region, _caller(call, front, trusted))
    if call.service == "glue":
        federated.check(call.operation, call.params, look)
    if call.service == "glue" and not trusted:
        lake_gate.check(call.operation, call.params, look)
    rule = RULES.get(call.service, {}).get(call.operation)
    if rule:
        rule(call.params, look)
    if call.service == "ec2" and b"DryRun=true" in call.body:
        raise Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def seen(call: Call, front: Any, answer: Answer) -> Answer:
    """An answer as its caller may see it."""
    if call.service != "glue" or call.environ.get(SERVICE_HEADER):
        return answer
    return lake_gate.seen(
        call.operation, Look(front.moto, call.region, _caller(call, front, trusted=False)), answer
    )


def _caller(call: Call, front: Any, trusted: bool) -> Callable[[], str]:
    return str if trusted else lambda: front.identity.principal_arn(call.access_key)


def extension(call: Call, moto: Any) -> Answer | None:
    """The answer to an operation or a thing that moto does not have, or None."""
    handler = EXTENSIONS.get(call.service, {}).get(call.operation)
    service = _KEPT_IN.get(call.service, call.model_name)
    return handler(call, moto.backend(service, call.region)) if handler else None
