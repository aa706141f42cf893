"""What joins the topics of data and models with others: identities that two would be, principals of another
account, and what prod keeps of a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aiplatform.feature_store.args import IDENTITY as STORE_IDENTITY
from aiplatform.feature_store.args import MATERIALIZER as STORE_MATERIALIZER
from aiplatform.feature_store.args import NAMESPACE as STORE_NAMESPACE
from aiplatform.feature_store.args import SERVER as STORE_SERVER
from aiplatform.model_registry.args import SERVER as REGISTRY_SERVER
from aiplatform.model_registry.args import SETUP as REGISTRY_SETUP
from stacks.settings.data import MATERIALIZER
from stacks.settings.generated import stated

if TYPE_CHECKING:
    from stacks.settings import Settings

LEAST_BACKUP_DAYS: Final = 7
"""The least that prod keeps backups of its databases, in days."""
REGISTRY_NAMESPACE: Final = "model-registry"
_OF_THE_ACCOUNT: Final = ("lakehouse.writers", "feature_store.readers", "feature_store.appliers")
"""Who becomes a role of the account's, or gets a policy attached to its own: no other account's role can."""


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, reason) of all of them."""
    yield from _of_another_account(settings)
    yield from _identities(settings)
    yield from _model_registry(settings)
    yield from _feature_store(settings)


def _feature_store(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.feature_store is None or settings.environment.profile != "prod":
        return
    if stated(settings.feature_store).get("server", {}).get("min_replicas") == 1:
        yield (
            "feature_store.server.min_replicas",
            "got 1, which falls with its zone; prod has at least 2",
        )


def _of_another_account(settings: Settings) -> Iterator[tuple[str, str]]:
    account = settings.environment.account_id
    if settings.environment.cloud != "aws" or account is None:
        return
    for path, name in settings.named_principals.items():
        if not path.startswith(_OF_THE_ACCOUNT) or ":role/" not in name:
            continue
        if f":iam::{account}:" not in name:
            yield path, f"got {name!r}, expected a role of this account, {account}"


def _identities(settings: Settings) -> Iterator[tuple[str, str]]:
    """A name is taken once, and a service account is one identity: EKS refuses a second association, and on
    Google Cloud its annotation holds one."""
    names, accounts = _of_the_platform(settings)
    seen = dict(accounts)
    for name, each in settings.workload_identities.items():
        path = f"workload_identities.{name}"
        if name in names:
            yield path, f"that identity is {names[name]}'s, which the platform makes; take another name"
        pods = (each.namespace, each.service_account)
        owner = seen.setdefault(pods, f"workload_identities.{name}")
        if owner != path:
            yield (
                f"{path}.service_account",
                f"got {each.service_account!r} in the namespace {each.namespace!r}, which {owner} has "
                "already; expected one identity for a service account",
            )


def _of_the_platform(settings: Settings) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Names of identities, and (namespace, service account), each with the topic that makes it."""
    names: dict[str, str] = {}
    pods: dict[tuple[str, str], str] = {}
    if settings.feature_store is not None:
        names = dict.fromkeys((MATERIALIZER, STORE_IDENTITY), "the feature store")
        pods = {(STORE_NAMESPACE, each): "feature_store" for each in (STORE_SERVER, STORE_MATERIALIZER)}
    if settings.model_registry is not None:
        namespace = stated(settings.model_registry).get("namespace", REGISTRY_NAMESPACE)
        own = (REGISTRY_SERVER, REGISTRY_SETUP)
        names |= dict.fromkeys(own, "the model registry")
        pods |= {(namespace, each): "model_registry" for each in own}
    return names, pods


def _model_registry(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.model_registry is None:
        return
    said = stated(settings.model_registry)
    namespace = said.get("namespace", REGISTRY_NAMESPACE)
    if namespace.startswith("kube-") or namespace in ("default", STORE_NAMESPACE):
        yield (
            "model_registry.namespace",
            f"got {namespace!r}, which is there already; expected a namespace of its own, which it makes",
        )
    if settings.environment.profile == "prod":
        if said.get("guarded_aliases") == []:
            yield (
                "model_registry.guarded_aliases",
                "got none, so whoever may edit a model could promote it; prod guards at least `champion`",
            )
        yield from _in_prod(said.get("database", {}), settings, high=said.get("high_availability", False))


def _in_prod(database: dict[str, object], settings: Settings, *, high: bool) -> Iterator[tuple[str, str]]:
    days = database.get("backup_days")
    if isinstance(days, int) and days < LEAST_BACKUP_DAYS:
        yield (
            "model_registry.database.backup_days",
            f"got {days}, expected at least {LEAST_BACKUP_DAYS}: what is lost in prod is found out late",
        )
    if not high:
        yield (
            "model_registry.high_availability",
            "got false, but prod stands when a zone falls; take it out",
        )
    if not database.get("deletion_protection") and not settings.environment.teardown:
        yield (
            "model_registry.database.deletion_protection",
            "got false, but prod keeps it on; set environment.teardown to retire it",
        )
