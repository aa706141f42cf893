"""The add-ons of EKS's catalog: which version goes with which Kubernetes, what a configuration may hold."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.services.eks.data import ADDONS, Offer
from twin.aws.services.eks.operations.errors import invalid, not_found
from twin.aws.services.eks.operations.versions import VERSIONS, minor
from twin.aws.validation import stated

Params = dict[str, Any]


def offered(name: str) -> Offer:
    """The add-on of that name, or EKS's refusal."""
    addon = ADDONS.get(name)
    if addon is None:
        raise invalid(f"Addon {name} specified is not supported", addonName=name)
    return addon


def check_version(offer: Offer, requested: str | None, kubernetes: str) -> str:
    """The version asked for, or the default one; refused where it does not go with the cluster's."""
    fitting = offer.for_version(kubernetes)
    known = [version for version, _, _ in offer.versions]
    scope = {"name": offer.name, "kubernetes": kubernetes, "requested": requested}
    stated.check(__name__, "version", {**scope, "fitting": fitting, "known": known})
    return default_version(offer, kubernetes) if requested is None else requested


def default_version(offer: Offer, kubernetes: str) -> str:
    """The version that is taken where none is asked for: the one before the newest, where there is one.

    EKS marks one version a Kubernetes version as its default, often but not always an older one than the
    newest; which one it is, only its API reports.
    """
    fitting = offer.for_version(kubernetes)
    return fitting[1] if len(fitting) > 1 else fitting[0]


def check_configuration(offer: Offer, text: str | None) -> None:
    """Refuse a configuration that is no JSON object or holds a key that the add-on does not have."""
    if not text:
        return
    try:
        configuration: Any = json.loads(text)
    except ValueError as error:
        raise invalid(
            f"ConfigurationValue provided in request is not supported: it is not valid JSON ({error})",
            addonName=offer.name,
        ) from error
    if not isinstance(configuration, dict):
        raise invalid(
            "ConfigurationValue provided in request is not supported: it must be an object",
            addonName=offer.name,
        )
    unknown = sorted(set(map(str, configuration)) - offer.keys)
    scope = {"name": offer.name, "unknown": unknown, "keys": sorted(offer.keys)}
    stated.check(__name__, "configuration", scope)


def versions(_: Any, params: Params) -> Params:
    """DescribeAddonVersions."""
    name, kubernetes = params.get("addonName"), params.get("kubernetesVersion")
    if name and name not in ADDONS:
        raise not_found(f"Addon {name} does not exist", addonName=name)
    addons = [_described(offer, kubernetes) for offer in ADDONS.values() if name in (None, offer.name)]
    kinds, owners = params.get("types"), params.get("owners")
    return {
        "addons": [
            addon
            for addon in addons
            if addon["addonVersions"]
            and (not kinds or addon["type"] in kinds)
            and (not owners or addon["owner"] in owners)
        ]
    }


def _described(offer: Offer, kubernetes: str | None) -> Params:
    wanted = [kubernetes] if kubernetes else list(VERSIONS)
    addon_versions: list[Params] = []
    for version, first, last in offer.versions:
        fitting = [
            kubernetes_version
            for kubernetes_version in wanted
            if kubernetes_version in VERSIONS and first <= minor(kubernetes_version) <= last
        ]
        if fitting:
            addon_versions.append(
                {
                    "addonVersion": version,
                    "architecture": ["amd64", "arm64"],
                    "computeTypes": ["ec2", "hybrid"],
                    "compatibilities": [
                        {
                            "clusterVersion": cluster_version,
                            "platformVersions": ["*"],
                            "defaultVersion": version == default_version(offer, cluster_version),
                        }
                        for cluster_version in fitting
                    ],
                    "requiresConfiguration": False,
                    "requiresIamPermissions": bool(offer.policies),
                }
            )
    return {
        "addonName": offer.name,
        "type": offer.kind,
        "addonVersions": addon_versions,
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": offer.namespace,
    }


HANDLERS: Final = {"DescribeAddonVersions": versions}
