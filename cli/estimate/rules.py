"""Rules of resource types: those of prices/rules.toml, and which types modules of this folder price."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from cli.estimate import databases, networks, nodes, volumes
from cli.estimate.context import Context
from cli.estimate.lines import HOURS, Amounts, always
from cli.estimate.resources import Resource
from cli.estimate.table import FOLDER

_FILE: Final[Mapping[str, Any]] = tomllib.loads((FOLDER / "rules.toml").read_text())
FIXED: Final[list[Mapping[str, Any]]] = _FILE["fixed"]
USAGE: Final[list[Mapping[str, Any]]] = _FILE["usage"]
FREE: Final[Mapping[str, str]] = _FILE["free"]
_WITH_CHARTS: Final = ("aiplatform:index:Addons", "aiplatform:index:Observability")
_KMS: Final = "gcp:kms/cryptoKey:CryptoKey"
_EKS: Final = "aws:eks/cluster:Cluster"
_GKE: Final = "gcp:container/cluster:Cluster"
BY_MODULES: Final = frozenset(
    {
        *nodes.TYPES,
        databases.RDS,
        databases.CLOUD_SQL,
        networks.ENDPOINT,
        *networks.ADDRESSES,
        networks.NAT,
        *networks.BALANCED,
        *networks.BALANCERS,
        volumes.CLAIM,
        *volumes.TEMPLATED,
        _KMS,
    }
)
PRICED: Final = BY_MODULES | {str(rule["type"]) for rule in (*FIXED, *USAGE)}
"""The types with a rule."""


def reason_free(type_: str) -> str | None:
    """Return why a type costs nothing; None for one that is not listed as free."""
    return next((reason for pattern, reason in FREE.items() if fnmatchcase(type_, pattern)), None)


def add(context: Context) -> Counter[tuple[str, str]]:
    """Add the lines of all resources, and report those without a rule. Returns the number of free resources
    by type and reason."""
    node_hours = nodes.add(context)
    databases.add(context)
    networks.add(context, node_hours)
    volumes.add(context)
    if context.resources.of(*_WITH_CHARTS) and not context.resources.of(volumes.CHART):
        context.note(
            "charts are in no preview before the first `up`: volumes of Prometheus and Alertmanager are "
            "missing here, and the committed estimate has them (--committed)"
        )
    free: Counter[tuple[str, str]] = Counter()
    for resource in context.resources.all:
        _declared(context, resource)
        if resource.type in PRICED:
            continue
        reason = reason_free(resource.type)
        if reason is None:
            context.refuse(resource, "no rule for its type in prices/rules.toml")
        else:
            free[resource.type, reason] += 1
    return free


def _declared(context: Context, resource: Resource) -> None:
    """Add the lines that rules.toml and the versions of clusters and keys lead to."""
    for rule in FIXED:
        if rule["type"] == resource.type:
            quantity = always(rule["quantity"])
            context.add(resource, rule["item"], rule["price"], quantity, rule["group"])
    items: set[str] = set()
    for rule in USAGE:
        if rule["type"] != resource.type or rule["price"] in items:
            continue
        if fnmatchcase(resource.name, rule.get("name", "*")):
            items.add(rule["price"])
            _usage(context, resource, rule)
    if resource.type == _KMS:
        level = resource.get("versionTemplate.protectionLevel", "SOFTWARE")
        price = "kms/key-version" if level == "SOFTWARE" else "kms/hsm-key-version"
        context.add(resource, "key version", price, always(1), "security")
        if resource.get("rotationPeriod"):
            context.note("a key that rotates costs another version after each rotation: one is counted")
    elif resource.type == _EKS and resource.get("upgradePolicy.supportType") == "EXTENDED":
        context.note(
            "extended support is allowed: from the end of standard support the control plane costs 0.60 $/h"
        )
    elif resource.type == _GKE and context.credits and _zonal(resource):
        context.add(
            resource, "credit for one zonal cluster", "gke/zonal-credit", always(HOURS), "control plane"
        )
        context.note(
            "the credit for one zonal cluster counts; where another cluster of the billing account has it: "
            "--no-credits"
        )


def _zonal(resource: Resource) -> bool:
    """Whether a cluster of GKE has its control plane in one zone: `us-central1-a`."""
    return str(resource.get("location", "")).count("-") == 2


def _usage(context: Context, resource: Resource, rule: Mapping[str, Any]) -> None:
    usage = context.usage
    idle, expected = (float(rule[key][usage.profile]) for key in ("idle", "expected"))
    expected = usage.units.get(rule["price"], expected)
    quantity = Amounts(min(idle, expected), expected, expected)
    context.add(resource, rule["item"], rule["price"], quantity, rule["group"], by_use=True)
