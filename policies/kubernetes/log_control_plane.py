"""Requests to the API of a cluster are logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..framework import Option, Options, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Control plane logs are on",
    severity="high",
    description="Only the audit log shows who changed or read what in a cluster. EKS keeps none by default; "
    "GKE keeps its own unless logging is disabled.",
    remediation="Set EKS's `enabledClusterLogTypes` to api, audit and authenticator at least; leave GKE's "
    "`loggingService` at its default, with SYSTEM_COMPONENTS in its `loggingConfig`.",
    frameworks=("CIS EKS 2.1.1", "NIST 800-53 AU-2", "NIST 800-53 AU-12", "SOC 2 CC7.2"),
    options={
        "types": Option(
            {"type": "array", "items": {"type": "string"}},
            ["api", "audit", "authenticator"],
            "The logs that an EKS cluster must keep.",
        ),
    },
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Clusters without one of the required logs."""
    path = "enabledClusterLogTypes"
    enabled: Any = resource.known(path) or []
    missing = [kind for kind in options["types"] if kind not in enabled]
    if missing:
        resource.fully_known(path)
        yield Violation(path, f"keeps {enabled or 'nothing'}, without {', '.join(missing)}")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Clusters with logging disabled."""
    if resource.known("loggingService") == "none":
        yield Violation("loggingService", "is 'none': no log of the cluster is kept")
    path = "loggingConfig.enableComponents"
    components: Any = resource.known(path)
    if components is not None and "SYSTEM_COMPONENTS" not in components:
        resource.fully_known(path)
        yield Violation(path, f"is {components}, without SYSTEM_COMPONENTS")
