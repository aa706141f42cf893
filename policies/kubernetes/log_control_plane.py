"""What is done to a cluster is on record."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided, holds_unknown

POLICY = Policy(
    title="Control plane logs are on",
    severity="high",
    description="The audit log is the one place that says who changed or read what in a cluster. EKS keeps "
    "none unless it is told to; GKE keeps its own unless logging is switched off.",
    remediation="Set EKS's `enabledClusterLogTypes` to api, audit and authenticator at least; leave GKE's "
    "`loggingService` alone, with SYSTEM_COMPONENTS among its `loggingConfig`.",
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
def on_aws(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Clusters that keep too few logs."""
    path = "enabledClusterLogTypes"
    kept = resource.get(path)
    left = [each for each in options["types"] if kept is UNKNOWN or each not in (kept or ())]
    if left and holds_unknown(kept):
        yield Undecided(path)
    elif left:
        yield Finding(path, f"keeps {kept or 'nothing'}, not {', '.join(left)}")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Clusters whose logging is off."""
    service, components = resource.get("loggingService"), resource.get("loggingConfig.enableComponents")
    if service is UNKNOWN or holds_unknown(components):
        yield Undecided("loggingService" if service is UNKNOWN else "loggingConfig.enableComponents")
    elif service == "none":
        yield Finding("loggingService", "is 'none': nothing of the cluster is on record")
    elif components is not None and "SYSTEM_COMPONENTS" not in components:
        yield Finding("loggingConfig.enableComponents", f"is {components}, without SYSTEM_COMPONENTS")
