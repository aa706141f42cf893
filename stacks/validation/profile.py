"""What a profile does not permit: prod withstands the loss of a zone and is protected from deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from aiplatform._shared.args import Problem
from aiplatform._shared.kubernetes import image_versions
from aiplatform.cluster.gcp.args import MaintenanceExclusion, moment
from aiplatform.karpenter.args import LATEST
from stacks import arguments
from stacks.settings import FeatureStore, GpuPool, ModelRegistry, Observability, Settings
from stacks.settings.generated import stated

LEAST_BACKUP_DAYS: Final = 7
"""The least number of days that prod keeps backups of its databases."""
_PROTECTED: Final = "got false; expected true in prod; to retire the environment, set environment.teardown"


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the keys whose values the environment's profile does not permit."""
    if settings.environment.profile != "dev" and settings.network.flow_log_retention_days == 0:
        yield Problem(
            "network.flow_log_retention_days", "got 0; expected 1 or more: only dev may turn flow logs off"
        )
    if settings.environment.profile == "prod":
        yield from _prod(settings)


def _prod(settings: Settings) -> Iterator[Problem]:
    if settings.network.nat == "single" and settings.environment.cloud == "aws":
        yield Problem(
            "network.nat",
            "got 'single'; expected 'per_zone' or 'none' in prod: one NAT gateway fails with its zone",
        )
    if not settings.cluster.deletion_protection and not settings.environment.teardown:
        yield Problem("cluster.deletion_protection", _PROTECTED)
    if settings.addons is not None and settings.addons.replicas == 1:
        yield Problem(
            "addons.replicas",
            "got 1; expected at least 2 in prod: webhooks of a single controller fail with its node",
        )
    if settings.guardrails is not None and settings.guardrails.enforcement == "warn":
        yield Problem(
            "guardrails.enforcement",
            "got 'warn'; expected 'deny' in prod; to introduce a policy, state warn for it in "
            "guardrails.policies",
        )
    yield from _node_images(settings)
    yield from _upgrades_by_gke(settings)
    yield from _karpenter(settings)
    if settings.observability is not None:
        yield from _observability(settings.observability)
    if settings.feature_store is not None:
        yield from _feature_store(settings.feature_store)
    if settings.model_registry is not None:
        yield from _model_registry(settings.model_registry, protected=not settings.environment.teardown)


def _node_images(settings: Settings) -> Iterator[Problem]:
    """Yield the node groups without a release of their image: new nodes would have another one than those
    that were tested, and GKE would replace nodes by itself."""
    nodes: list[tuple[str, dict[str, Any], str]] = [
        ("cluster.system_nodes", stated(settings.cluster)["system_nodes"], "al2023")
    ]
    pools = [*settings.node_pools.items(), *settings.gpu_pools.items()]
    for name, pool in pools:
        topic = "gpu_pools" if isinstance(pool, GpuPool) else "node_pools"
        nodes.append((f"{topic}.{name}", stated(pool), arguments.node_image(pool)))
    for path, args, image in nodes:
        if args.get("node_provisioning") == "karpenter" or args.get("image_version") is not None:
            continue
        kind = image_versions.kind(settings.environment.cloud, image)
        if settings.node_images.of(settings.environment.cloud, image) is None:
            yield Problem(
                f"{path}.image_version",
                f"missing; expected a release in prod, here or for all nodes in node_images.{kind}: "
                "otherwise new nodes have an untested image (docs/operations/upgrades.md)",
            )


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


def _upgrades_by_gke(settings: Settings) -> Iterator[Problem]:
    """Yield exclusions of GKE's own upgrades that do not keep the nodes today. That of a node pool is sent
    only when the node pool is created (terraform-provider-google, issue 29152)."""
    if settings.environment.cloud != "gcp":
        return
    gke: dict[str, Any] = stated(settings.cluster).get("gke") or {}
    entries = [MaintenanceExclusion(**entry) for entry in gke.get("maintenance_exclusions") or ()]
    if any(moment(text) for entry in entries for text in (entry.start, entry.end) if text is not None):
        return  # Reported as wrong arguments of the cluster.
    if any(entry.keeps_nodes(now()) for entry in entries):
        return
    names = ", ".join(
        f"{entry.name} ({entry.scope}, {entry.start} to {entry.end or '-'})" for entry in entries
    )
    yield Problem(
        "cluster.gke.maintenance_exclusions",
        f"got {names or 'none'}; expected an entry in prod, in effect now, with the scope "
        "no_minor_or_node_upgrades and without `end`: otherwise GKE replaces the nodes of pools with a "
        "stated release by itself",
    )


def _karpenter(settings: Settings) -> Iterator[Problem]:
    """Yield the images of Karpenter's nodes without a release: nodes would differ whenever AWS publishes an
    image, and Karpenter would replace them where a disruption budget allows it."""
    topic = stated(settings.karpenter) if settings.karpenter is not None else {}
    versions: dict[str, str] = topic.get("image_versions", {})
    images = {arguments.node_image(settings.gpu_pools[name]) for name in settings.karpenter_pools}
    for image in sorted(images):
        if versions.get(image, LATEST) == LATEST:
            example = "v20261110" if image == "al2023" else "v1.52.0"
            yield Problem(
                f"karpenter.image_versions.{image}",
                f"got {LATEST!r}; expected a release in prod, such as {example}: otherwise new nodes have "
                "an untested image whenever AWS publishes one",
            )


def _observability(topic: Observability) -> Iterator[Problem]:
    """Yield alerts without a receiver, and a Prometheus whose end nothing reports."""
    args = stated(topic)
    notifications: dict[str, Any] = args.get("notifications") or {}
    if not notifications.get("receivers") and notifications.get("default") is None:
        yield Problem(
            "observability.notifications.receivers",
            "got none; expected at least one in prod, which gets alerts, or `default: none` where you read "
            "them otherwise",
        )
    storage: dict[str, Any] = args.get("long_term_storage") or {}
    alarm: dict[str, Any] = storage.get("alarm") or {}
    if notifications.get("heartbeat") is not None:
        return
    if storage.get("workspace_id") is not None:
        yield Problem(
            "observability.notifications.heartbeat",
            "got none, and others may write to the workspace of long_term_storage.workspace_id, whose alarm "
            "is raised only once all of them have stopped; expected a receiver in prod that notices when the "
            "alert Watchdog stays away",
        )
    elif not alarm.get("notify"):
        yield Problem(
            "observability.long_term_storage.alarm.notify",
            "got nothing; expected what the cloud notifies in prod when metrics stay away, or a receiver in "
            "notifications.heartbeat: a Prometheus that has stopped sends no alert",
        )


def _feature_store(topic: FeatureStore) -> Iterator[Problem]:
    if stated(topic).get("server", {}).get("min_replicas") == 1:
        yield Problem(
            "feature_store.server.min_replicas",
            "got 1; expected at least 2 in prod: a single server fails with its zone",
        )


def _model_registry(topic: ModelRegistry, *, protected: bool) -> Iterator[Problem]:
    args = stated(topic)
    if args.get("guarded_aliases") == []:
        yield Problem(
            "model_registry.guarded_aliases",
            "got an empty list; expected at least `champion` in prod: every principal that may edit a model "
            "could "
            "promote it",
        )
    if not args.get("high_availability", False):
        yield Problem(
            "model_registry.high_availability",
            "got false; expected true in prod: a single server, or a database in one zone fails with it",
        )
    database = args.get("database", {})
    if "existing" in database:
        # Backups and protection are its owner's.
        return
    days = database.get("backup_days")
    if isinstance(days, int) and days < LEAST_BACKUP_DAYS:
        yield Problem(
            "model_registry.database.backup_days",
            f"got {days}; expected at least {LEAST_BACKUP_DAYS} in prod: lost data is often noticed days "
            "later",
        )
    if protected and not database.get("deletion_protection"):
        yield Problem("model_registry.database.deletion_protection", _PROTECTED)
