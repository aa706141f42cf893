"""Spec of network.log_load_balancers."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

CLASSIC = "aws:elb/loadBalancer:LoadBalancer"


def _balancer(logs: Any = None, kind: Any = "application") -> Resource:
    props = {"loadBalancerType": kind, **({} if logs is None else {"accessLogs": logs})}
    return resource("aws:lb/loadBalancer:LoadBalancer", props)


def _backend(**more: Any) -> Resource:
    return resource("gcp:compute/backendService:BackendService", more)


SPEC = Spec(
    passes={
        "a log": _balancer({"bucket": "acme-logs", "enabled": True}),
        "a load balancer of appliances": _balancer(kind="gateway"),
        "a log of a classic load balancer": resource(CLASSIC, {"accessLogs": {"bucket": "acme-logs"}}),
        "a log of a backend service": _backend(logConfig={"enable": True, "sampleRate": 0.5}),
        "a backend service for TCP": _backend(protocol="TCP"),
    },
    fails={
        "an application load balancer as it comes": Fails(
            _balancer(), "accessLogs.enabled", "requests are not logged"
        ),
        "a bucket without the switch": Fails(_balancer({"bucket": "acme-logs"}), "accessLogs.enabled"),
        "a network load balancer": Fails(
            _balancer({"bucket": "acme-logs", "enabled": False}, "network"), "accessLogs.enabled", "is false"
        ),
        "a classic load balancer": Fails(resource(CLASSIC, {}), "accessLogs"),
        "a classic load balancer that is off": Fails(
            resource(CLASSIC, {"accessLogs": {"bucket": "acme-logs", "enabled": False}}), "accessLogs.enabled"
        ),
        "a backend service as it comes": Fails(_backend(), "logConfig.enable", "is not set"),
        "a backend service that samples nothing": Fails(
            _backend(protocol="HTTPS", logConfig={"enable": True, "sampleRate": 0}), "logConfig.sampleRate"
        ),
    },
    unknown={
        "the log": _balancer(UNKNOWN),
        "the log of a backend service": _backend(logConfig=UNKNOWN),
        "the log of a classic load balancer": resource(CLASSIC, {"accessLogs": UNKNOWN}),
    },
)
