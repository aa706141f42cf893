"""A gateway that the internet reaches checks who calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.pods import namespace
from ..kubernetes.forbid_public_services import is_public, is_public_proxy

POLICY = Policy(
    title="Authentication at public gateways",
    severity="critical",
    description="Anyone on the internet can use the accelerators behind a public gateway without "
    "authentication, and read what its models answer. A SecurityPolicy that targets the Gateway "
    "checks every request before a route is chosen.",
    remediation="Add a SecurityPolicy with `jwt`, `oidc`, `basicAuth`, `apiKeyAuth` or `extAuth` that "
    "targets the Gateway, or make its load balancer internal.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 IA-2", "SOC 2 CC6.1"),
)

_OWNER = "gateway.envoyproxy.io/owning-gateway-name"
_OWNER_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"
_CHECKS = ("oidc", "basicAuth", "apiKeyAuth", "extAuth")


@POLICY.on_stack
def on_envoy(stack: Stack) -> Iterator[Outcome]:
    """Gateways of Envoy with a public load balancer, and no policy that targets them."""
    gateways = stack.of("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    yield from check_each(gateways, _check, stack)


def _check(gateway: Resource, stack: Stack) -> Iterator[Outcome]:
    services = stack.of("kubernetes:core/v1:Service")
    proxies = stack.of("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    if not any_of(services, _is_balancer, gateway) and not any_of(proxies, _is_proxy, gateway):
        return
    policies = stack.of("kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy")
    if not any_of(policies, _protects, gateway):
        yield Violation("", "is open to the internet, and no SecurityPolicy that targets it checks who calls")


def _is_balancer(service: Resource, gateway: Resource) -> bool:
    """Whether a Service is a public load balancer of a gateway's Pods."""
    selector: Mapping[str, Any] = service.fully_known("spec.selector") or {}
    owner = (selector.get(_OWNER), selector.get(_OWNER_NAMESPACE, namespace(gateway)))
    return owner == _key(gateway) and is_public(service)


def _is_proxy(proxy: Resource, gateway: Resource) -> bool:
    """Whether an EnvoyProxy, which a gateway refers to, gives it a public load balancer."""
    named = (gateway.known("spec.infrastructure.parametersRef.name"), namespace(gateway))
    return named == _key(proxy) and is_public_proxy(proxy)


def _protects(policy: Resource, gateway: Resource) -> bool:
    if namespace(policy) != namespace(gateway):
        return False
    targets = [*policy.entries("spec.targetRefs"), *policy.entries("spec.targetRef")]
    return any_of(targets, _targets, gateway) and _checks(policy)


def _targets(target: Entry, gateway: Resource) -> bool:
    return (target.known("kind"), target.known("name")) == ("Gateway", gateway.known("metadata.name"))


def _checks(policy: Resource) -> bool:
    if any(policy.known(f"spec.{check}") for check in _CHECKS):
        return True
    # One that is optional lets requests without a token pass.
    return bool(policy.known("spec.jwt.providers")) and not policy.known("spec.jwt.optional")


def _key(resource: Resource) -> tuple[Any, Any]:
    return resource.known("metadata.name"), namespace(resource)
