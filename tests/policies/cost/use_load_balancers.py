"""Spec of cost.use_load_balancers."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource

_ARN = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/front/50dc6c495c0c9188"
_BALANCER = resource("aws:lb/loadBalancer:LoadBalancer", {"arn": _ARN}, name="front")
_NEW = resource("aws:lb/loadBalancer:LoadBalancer", {"arn": UNKNOWN}, name="front")


def _listener(balancer: Any, **more: Any) -> Resource:
    return resource("aws:lb/listener:Listener", {"loadBalancerArn": balancer}, name="https", **more)


def _service(**props: Any) -> Resource:
    return resource("gcp:compute/backendService:BackendService", {"protocol": "HTTPS", **props})


SPEC = Spec(
    passes={
        "a listener": Stack([_BALANCER, _listener(_ARN)]),
        "a listener of one that does not exist yet": Stack(
            [_NEW, _listener(UNKNOWN, property_dependencies={"loadBalancerArn": [_NEW.urn]})]
        ),
        "backends": _service(backends=[{"group": "neg"}]),
    },
    fails={
        "no listener": Fails(Stack([_NEW]), "", "no listener", of="front"),
        "another's listener": Fails(Stack([_BALANCER, _listener(f"{_ARN}0")]), "", of="front"),
        "no backend": Fails(_service(), "backends", "answered with an error"),
    },
    unknown={
        "a listener of an unknown one": Stack([_BALANCER, _listener(UNKNOWN)]),
        "backends": _service(backends=UNKNOWN),
    },
)
