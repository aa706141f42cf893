"""The `feature_store.yaml` of Feast, in the form of its RepoConfig, without a secret."""

from collections.abc import Mapping
from typing import Any, Final

import yaml
from pulumi import Input

from aiplatform.feature_store.args import SERVER, FeatureStoreSettings

FILE: Final = "feature_store.yaml"
REGISTRY: Final = "registry/registry.db"
"""The registry's object in its bucket."""
REGISTRY_URL: Final = "FEAST_REGISTRY_URL"
"""The environment variable with the URL of a SQL registry: Feast replaces `${...}` in the file."""
USER: Final = "FEAST_ONLINE_USER"
"""The environment variable with the user of Valkey: server and materializer have different ones."""
PASSWORD: Final = "FEAST_ONLINE_PASSWORD"  # noqa: S105 - the variable's name
"""The environment variable with that user's password."""
_ROWS: Final = 10_000
"""Rows that a run writes at a time."""

EMPTY: Final = "\x1a\x011"
"""An empty registry: a protocol buffer with `registry_schema_version: "1"`, as Feast itself creates. A server
that finds none would write one, for which it has no permission."""


def render(
    settings: FeatureStoreSettings,
    *,
    cache_seconds: int,
    bucket: str,
    offline: Mapping[str, Any],
    online: Mapping[str, Any],
) -> str:
    """Return the file. cache_seconds, bucket: the registry's, the bucket with its scheme (`s3://...`)."""
    registry = settings.registry
    location = (
        {"registry_type": "sql", "path": f"${{{REGISTRY_URL}}}"}
        if registry.kind == "sql"
        else {"registry_type": "file", "path": f"{bucket}/{REGISTRY}"}
    )
    config: dict[str, Any] = {
        "project": settings.project,
        "provider": settings.cloud,
        "registry": {**location, "cache_ttl_seconds": cache_seconds},
        "online_store": {"type": TYPES[settings.store], **online},
        "offline_store": dict(offline),
        # The query engine returns only the newest of several values of a row in a run.
        "materialization": {"pull_latest_features": True, "online_write_batch_size": _ROWS},
        "entity_key_serialization_version": 3,
    }
    return yaml.safe_dump(config, sort_keys=False)


TYPES: Final[Mapping[str, str]] = {
    "dynamodb": "dynamodb",
    # Feast has one client for Redis and compatible stores.
    "valkey": "redis",
    "datastore": "datastore",
    "bigtable": "bigtable",
}
"""Online store -> its type in Feast."""


def secrets(settings: FeatureStoreSettings, part: str) -> dict[str, tuple[Input[str], str]]:
    """Return the secret environment variables of a part's Pods -> the Secret and its key."""
    variables: dict[str, tuple[Input[str], str]] = {}
    registry = settings.registry
    secret = (registry.server_secret if part == SERVER else None) or registry.secret
    if secret is not None:
        variables[REGISTRY_URL] = (secret, "url")
    if settings.store == "valkey":
        variables[USER] = (online_secret(part), "username")
        variables[PASSWORD] = (online_secret(part), "password")
    return variables


def online_secret(part: str) -> str:
    """Return the name of the Kubernetes Secret of a part's user of Valkey."""
    return f"{part}-online"
