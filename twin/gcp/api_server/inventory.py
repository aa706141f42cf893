"""Everything that an instance's Google Cloud holds beyond its baseline: what a destroy must leave empty."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.api_server.state import State

# What goes with its owner, or cannot be removed and costs nothing.
_PARTS: Final = frozenset(
    {
        "serviceusage.services",  # Google's advice is to leave them enabled: disable_on_destroy=false
        "iam.workloadIdentityPools",  # comes with the first cluster and stays
        "cloudkms.keyRings",  # Google keeps the names of key rings and keys for good
        "binaryauthorization.policy",  # a setting of the project
        "bigquery.jobs",  # records of what happened
        "dns.changes",  # records of what happened
    }
)
_GONE: Final = frozenset({"DESTROYED", "DESTROY_SCHEDULED", "DELETE_REQUESTED"})


def of(server: Any) -> dict[str, list[str]]:
    """Relative names by collection (`compute.networks`); empty where nothing is left."""
    state: State = server.state
    names: dict[str, list[str]] = {}
    with state.transaction():
        for collection, name, baseline in state.every():
            if baseline or collection in _PARTS or _gone(state, collection, name):
                continue
            names.setdefault(collection, []).append(name.partition("/")[2])
    return names


def _gone(state: State, collection: str, name: str) -> bool:
    body = state.get(name) or {}
    if collection == "cloudkms.cryptoKeys":
        # A key without a usable version is what a destroy leaves of it.
        return not any(
            version.get("state") not in _GONE
            for _, version in state.of("cloudkms.cryptoKeyVersions", f"{name}/cryptoKeyVersions/")
        )
    if collection in ("cloudkms.cryptoKeyVersions", "secretmanager.versions"):
        return body.get("state") in _GONE
    if collection == "iam.roles":
        return bool(body.get("deleted"))
    if collection == "compute.routes":
        return bool(state.internal(name).get("owned"))
    return body.get("lifecycleState") in _GONE
