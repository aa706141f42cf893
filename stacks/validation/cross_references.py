"""Topics that refer to each other: names that two of them would share, and a topic that needs another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from aiplatform._shared.args import Problem
from aiplatform.feature_store.args import IDENTITY as STORE_IDENTITY
from aiplatform.feature_store.args import MATERIALIZER as STORE_MATERIALIZER
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from aiplatform.feature_store.args import SERVER as STORE_SERVER
from aiplatform.model_registry.args import SERVER as REGISTRY_SERVER
from aiplatform.model_registry.args import SETUP as REGISTRY_SETUP
from stacks.settings import MATERIALIZER, ModelRegistry, Settings
from stacks.settings.generated import stated

REGISTRY_NAMESPACE: Final = "model-registry"
"""The namespace of the model registry where its topic has none."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the topics that contradict each other or lack one that they need."""
    yield from _pool_names(settings)
    yield from _identities(settings)
    yield from _feature_store(settings)
    if settings.model_registry is not None:
        yield from _namespace(settings.model_registry)


def _pool_names(settings: Settings) -> Iterator[Problem]:
    for name in sorted(set(settings.node_pools) & set(settings.gpu_pools)):
        yield Problem(
            f"gpu_pools.{name}",
            f"also the name of a node pool; expected a name that no pool has, not {name!r}",
        )


def _feature_store(settings: Settings) -> Iterator[Problem]:
    if settings.feature_store is None:
        return
    if settings.lakehouse is None:
        yield Problem(
            "feature_store", "features come from a lakehouse, which is missing; expected the topic lakehouse"
        )
        return
    grants = stated(settings.lakehouse).get("grants", [])
    if not any(grant["principal"] == MATERIALIZER for grant in grants):
        yield Problem(
            "lakehouse.grants",
            f"no grant for {MATERIALIZER!r}, which fills the feature store; expected one with the action "
            "`read` on the "
            "tables that features come from",
        )


def _identities(settings: Settings) -> Iterator[Problem]:
    """Yield names that are taken and service accounts with two identities: EKS refuses a second
    association, and on Google Cloud a service account's annotation names one identity."""
    platform_names = _names_of_the_platform(settings)
    owners = dict(_service_accounts_of_the_platform(settings))
    for name, identity in settings.workload_identities.items():
        path = f"workload_identities.{name}"
        if name in platform_names:
            yield Problem(
                path,
                f"the platform creates an identity {name!r} for {platform_names[name]}; expected another "
                "name",
            )
        service_account = (identity.namespace, identity.service_account)
        owner = owners.setdefault(service_account, path)
        if owner != path:
            yield Problem(
                f"{path}.service_account",
                f"got {identity.service_account!r} in the namespace {identity.namespace!r}, which belongs "
                f"to {owner}; "
                "expected one identity for each service account",
            )


def _names_of_the_platform(settings: Settings) -> Mapping[str, str]:
    """Return the names of identities that the platform creates, each with what it is for."""
    names: dict[str, str] = {}
    if settings.feature_store is not None:
        names |= dict.fromkeys((MATERIALIZER, STORE_IDENTITY), "the feature store")
    if settings.model_registry is not None:
        names |= dict.fromkeys((REGISTRY_SERVER, REGISTRY_SETUP), "the model registry")
    return names


def _service_accounts_of_the_platform(settings: Settings) -> Mapping[tuple[str, str], str]:
    """Return (namespace, service account) of the platform's identities, each with the topic that creates
    it."""
    accounts: dict[tuple[str, str], str] = {}
    if settings.feature_store is not None:
        accounts |= {(STORE_NAMESPACE, name): "feature_store" for name in (STORE_SERVER, STORE_MATERIALIZER)}
    if settings.model_registry is not None:
        namespace = stated(settings.model_registry).get("namespace", REGISTRY_NAMESPACE)
        accounts |= {(namespace, name): "model_registry" for name in (REGISTRY_SERVER, REGISTRY_SETUP)}
    return accounts


def _namespace(topic: ModelRegistry) -> Iterator[Problem]:
    namespace = stated(topic).get("namespace", REGISTRY_NAMESPACE)
    if namespace.startswith("kube-") or namespace in ("default", STORE_NAMESPACE):
        yield Problem(
            "model_registry.namespace",
            f"got {namespace!r}, which exists already; expected a namespace that the model registry creates "
            "for itself",
        )
