"""The add-ons of EKS's catalog: which version goes with which Kubernetes, what a configuration may hold."""

from __future__ import annotations

import json
from typing import Any, Final

from twin.aws.services.eks.data import ADDONS, Offer
from twin.aws.services.eks.operations.errors import invalid, not_found
from twin.aws.services.eks.operations.versions import VERSIONS, minor

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
    if not fitting:
        raise invalid(
            f"Addon {offer.name} is not supported in {kubernetes} kubernetes version", addonName=offer.name
        )
    if requested is None:
        return default_version(offer, kubernetes)
    if requested not in [version for version, _, _ in offer.versions]:
        raise invalid(
            f"Addon version specified is not supported: {offer.name} has {', '.join(fitting)} "
            f"for Kubernetes {kubernetes}, got {requested}",
            addonName=offer.name,
        )
    if requested not in fitting:
        raise invalid(
            f"Addon version specified is not supported in {kubernetes} kubernetes version: "
            f"{', '.join(fitting)} are, got {requested}",
            addonName=offer.name,
        )
    return requested


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
    if unknown:
        raise invalid(
            "ConfigurationValue provided in request is not supported: Json schema "
            "validation failed with error: "
            f"[$.{unknown[0]}: is not defined in the schema and the schema does not "
            f"allow additional properties]; "
            f"{offer.name} takes {', '.join(sorted(offer.keys))}",
            addonName=offer.name,
        )


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


def configuration(_: Any, params: Params) -> Params:
    """DescribeAddonConfiguration."""
    offer = offered(params["addonName"])
    if params["addonVersion"] not in [version for version, _, _ in offer.versions]:
        raise not_found(
            f"Addon version {params['addonVersion']} of {offer.name} does not exist", addonName=offer.name
        )
    schema = {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {} for key in sorted(offer.keys)},
    }
    return {
        "addonName": offer.name,
        "addonVersion": params["addonVersion"],
        "configurationSchema": json.dumps(schema),
        "podIdentityConfiguration": [
            {
                "serviceAccount": account,
                "recommendedManagedPolicies": [
                    f"arn:aws:iam::aws:policy/{policy}" for policy in offer.policies
                ],
            }
            for account in offer.service_accounts
        ],
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


HANDLERS: Final = {"DescribeAddonVersions": versions, "DescribeAddonConfiguration": configuration}
