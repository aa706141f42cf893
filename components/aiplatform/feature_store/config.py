"""The `feature_store.yaml` of Feast: what its RepoConfig takes, and no secret."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from aiplatform.feature_store.args import SERVER, FeatureStoreSettings

FILE: Final = "feature_store.yaml"
REGISTRY: Final = "registry/registry.db"
"""The registry's object in its bucket."""
REGISTRY_URL: Final = "FEAST_REGISTRY_URL"
"""The variable in which Pods find the URL of a SQL registry: Feast replaces `${...}` in the file."""
USER: Final = "FEAST_ONLINE_USER"
"""The variable in which Pods find their user of Valkey: server and materializer have different ones."""
PASSWORD: Final = "FEAST_ONLINE_PASSWORD"  # noqa: S105 - the variable's name
"""The variable in which Pods find that user's password."""
_ROWS: Final = 10_000
"""How many rows a run writes at a time."""

EMPTY: Final = "\x1a\x011"
"""The first registry: a protocol buffer that says `registry_schema_version: "1"`, as Feast itself begins. A
server that finds none would write one, which it may not."""


def rendered(
    settings: FeatureStoreSettings,
    *,
    bucket: str,
    offline: Mapping[str, Any],
    online: Mapping[str, Any],
) -> str:
    """The file. bucket: the registry's, with its scheme (`s3://...`)."""
    registry = settings.registry
    where = (
        {"registry_type": "sql", "path": f"${{{REGISTRY_URL}}}"}
        if registry.kind == "sql"
        else {"registry_type": "file", "path": f"{bucket}/{REGISTRY}"}
    )
    config: dict[str, Any] = {
        "project": settings.project,
        "provider": settings.cloud,
        "registry": {**where, "cache_ttl_seconds": registry.cache_seconds},
        "online_store": {"type": TYPES[settings.store], **online},
        "offline_store": dict(offline),
        # Of several values of a row in a run the newest counts alone: the query engine takes it.
        "materialization": {"pull_latest_features": True, "online_write_batch_size": _ROWS},
        "entity_key_serialization_version": 3,
    }
    return yaml.safe_dump(config, sort_keys=False)


TYPES: Final[Mapping[str, str]] = {
    "dynamodb": "dynamodb",
    # Feast has one client for Redis and what speaks its protocol.
    "valkey": "redis",
    "datastore": "datastore",
    "bigtable": "bigtable",
}
"""Online store -> what Feast calls its type."""


def secrets(settings: FeatureStoreSettings, part: str) -> dict[str, tuple[str, str]]:
    """Variables of a part's Pods that are not in the file -> the Secret and its key."""
    found: dict[str, tuple[str, str]] = {}
    registry = settings.registry
    secret = (registry.server_secret if part == SERVER else None) or registry.secret
    if secret is not None:
        found[REGISTRY_URL] = (secret, "url")
    if settings.store == "valkey":
        found[USER] = (online_secret(part), "username")
        found[PASSWORD] = (online_secret(part), "password")
    return found


def online_secret(part: str) -> str:
    """The Kubernetes Secret of a part's user of Valkey."""
    return f"{part}-online"
