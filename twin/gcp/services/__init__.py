"""How the front's services answer methods: one function a method, found by the method's id.

    @handles("container.projects.locations.clusters.create")
    def create(call: Call) -> dict[str, Any]: ...

A handler gets a call whose body follows the schema, works on `call.state` (the front has opened one
transaction) and answers the response's JSON, or raises GoogleError. Methods without a handler go to
`twin.gcp.services.generic`, where the collection has a Kind; all others answer 501.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twin.gcp.call import Call
from twin.gcp.errors import GoogleError
from twin.gcp.state import Body, State

if TYPE_CHECKING:
    from twin.gcp.front import Front

__all__ = ["Call", "GoogleError", "Handler", "State", "handler", "handles", "load", "shown", "shows"]

Handler = Callable[[Call], Any]
Shower = Callable[[State, str, Body], Body]

_HANDLERS: dict[str, Handler] = {}
_SHOWERS: dict[str, Shower] = {}

MODULES: Final = {
    "compute": (
        "twin.gcp.services.compute_networks",
        "twin.gcp.services.compute_subnetworks",
        "twin.gcp.services.compute_routers",
        "twin.gcp.services.compute_addresses",
        "twin.gcp.services.compute_policies",
        "twin.gcp.services.compute_places",
        "twin.gcp.services.compute_machines",
    ),
    "container": ("twin.gcp.gke.service",),
    "iam": ("twin.gcp.services.iam_accounts", "twin.gcp.services.iam_roles"),
    "cloudresourcemanager": ("twin.gcp.services.projects",),
    "serviceusage": ("twin.gcp.services.serviceusage", "twin.gcp.services.serviceusage_quotas"),
    "cloudkms": ("twin.gcp.services.cloudkms",),
    "servicenetworking": ("twin.gcp.services.servicenetworking",),
    "dns": ("twin.gcp.services.dns_zones", "twin.gcp.services.dns_records"),
    "logging": ("twin.gcp.services.logs",),
    "storage": (
        "twin.gcp.services.buckets",
        "twin.gcp.services.bucket_parts",
        "twin.gcp.services.objects",
    ),
    "bigquery": (
        "twin.gcp.services.bigquery",
        "twin.gcp.services.bigquery_tables",
        "twin.gcp.services.bigquery_rows",
        "twin.gcp.services.bigquery_jobs",
        "twin.gcp.services.bigquery_queries",
    ),
    "bigqueryconnection": ("twin.gcp.services.bigquery_connections",),
    "bigqueryreservation": ("twin.gcp.services.bigquery_reservations",),
    "bigquerydatapolicy": ("twin.gcp.services.bigquerydatapolicy",),
    "sql": ("twin.gcp.services.sql_instances", "twin.gcp.services.sql_users"),
    "sqladmin": ("twin.gcp.services.sql_instances", "twin.gcp.services.sql_users"),
    "pubsub": (
        "twin.gcp.services.pubsub",
        "twin.gcp.services.pubsub_messages",
        "twin.gcp.services.pubsub_subscriptions",
    ),
    "cloudscheduler": ("twin.gcp.services.cloudscheduler",),
    "dataplex": ("twin.gcp.services.dataplex", "twin.gcp.services.dataplex_lakes"),
    "accesscontextmanager": ("twin.gcp.services.accesscontextmanager",),
    "firestore": ("twin.gcp.services.firestore",),
    "bigtableadmin": ("twin.gcp.services.bigtable",),
    "secretmanager": ("twin.gcp.services.secretmanager",),
    "artifactregistry": ("twin.gcp.services.artifactregistry",),
    "datacatalog": ("twin.gcp.services.datacatalog",),
    "billingbudgets": ("twin.gcp.services.billingbudgets",),
    "biglake": ("twin.gcp.services.biglake_iceberg", "twin.gcp.services.biglake_hive"),
    "biglakeiceberg": ("twin.gcp.services.biglake_iceberg", "twin.gcp.services.biglake_tables"),
    "binaryauthorization": ("twin.gcp.services.binaryauthorization",),
    "monitoring": ("twin.gcp.services.monitoring",),
    "run": ("twin.gcp.services.run", "twin.gcp.services.run_jobs"),
    "workflows": ("twin.gcp.services.workflows",),
}
"""The modules that answer an API; they are imported when it is first asked."""


def handles(*method_ids: str) -> Callable[[Handler], Handler]:
    """The function answers these methods."""

    def keep(function: Handler) -> Handler:
        for each in method_ids:
            if each in _HANDLERS:
                raise ValueError(
                    f"{each} is handled twice: {_HANDLERS[each].__module__}, {function.__module__}"
                )
            _HANDLERS[each] = function
        return function

    return keep


def shows(collection: str) -> Callable[[Shower], Shower]:
    """The function completes a resource of the collection when it is read (what depends on others)."""

    def keep(function: Shower) -> Shower:
        _SHOWERS[collection] = function
        return function

    return keep


def shown(state: State, name: str, body: Body) -> Body:
    """The resource as its API shows it."""
    from twin.gcp.state import collection_of

    shower = _SHOWERS.get(collection_of(name))
    return shower(state, name, body) if shower else body


def load(api: str) -> bool:
    """Import the modules of an API. False where the twin has none."""
    modules = MODULES.get(api)
    for each in modules or ():
        importlib.import_module(each)
    return modules is not None


def start(front: Front) -> None:
    """Let the services begin what they do without being asked: GKE's, where it has a `start(front)`."""
    from twin.gcp.gke import service

    begin = getattr(service, "start", None)
    if begin:
        with front.state.transaction():
            begin(front)


def handler(method_id: str) -> Handler | None:
    """Who answers the method, or None."""
    load(method_id.partition(".")[0])
    return _HANDLERS.get(method_id)
