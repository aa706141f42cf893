"""Everything that an instance's AWS holds beyond its baseline: what a destroy must leave empty."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server import deterministic_moto, moto_contents
from twin.aws.services import facts

_PARTS: Final = facts(__name__)
_OF_ACCOUNT: Final = {"glue": {"default"}}
"""What an account has from the first use of a service on: Athena's own database."""
_GONE: Final = frozenset(
    {"deleted", "deleting", "terminated", "pendingdeletion", "inactive", "shutting-down", "delete-complete"}
    | {"cancelled", "expired"}
)
_OWNED_BY_VPC: Final = frozenset({"route_tables", "network_acls", "groups"})


def of(server: Any) -> dict[str, list[str]]:
    """Ids by `service/collection`; empty where nothing is left."""
    ids: dict[str, list[str]] = {}
    with server.moto.lock:
        for table in sorted(deterministic_moto.tables(), key=lambda backends: backends.service_name):
            for account, _, backend in table.iter_backends():
                if account == server.instance.account:
                    _gather(_module(table.service_name), backend, ids)
    for kind, names in server.eks.inventory().items() if hasattr(server, "eks") else ():
        ids[f"eks/{kind}"] = names
    return ids


def _module(service: str) -> str:
    return {"lambda": "awslambda", "cognito-idp": "cognitoidp"}.get(service, service)


def _gather(service: str, backend: Any, collected: dict[str, list[str]]) -> None:
    skipped: list[str] = _PARTS.get(service, [])
    before = moto_contents.born(backend)
    vpcs = set(before.get("vpcs", ()))
    if service == "ec2":
        # moto keeps instances inside reservations, which are records and stay.
        running = [
            instance.id
            for reservation in backend.reservations.values()
            for instance in reservation.instances
            if instance.state not in ("shutting-down", "terminated")
        ]
        if running:
            collected["ec2/instances"] = sorted(running)
    for kind, names in _inside(service, backend).items():
        if names:
            collected.setdefault(f"{service}/{kind}", []).extend(sorted(names))
    for name, collection in moto_contents.collections(backend):
        if name in skipped or name in ("tagger", "backend"):
            continue
        old = before.get(name, set())
        ids = [
            str(key)
            for key, item in list(collection.items())
            if key not in old
            and key not in _OF_ACCOUNT.get(service, ())
            and hasattr(item, "__dict__")
            and not _gone(item)
            # AWS makes them with a VPC and takes them with it.
            and not (service == "ec2" and name in _OWNED_BY_VPC and getattr(item, "vpc_id", "") in vpcs)
        ]
        if ids:
            collected.setdefault(f"{service}/{name.lstrip('_')}", []).extend(sorted(ids))


def _inside(service: str, backend: Any) -> dict[str, list[str]]:
    """What moto keeps inside of other things: rules in an event bus, tables in a database."""
    if service == "events":
        return {"rules": [name for bus in backend.event_buses.values() for name in bus.rules]}
    if service == "glue":
        databases = backend.databases.items()
        return {"tables": [f"{of}.{name}" for of, database in databases for name in database.tables]}
    if service == "awslambda":
        return {"functions": list(backend._lambdas._functions)}
    return {}


def _gone(item: Any) -> bool:
    if getattr(item, "key_manager", "") == "AWS":
        return True  # AWS's own key: it came unasked, costs nothing and cannot be deleted
    for attribute in ("state", "status", "key_state"):
        value = getattr(item, attribute, None)
        if isinstance(value, str) and value.lower() in _GONE:
            return True
    return False
