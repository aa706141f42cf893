"""Spec of network.close_functions."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _url(kind: Any) -> Any:
    return resource("aws:lambda/functionUrl:FunctionUrl", {"functionName": "f", "authorizationType": kind})


def _run(**more: Any) -> Any:
    return resource("gcp:cloudrunv2/service:Service", {"template": {}, **more})


SPEC = Spec(
    passes={
        "callers with a signature": _url("AWS_IAM"),
        "an internal service": _run(ingress="INGRESS_TRAFFIC_INTERNAL_ONLY"),
        "one behind the load balancer": _run(ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"),
    },
    fails={
        "everyone": Fails(_url("NONE"), "authorizationType", "'NONE'"),
        "Cloud Run with defaults": Fails(_run(), "ingress", "is not set"),
        "a function for everyone": Fails(
            resource(
                "gcp:cloudfunctionsv2/function:Function", {"serviceConfig": {"ingressSettings": "ALLOW_ALL"}}
            ),
            "serviceConfig.ingressSettings",
            "'ALLOW_ALL'",
        ),
    },
    unknown={
        "a kind that is unknown": _url(UNKNOWN),
        "an ingress that is unknown": _run(ingress=UNKNOWN),
    },
)
