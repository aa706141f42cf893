"""Spec of network.authenticate_gateways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource
from tests.policies.workloads import metadata

_ENVOY = "kubernetes:gateway.envoyproxy.io/v1alpha1"
_INTERNAL = {"networking.gke.io/load-balancer-type": "Internal"}
_OWNER = "gateway.envoyproxy.io/owning-gateway-name"
_TOKENS: dict[str, Any] = {"jwt": {"providers": [{"name": "company"}]}}


def _gateway(**spec: Any) -> Resource:
    props = {"metadata": metadata("gateway", "models"), "spec": {"gatewayClassName": "envoy", **spec}}
    return resource("kubernetes:gateway.networking.k8s.io/v1:Gateway", props, name="gateway")


def _service(annotations: Any = None, owner: Any = "models") -> Resource:
    spec = {"type": "LoadBalancer", "selector": {_OWNER: owner}}
    props = {"metadata": metadata("envoy-gateway-system", annotations=annotations), "spec": spec}
    return resource("kubernetes:core/v1:Service", props, name="service")


def _proxy() -> Resource:
    return resource(f"{_ENVOY}:EnvoyProxy", {"metadata": metadata("gateway", "envoy"), "spec": {}})


def _policy(checks: Any = None, kind: str = "Gateway", name: Any = "models") -> Resource:
    spec = {"targetRefs": [{"kind": kind, "name": name}], **(_TOKENS if checks is None else checks)}
    return resource(
        f"{_ENVOY}:SecurityPolicy", {"metadata": metadata("gateway", "p"), "spec": spec}, name="p"
    )


def _stack(*others: Resource, **spec: Any) -> Stack:
    members: Sequence[Resource] = [_gateway(**spec), *others]
    return Stack(list(members))


_BY_PROXY: dict[str, Any] = {"infrastructure": {"parametersRef": {"kind": "EnvoyProxy", "name": "envoy"}}}

SPEC = Spec(
    passes={
        "tokens": _stack(_service(), _policy()),
        "keys": _stack(_service(), _policy({"apiKeyAuth": {"credentialRefs": [{"name": "keys"}]}})),
        "an internal load balancer": _stack(_service(_INTERNAL)),
        "a public one of another gateway": _stack(_service(owner="other")),
        "a proxy of another gateway": _stack(_proxy()),
    },
    fails={
        "no policy": Fails(_stack(_service()), "", "no SecurityPolicy", of="gateway"),
        "a policy of a route": Fails(_stack(_service(), _policy(kind="HTTPRoute")), "", of="gateway"),
        "a policy of another gateway": Fails(_stack(_service(), _policy(name="other")), "", of="gateway"),
        "a policy without authentication": Fails(
            _stack(_service(), _policy({"cors": {"allowOrigins": ["*"]}})), "", of="gateway"
        ),
        "optional tokens": Fails(
            _stack(_service(), _policy({"jwt": {**_TOKENS["jwt"], "optional": True}})), "", of="gateway"
        ),
        "a load balancer of Envoy Gateway": Fails(_stack(_proxy(), **_BY_PROXY), "", of="gateway"),
    },
    unknown={
        "the annotations": _stack(_service(UNKNOWN)),
        "the policy's target": _stack(_service(), _policy(name=UNKNOWN)),
        "the policy's tokens": _stack(_service(), _policy({"jwt": {"providers": UNKNOWN}})),
    },
)
