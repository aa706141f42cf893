"""References to what an environment does not have yet, to check arguments that refer to it. What the file
states is known; everything else is UNKNOWN, and rules skip it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiplatform._shared.args import UNKNOWN, ArgumentError, placeholder, read
from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.references.cluster import ClusterReference, ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReference
from aiplatform._shared.references.lakehouse import LakehouseReference, LakehouseZoneReference
from aiplatform._shared.references.model_store import ModelStoreReference
from aiplatform.addons.args import AddonsSettings
from aiplatform.addons.catalog import catalog
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from aiplatform.lakehouse.tables import ZONES
from aiplatform.model_registry.args import NAMESPACE as REGISTRY_NAMESPACE
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs, NetworkZone
from aiplatform.observability.values.setup import NAMESPACE as MONITORING
from aiplatform.training.args import READERS
from aiplatform.workload_identity.args import physical_name
from stacks import arguments, network_arguments
from stacks.continuous_training_arguments import Offered as OfferedToTraining
from stacks.model_monitor_arguments import Offered as OfferedToMonitor
from stacks.serving_arguments import Offered as OfferedToServing
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.team_arguments import Offered
from stacks.validation import environment

PROMETHEUS: Final = f"http://prometheus.{MONITORING}:9090"
"""The address of Prometheus, which no rule depends on."""


@dataclass(frozen=True)
class Placeholders:
    """The layers of an environment before they exist, by their outputs (stacks/foundation.py,
    stacks/data.py)."""

    network: NetworkReferenceArgs
    cluster: ClusterReferenceArgs
    workload_identities: Mapping[str, Any]
    principals: Mapping[str, str]
    lakehouse: Mapping[str, Any]


def of(settings: Settings, zones: Sequence[str] | None = None) -> Placeholders:
    """Return the placeholders of an environment. zones: of its network, if the cloud was asked for them."""
    location = _location(settings)
    principals = _principals(settings)
    on_google_cloud = settings.environment.cloud == "gcp"
    return Placeholders(
        network=network_arguments.existing_network(settings)
        or placeholder(
            NetworkReference,
            **location,
            cidr=settings.network.cidr,
            zones=[placeholder(NetworkZone, id=zone) for zone in zones or _zones(settings, location)],
            private_services=UNKNOWN if settings.network.gcp.private_services else None,
        ),
        cluster=placeholder(
            ClusterReference,
            **location,
            version=settings.cluster.version,
            multi_networking=on_google_cloud and arguments.multi_networking(settings),
        ),
        workload_identities={
            name: placeholder(
                WorkloadIdentityReference,
                principal=principals[name],
                namespace=identity.namespace,
                service_account=identity.service_account,
            )
            for name, identity in settings.identities.items()
        },
        principals=principals,
        lakehouse=placeholder(
            LakehouseReference,
            **location,
            zones=[placeholder(LakehouseZoneReference, name=zone) for zone in ZONES],
        ),
    )


def offered_lakehouse(settings: Settings, references: Placeholders) -> dict[str, Any] | None:
    """Return the placeholder of the lakehouse with the address of its catalog; None without one."""
    if settings.lakehouse is None:
        return None
    return {**references.lakehouse, "catalog_uri": UNKNOWN, "warehouse": UNKNOWN}


def offered_to_teams(settings: Settings, references: Placeholders) -> Offered:
    """Return the placeholders of what the layers below offer to teams."""
    addons: dict[str, Any] | None = None
    store: dict[str, Any] | None = None
    if settings.addons is not None:
        addons = installed_addons(settings, references)
    if settings.feature_store is not None:
        store = {"namespace": STORE_NAMESPACE, "endpoint": UNKNOWN, "clients": []}
    store_of_models: dict[str, Any] | None = None
    if settings.model_store is not None:
        store_of_models = placeholder(ModelStoreReference, cloud=settings.environment.cloud)
    return Offered(
        cluster=references.cluster,
        workload_identities=references.workload_identities,
        addons=addons,
        lakehouse=offered_lakehouse(settings, references),
        feature_store=store,
        model_registry=model_registry(settings),
        model_store=store_of_models,
        training={"reader_role": READERS} if settings.training is not None else None,
    )


def offered_to_serving(
    settings: Settings, references: Placeholders, node_pools: Sequence[Any], gpu_pools: Sequence[Any]
) -> OfferedToServing:
    """Return the placeholders of what the layers below offer to serving, with references to pools."""
    observability: dict[str, Any] | None = None
    if settings.observability is not None:
        observability = {"prometheus_url": PROMETHEUS, "namespace": MONITORING}
    return OfferedToServing(
        cluster=references.cluster,
        model_store=placeholder(ModelStoreReference, cloud=settings.environment.cloud),
        node_pools=node_pools,
        gpu_pools=gpu_pools,
        observability=observability,
        model_monitor=(
            {"bucket": UNKNOWN, "kms_key": UNKNOWN} if settings.model_monitor is not None else None
        ),
    )


def offered_to_model_monitor(references: Placeholders) -> OfferedToMonitor:
    """Return the placeholders of what the layers below offer to model monitoring."""
    return OfferedToMonitor(
        cluster=references.cluster,
        workload_identities=references.workload_identities,
        lakehouse=references.lakehouse,
        queues=UNKNOWN,
    )


def offered_to_continuous_training(references: Placeholders) -> OfferedToTraining:
    """Return the placeholders of what the layers below offer to continuous training."""
    return OfferedToTraining(
        cluster=references.cluster,
        workload_identities=references.workload_identities,
        lakehouse=references.lakehouse,
        promoter=UNKNOWN,
    )


def model_registry(settings: Settings) -> dict[str, Any] | None:
    """Return the placeholders of what the model registry offers; None where there is none."""
    if settings.model_registry is None:
        return None
    namespace = stated(settings.model_registry).get("namespace", REGISTRY_NAMESPACE)
    return {"namespace": namespace, **dict.fromkeys(("tracking_uri", "kms_key", "secrets"), UNKNOWN)}


def installed_addons(settings: Settings, references: Placeholders) -> dict[str, Any]:
    """Return the placeholders of what the add-ons offer."""
    versions = {name: catalog()[name].version for name in _addons(settings, references)}
    return {"versions": versions, "secrets_role_arn": UNKNOWN}


def karpenter_pools(settings: Settings) -> dict[str, Any]:
    """Return GPU pool -> the outputs that Karpenter needs, of which only the names are known; one where no
    pool has any, so that the other arguments are checked."""
    return {
        name: {
            "karpenter_pools": [
                {
                    "name": name,
                    "weight": 100,
                    "capacity": "on-demand",
                    "instance_types": ["g4dn.xlarge"],
                    "zones": ["zone"],
                    "subnet_ids": [UNKNOWN],
                    "security_group_ids": [UNKNOWN],
                }
            ]
        }
        for name in settings.karpenter_pools or ["none"]
    }


def _addons(settings: Settings, references: Placeholders) -> list[str]:
    """Return the names of the add-ons that are installed; all where the topic has problems."""
    try:
        args = read(AddonsSettings, arguments.addons(settings, references.cluster), "AddonsArgs")
    except ArgumentError:
        return list(catalog())
    return [addon.name for addon in args.addons]


def _location(settings: Settings) -> dict[str, Any]:
    """Return what a reference on Google Cloud states of its location; nothing on AWS."""
    if settings.environment.cloud != "gcp":
        return {}
    invalid = environment.invalid_keys(settings)

    def valid(key: str) -> Any:
        return UNKNOWN if f"environment.{key}" in invalid else getattr(settings.environment, key)

    return {"cloud": "gcp", "project": valid("project_id"), "region": valid("region")}


def _zones(settings: Settings, location: Mapping[str, Any]) -> Sequence[str]:
    """Return the zones of the network. A file that states their number leaves the choice to AWS; on Google
    Cloud the network takes the region's first."""
    zones = settings.network.zones
    if not isinstance(zones, int):
        return zones
    count = 3 if zones == 3 else 2  # another number is reported by the network
    region = location.get("region", UNKNOWN)
    return [UNKNOWN] * count if region is UNKNOWN else first_zones(region, count)


def _principals(settings: Settings) -> dict[str, str]:
    """Return the principal of each workload identity. A name that is no workload identity is UNKNOWN here,
    and reported by stacks/validation/principals.py."""
    names = settings.named_principals.values()
    unknown: dict[str, str] = {name: UNKNOWN for name in names if ":" not in name}
    return unknown | {name: _principal(settings, name) for name in settings.identities}


def _principal(settings: Settings, name: str) -> str:
    role = physical_name(settings.environment.prefix, name)
    if settings.environment.account_id is None and settings.environment.project_id is None:
        return UNKNOWN  # reported by stacks/validation/environment.py
    if settings.environment.cloud == "gcp":
        return f"serviceAccount:{role}@{settings.environment.project_id}.iam.gserviceaccount.com"
    return f"arn:aws:iam::{settings.environment.account_id}:role/{role}"
