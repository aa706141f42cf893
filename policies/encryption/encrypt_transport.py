"""Endpoints use TLS, in a version without known weaknesses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import Outcome, Policy, Resource, Violation, any_of, check_each, describe

POLICY = Policy(
    title="TLS 1.2 at least",
    severity="high",
    description="Load balancers, databases, caches and brokers accept only TLS, in a version without known "
    "weaknesses. Their defaults are often older versions, or no TLS.",
    remediation="Use HTTPS listeners with a policy of TLS 1.2 or 1.3 (a plain one may only redirect); "
    "`sslMode: ENCRYPTED_ONLY`; `transitEncryptionEnabled`; `minTlsVersion: TLS_1_2`.",
    frameworks=("NIST 800-53 SC-8", "SOC 2 CC6.7"),
)

# By name, such as TLS13-1-1-2021-06 or FS-1-1-2019-08; policies without a version allow TLS 1.0.
_OLD_POLICIES: Final = re.compile(r"ELBSecurityPolicy-((FS-)?20\d\d-\d\d|(TLS|TLS13|FS)-1-[01]-.+)")
_PLAIN: Final = "keys and values are sent in plain text"
_REQUIRED: Final[Mapping[str, tuple[str, tuple[Any, ...], str]]] = {
    "aws:msk/cluster:Cluster": (
        "encryptionInfo.encryptionInTransit.clientBroker",
        (None, "TLS"),
        "clients may connect without TLS",
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        "settings.ipConfiguration.sslMode",
        ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
        "clients may connect without TLS",
    ),
    "gcp:redis/instance:Instance": ("transitEncryptionMode", ("SERVER_AUTHENTICATION",), _PLAIN),
}
"""Type -> property path, its allowed values, and the effect of any other."""


@POLICY.on(*_REQUIRED)
def on_services(resource: Resource) -> Iterator[Outcome]:
    """Databases, caches and brokers by their mode."""
    path, allowed, effect = _REQUIRED[resource.type]
    value = resource.known(path)
    if value not in allowed:
        yield Violation(path, f"{describe(value)}, so {effect}")


@POLICY.on("aws:lb/listener:Listener")
def on_listeners(resource: Resource) -> Iterator[Outcome]:
    """HTTP listeners that do not redirect, and HTTPS listeners with a policy that allows TLS 1.0 or 1.1."""
    protocol = resource.known("protocol")
    if protocol == "HTTP":
        if any_of(resource.entries("defaultActions"), lambda action: action.known("type") != "redirect"):
            yield Violation("protocol", "is 'HTTP' and does more than redirect")
    elif protocol in ("HTTPS", "TLS"):
        policy = resource.known("sslPolicy")
        if policy is None:
            yield Violation("sslPolicy", "is not set, and the default allows TLS 1.0")
        elif _OLD_POLICIES.fullmatch(policy):
            yield Violation("sslPolicy", f"is {policy!r}, which allows TLS 1.0 or 1.1")


@POLICY.on("aws:cloudfront/distribution:Distribution")
def on_distributions(resource: Resource) -> Iterator[Outcome]:
    """The protocols of CloudFront's viewers."""
    yield from check_each(["defaultCacheBehavior"], _check_behavior, resource)
    ordered = (behavior.path for behavior in resource.entries("orderedCacheBehaviors"))
    yield from check_each(ordered, _check_behavior, resource)


def _check_behavior(behavior: str, resource: Resource) -> Iterator[Outcome]:
    path = f"{behavior}.viewerProtocolPolicy"
    if resource.known(path) == "allow-all":
        yield Violation(path, "is 'allow-all', which includes plain HTTP")


@POLICY.on("aws:elasticache/replicationGroup:ReplicationGroup")
def on_caches(resource: Resource) -> Iterator[Outcome]:
    """Caches, which use no TLS by default."""
    enabled = resource.known("transitEncryptionEnabled")
    if enabled is not True:
        yield Violation("transitEncryptionEnabled", f"{describe(enabled)}, so {_PLAIN}")
    elif resource.known("transitEncryptionMode") == "preferred":
        yield Violation("transitEncryptionMode", "is 'preferred', which also allows clients without TLS")


@POLICY.on("gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/regionSslPolicy:RegionSslPolicy")
def on_google_policies(resource: Resource) -> Iterator[Outcome]:
    """TLS versions of Google Cloud's load balancers."""
    version = resource.known("minTlsVersion")
    if version in (None, "TLS_1_0", "TLS_1_1"):
        yield Violation("minTlsVersion", f"{describe(version)}; expected TLS_1_2, the default is TLS 1.0")
