"""GKE: what a node pool and a cluster say of their nodes in the same words (`nodeConfig`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.resources.fields import Field

SCOPES: Final[Mapping[str, str]] = services.tables("container")["short_scopes"]
DEFAULT_SCOPES: Final[tuple[str, ...]] = services.tables("container")["scopes"]


def scope(value: Any) -> Any:
    """A scope in full."""
    if isinstance(value, list):
        return [scope(element) for element in value]
    return f"https://www.googleapis.com/auth/{SCOPES[value]}" if value in SCOPES else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


_FIELDS: Final = {
    "sandboxConfig.sandboxType": Field("type", read=False, encode=_upper),
    "oauthScopes": Field(encode=scope),
}


def fields(prefix: str) -> dict[str, Field]:
    """The fields of the `nodeConfig` at this path that functions convert."""
    return {f"{prefix}.{path}": value for path, value in _FIELDS.items()}


def alike(name: str, old: Any, new: Any) -> bool:
    """Whether two values of a property of `nodeConfig` (its last name) mean the same."""
    if name == "imageType":
        return str(old).lower() == str(new).lower()
    if name == "oauthScopes":
        return bool(scope(old) == scope(new))
    if name == "type":
        return str(old).rpartition("/")[2] == str(new).rpartition("/")[2]
    return False


def seen(config: Any, known: Any) -> Any:
    """A `nodeConfig` that was read, without the taints and labels that GKE sets by itself.

    known: the one of the state. As the provider: taints are those whose keys the program names (a GPU's taint
    is GKE's own); `goog-gke-...` labels are no drift.
    """
    if not isinstance(config, dict):
        return config
    known = known if isinstance(known, dict) else {}
    result = dict(config)
    keys = {taint.get("key") for taint in known.get("taints") or [] if isinstance(taint, dict)}
    result["taints"] = [taint for taint in config.get("taints") or [] if taint.get("key") in keys]
    labels = known.get("resourceLabels") or {}
    result["resourceLabels"] = {
        key: value
        for key, value in (config.get("resourceLabels") or {}).items()
        if not key.startswith("goog-gke") or key in labels
    }
    return {
        key: value
        for key, value in result.items()
        if key not in ("taints", "resourceLabels") or value or known.get(key) is not None
    }
