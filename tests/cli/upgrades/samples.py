"""Facts of a cluster and what a file states, for tests of upgrades."""

from __future__ import annotations

from datetime import date
from typing import Any

from cli.upgrades.facts import ControlPlane, Facts, Nodes, Support
from cli.upgrades.items import Terms
from cli.upgrades.order import Plan

TODAY = date(2026, 11, 29)
TERMS = Terms("aws", TODAY, 90, 0.6)
SUPPORT = Support(date(2027, 3, 27), date(2028, 3, 27))


def control(version: str = "1.35", **changes: Any) -> ControlPlane:
    """Return a control plane in standard support for 118 days, where EKS offers 1.34 to 1.36."""
    fields: dict[str, Any] = {
        "exists": True,
        "offered": ["1.34", "1.35", "1.36"],
        "support": SUPPORT,
        **changes,
    }
    return ControlPlane("acme-dev-cluster", version, **fields)


def nodes(pool: str, release: str = "1.35.8-20260930", **changes: Any) -> Nodes:
    """Return a node group with the newest release of 1.35."""
    fields: dict[str, Any] = {
        "version": "1.35",
        "newest": "1.35.8-20260930",
        "newest_next": "1.36.4-20260930",
        **changes,
    }
    return Nodes(pool, pool, release, **fields)


def stated(pool: str, key: str = "node_images.al2023", **changes: Any) -> dict[str, Any]:
    """Return what a file states of the nodes of a pool."""
    topic = "gpu_pools" if changes.get("accelerators") else "node_pools"
    return {
        "pool": pool,
        "image": "al2023",
        "release": "1.35.8-20260930",
        "key": key,
        "pool_key": f"{topic}.{pool}.image_version",
        "accelerators": False,
        "karpenter": False,
        **changes,
    }


def chart(name: str, kubernetes: str = "", **changes: Any) -> dict[str, str]:
    """Return a chart of the catalog."""
    return {
        "name": name,
        "chart": f"https://charts.example/{name}",
        "version": "1.0.0",
        "catalog": "1.0.0",
        "kubernetes": kubernetes,
        "kubernetes_source": "its documentation",
        "key": f"addons.options.{name}.version",
        **changes,
    }


def document(**changes: Any) -> dict[str, Any]:
    """Return what a file states: system nodes, a CPU pool and a pool with accelerators."""
    return {
        "version": "1.35",
        "support": "standard",
        "addons": {},
        "autoscaler": ["1.35", "1.36"],
        "nodes": [stated("system"), stated("general"), stated("t4", accelerators=True)],
        "release_parameters": {"AL2023_x86_64_STANDARD": "/aws/{version}/standard"},
        "charts": [],
        "software": [],
        **changes,
    }


GROUPS = (nodes("system"), nodes("general"), nodes("t4"))


def plan(known: Facts | None = None, **changes: Any) -> Plan:
    """Return what steps of aws-dev are made from."""
    fields: dict[str, Any] = {"items": [], "document": document(), **changes}
    return Plan("aws-dev", "aws", known or Facts(control(), GROUPS), **fields)
