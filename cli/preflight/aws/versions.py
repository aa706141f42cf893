"""Whether EKS supports the Kubernetes version of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cli.preflight.results import Result, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "Kubernetes version"
_CLUSTER: Final = "aws:eks/cluster:Cluster"


def check(scope: Scope) -> Iterator[Result]:
    """Compare the version of each cluster with those that EKS offers."""
    for cluster in scope.resources.of(_CLUSTER):
        version = str(cluster.get("version", ""))
        if not version:
            yield ok(CHECK, cluster.name, "none is stated: EKS takes its default")
            continue
        answers: list[Any] = scope.client.pages(
            "eks", "describe_cluster_versions", "clusterVersions", includeAll=True
        )
        supported = [
            str(entry["clusterVersion"]) for entry in answers if entry["versionStatus"] == "STANDARD_SUPPORT"
        ]
        repair = f"state cluster.version as one of {', '.join(sorted(supported))}"
        entry = next((entry for entry in answers if entry["clusterVersion"] == version), None)
        yield _result(version, entry, repair)


def _result(version: str, entry: Any, repair: str) -> Result:
    status = entry["versionStatus"] if entry else ""
    if status == "STANDARD_SUPPORT":
        return ok(CHECK, version, f"in standard support until {entry['endOfStandardSupportDate']:%Y-%m-%d}")
    if status == "EXTENDED_SUPPORT":
        reason = (
            f"in extended support until {entry['endOfExtendedSupportDate']:%Y-%m-%d}, which is paid by the "
            "hour of the cluster"
        )
        return problem(CHECK, version, reason, repair, blocks=False)
    return problem(CHECK, version, "EKS does not support it" if entry else "EKS has no such version", repair)
