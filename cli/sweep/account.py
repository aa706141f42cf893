"""Reads the account of an environment: whether it is the right one, has the cluster, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.clients.errors import UncheckedError
from cli.output import CommandError
from cli.sweep import kinds
from cli.sweep.exit_codes import DEPLOYED
from cli.sweep.item import NETWORK, Item, Kind, Scope


@dataclass(frozen=True)
class Reading:
    """What was read. kinds: in the order of deletion. unread: kind -> why it could not be read."""

    kinds: Sequence[Kind]
    items: Sequence[Item]
    unread: Mapping[str, str]


def check(scope: Scope) -> None:
    """Raise CommandError where the credentials are of another account, or the cluster exists: then load
    balancers and volumes of the environment are in use."""
    try:
        _check_account(scope)
        exists = _cluster_exists(scope)
    except UncheckedError as error:
        raise CommandError(f"account {scope.account} cannot be read: {error}") from error
    if exists:
        file = scope.identity.file
        raise CommandError(
            f"{file} is deployed: its cluster {scope.identity.cluster} exists, so its load balancers and "
            f"volumes are in use; expected a sweep after `aiplatform destroy {file}`",
            DEPLOYED,
        )


def _check_account(scope: Scope) -> None:
    # A request to Google states the project in its path.
    if scope.cloud == "aws":
        caller = scope.client.call("sts", "get_caller_identity")
        if str(caller["Account"]) != scope.account:
            raise CommandError(
                f"the credentials are of account {caller['Account']} ({caller['Arn']}); expected account "
                f"{scope.account}, which environments/Pulumi.{scope.identity.file}.yaml states"
            )


def _cluster_exists(scope: Scope) -> bool:
    if scope.cloud == "aws":
        return scope.identity.cluster in scope.client.pages("eks", "list_clusters", "clusters")
    path = f"projects/{scope.account}/locations/-/clusters"
    try:
        clusters = scope.client.get("container", path).get("clusters") or ()
    except UncheckedError as error:
        if _is_off(error):
            return False
        raise
    return any(cluster["name"] == scope.identity.cluster for cluster in clusters)


def read(scope: Scope) -> Reading:
    """Read all kinds. A kind of an API that is switched off has no resources.

    Raises CommandError where networks cannot be read: they state whose resources are.
    """
    of_cloud = kinds.of(scope.cloud)
    unread: dict[str, str] = {}

    def read_kind(kind: Kind) -> list[Item]:
        try:
            return list(kind.read(scope))
        except UncheckedError as error:
            if not _is_off(error):
                unread[kind.name] = str(error)
            return []

    items = [item for kind in of_cloud for item in read_kind(kind)]
    if NETWORK in unread:
        raise CommandError(f"the networks of account {scope.account} cannot be read: {unread[NETWORK]}")
    return Reading(of_cloud, items, unread)


def _is_off(error: UncheckedError) -> bool:
    """Whether an API of Google is switched off."""
    return bool(getattr(error, "is_off", False))
