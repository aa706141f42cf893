"""Whether GKE offers the Kubernetes version of the cluster in its release channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cli.clients.gcp import ApiError
from cli.estimate.resources import Resource
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "Kubernetes version"
_CLUSTER: Final = "gcp:container/cluster:Cluster"


def check(scope: Scope) -> Iterator[Result]:
    """Compare the version of each cluster with those of its channel."""
    for cluster in scope.resources.of(_CLUSTER):
        location = str(cluster.get("location", scope.region))
        try:
            config = scope.client.get(
                "container", f"projects/{scope.account}/locations/{location}/serverConfig"
            )
        except ApiError as error:
            reason = "container.googleapis.com is switched off" if error.is_off else str(error)
            repair = f"gcloud services enable container.googleapis.com --project {scope.account}"
            yield not_checked(CHECK, cluster.name, reason, repair if error.is_off else "")
            continue
        yield _result(cluster, location, config)


def _result(cluster: Resource, location: str, config: Any) -> Result:
    version = str(cluster.get("minMasterVersion", ""))
    channel = str(cluster.get("releaseChannel.channel", "UNSPECIFIED"))
    entries = {entry["channel"]: entry for entry in config.get("channels") or ()}
    entry = entries.get(channel, {})
    offered = entry.get("validVersions") or config.get("validMasterVersions") or []
    where = f"channel {channel} in {location}"
    if not version:
        return ok(
            CHECK, cluster.name, f"none is stated: {where} takes {entry.get('defaultVersion', 'its own')}"
        )
    matching = [
        name for name in offered if name == version or name.startswith((f"{version}.", f"{version}-"))
    ]
    if matching:
        return ok(CHECK, version, f"{where} offers {matching[0]}; GKE states no end of support by API")
    minors = dict.fromkeys(".".join(name.split(".")[:2]) for name in offered)
    repair = (
        f"state cluster.version as one of {', '.join(sorted(minors))}, or another cluster.gke.release_channel"
    )
    return problem(CHECK, version, f"{where} does not offer it", repair)
