"""BigLake metastore's Iceberg REST catalogs: catalogs and namespaces; tables are in biglake_tables.

Rows are `biglake/projects/P/catalogs/C/namespaces/N/tables/T`, as the API of their IAM policies names them.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import initial_state
from twin.gcp.api_server.errors import GoogleError, exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles, rules
from twin.gcp.methods.standard_methods import check_place
from twin.gcp.services.storage.validation import MULTI

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{1,61})[a-z0-9]")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_]{1,1024}")
_LOCATION: Final = re.compile(r"gs://([^/]+)(/.*)?")
_VENDED: Final = "CREDENTIAL_MODE_VENDED_CREDENTIALS"
_MUTABLE: Final = frozenset(
    {"credential-mode", "default-location", "description", "restricted-locations-config"}
    | {"federated-catalog-options"}
)
_PLACES: Final = frozenset({"us", "eu"})
SEPARATOR: Final = "\x1f"
"""Between the levels of a namespace in a path. Source: Iceberg REST catalog specification."""
CATALOGS: Final = "biglakeiceberg.projects.catalogs"


def catalog_row(call: Call) -> str:
    """The row of the path's catalog."""
    return f"biglake/projects/{call.project}/catalogs/{call.parameters['catalog']}"


@handles(f"{CATALOGS}.get")
def catalog_of(call: Call) -> Body:
    """The path's catalog. Raises 404."""
    name = catalog_row(call).partition("/")[2]
    return call.need(f"biglake/{name}", f"Catalog {name} not found.")


def namespace_row(call: Call) -> str:
    """The row of the path's namespace."""
    return f"{catalog_row(call)}/namespaces/{call.parameters['namespace'].replace(SEPARATOR, '.')}"


@handles(f"{CATALOGS}.namespaces.get")
def namespace_of(call: Call) -> Body:
    """The path's namespace. Raises 404."""
    catalog_of(call)
    row = namespace_row(call)
    return call.need(row, f"Namespace does not exist: {row.rpartition('/')[2]}")


def bucket_at(call: Call, location: str) -> Body:
    """The bucket of a location (`gs://bucket/path`). Raises 400 or 404."""
    match = _LOCATION.fullmatch(location)
    if not match:
        raise invalid(f"Invalid location '{location}': gs://BUCKET or gs://BUCKET/PATH is right.")
    return call.need(f"storage/b/{match[1]}", f"The specified bucket does not exist: {match[1]}")


def within(location: str, around: str) -> bool:
    """Whether a location is in another."""
    return f"{location.rstrip('/')}/".startswith(f"{around.rstrip('/')}/")


def check_allowed(call: Call, catalog: Body, location: str) -> None:
    """A location that the catalog's resources may use. Raises 400 or 404."""
    bucket_at(call, location)
    more = (catalog.get("restricted-locations-config") or {}).get("restricted-locations") or []
    roots = [catalog["default-location"], *more]
    if not any(within(location, root) for root in roots):
        raise invalid(
            f"The location '{location}' is not in the catalog's default location or its restricted locations "
            f"({', '.join(roots)})."
        )


@handles(f"{CATALOGS}.create")
def create(call: Call) -> dict[str, Any]:
    """A catalog on a bucket, with the account that vends credentials."""
    name = call.parameters.get("iceberg-catalog-id") or ""
    if not _ID.fullmatch(name):
        raise invalid(f"Invalid catalog id '{name}': 3 to 63 lower-case letters, digits, '_', '-' and '.'.")
    full = f"projects/{call.project}/catalogs/{name}"
    if call.state.get(f"biglake/{full}") is not None:
        raise exists(f"Catalog {full} already exists.")
    catalog: Body = {**call.body, "name": full, "create-time": call.timestamp, "update-time": call.timestamp}
    catalog.setdefault("credential-mode", "CREDENTIAL_MODE_END_USER")
    if catalog.get("catalog-type") == "CATALOG_TYPE_GCS_BUCKET":
        catalog["default-location"] = f"gs://{name}"
    _check(call, catalog)
    place = (call.parameters.get("primary_location") or "").lower()
    if place:
        check_place(place, _PLACES)
    if catalog.get("default-location"):
        bucket_location = bucket_at(call, catalog["default-location"])["location"].lower()
        catalog["storage-regions"] = [bucket_location]
        catalog["replicas"] = [{"region": place or bucket_location, "state": "STATE_PRIMARY"}]
    _account(call, catalog)
    return call.state.put(f"biglake/{full}", catalog)


def _account(call: Call, catalog: Body) -> None:
    """The account by which the catalog reaches the bucket for its users."""
    if catalog["credential-mode"] != _VENDED or catalog.get("biglake-service-account"):
        return
    domain = "gcp-sa-biglakerestcatalog.iam.gserviceaccount.com"
    email = f"blirc-{call.project_number}-{secrets.token_hex(2)}@{domain}"
    agent = initial_state.agent(call.state, call.project, email, "BigLake Iceberg REST Catalog Service Agent")
    catalog["biglake-service-account"] = email
    catalog["biglake-service-account-id"] = agent["uniqueId"]


def _check(call: Call, catalog: Body) -> None:
    rules.check(call, catalog, services.rules("biglake")["catalog"])
    if catalog.get("default-location"):
        bucket = bucket_at(call, catalog["default-location"])
        if bucket["location"] in MULTI and MULTI[bucket["location"]] == "dual-region":
            raise invalid(f"The bucket's location {bucket['location']} is not supported by BigLake.")
    for restricted_location in (catalog.get("restricted-locations-config") or {}).get(
        "restricted-locations"
    ) or []:
        bucket_at(call, restricted_location)


@handles(f"{CATALOGS}.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's Iceberg catalogs."""
    catalogs = [
        body for _, body in call.state.of("biglake.catalogs", f"biglake/projects/{call.project}/catalogs/")
    ]
    return {"catalogs": catalogs} if catalogs else {}


@handles(f"{CATALOGS}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a catalog."""
    before = catalog_of(call)
    mask = [path.strip() for path in (call.parameters.get("updateMask") or "").split(",") if path.strip()]
    heads = {path.partition(".")[0].replace("_", "-") for path in mask} or set(call.body)
    wrong = sorted(heads - _MUTABLE)
    if wrong:
        raise invalid(
            f"Invalid update mask: field '{wrong[0]}' is immutable or unknown and cannot be updated."
        )
    if "default-location" in heads and before["catalog-type"] == "CATALOG_TYPE_GCS_BUCKET":
        raise invalid("The default location of a CATALOG_TYPE_GCS_BUCKET catalog cannot be changed.")
    catalog = {**before, **{head: call.body.get(head) for head in heads}, "update-time": call.timestamp}
    catalog = {name: value for name, value in catalog.items() if value is not None}
    catalog.setdefault("credential-mode", "CREDENTIAL_MODE_END_USER")
    _check(call, catalog)
    _account(call, catalog)
    return call.state.put(catalog_row(call), catalog)


@handles(f"{CATALOGS}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A catalog without namespaces goes."""
    name = catalog_of(call)["name"]
    if call.state.below(f"biglake/{name}"):
        raise precondition(f"Catalog {name} is not empty.")
    call.state.delete(f"biglake/{name}")
    return {}


# Namespaces


@handles(f"{CATALOGS}.namespaces.create")
def create_namespace(call: Call) -> dict[str, Any]:
    """A namespace with its location."""
    catalog = catalog_of(call)
    levels: list[str] = call.body.get("namespace") or []
    if not levels or not all(_NAMESPACE.fullmatch(level) for level in levels):
        raise invalid(f"Invalid namespace {levels}: letters, digits and underscores are right.")
    if len(levels) > 1:
        raise invalid(f"Nested namespaces are not supported: {'.'.join(levels)}")
    row = f"{catalog_row(call)}/namespaces/{levels[0]}"
    if call.state.get(row) is not None:
        raise exists(f"Namespace already exists: {levels[0]}")
    properties = {**(call.body.get("properties") or {})}
    root = catalog.get("default-location", "").rstrip("/")
    properties.setdefault("location", f"{root}/{levels[0]}")
    check_allowed(call, catalog, properties["location"])
    return call.state.put(row, {"namespace": levels, "properties": properties})


@handles(f"{CATALOGS}.namespaces.list")
def list_namespaces(call: Call) -> dict[str, Any]:
    """The names of a catalog's namespaces."""
    catalog_of(call)
    namespaces = call.state.of("biglake.namespaces", f"{catalog_row(call)}/namespaces/")
    return {"namespaces": [body["namespace"] for _, body in namespaces]}


@handles(f"{CATALOGS}.namespaces.updateProperties")
def update_properties(call: Call) -> dict[str, Any]:
    """Set and remove properties of a namespace."""
    body = namespace_of(call)
    removals, updates = call.body.get("removals") or [], call.body.get("updates") or {}
    both = sorted(set(removals) & set(updates))
    if both:
        raise GoogleError(
            422, "INVALID_ARGUMENT", f"Cannot set and remove property '{both[0]}' in one request.", "invalid"
        )
    properties = body["properties"]
    if "location" in updates and updates["location"] != properties.get("location"):
        raise invalid("The location of a namespace cannot be changed.")
    missing = [removal for removal in removals if removal not in properties]
    body["properties"] = {
        key: value for key, value in {**properties, **updates}.items() if key not in removals
    }
    call.state.put(namespace_row(call), body)
    removed = [removal for removal in removals if removal not in missing]
    return {"removed": removed, "updated": sorted(updates), "missing": missing}


@handles(f"{CATALOGS}.namespaces.delete")
def delete_namespace(call: Call) -> dict[str, Any]:
    """An empty namespace goes."""
    body = namespace_of(call)
    if call.state.below(namespace_row(call)):
        raise GoogleError(
            409, "FAILED_PRECONDITION", f"Namespace {body['namespace'][0]} is not empty.", "conflict"
        )
    call.state.delete(namespace_row(call))
    return {}


@handles("biglakeiceberg.config.get")
def config(call: Call) -> dict[str, Any]:
    """What a client is answered first: the prefix of the warehouse's paths."""
    warehouse = call.parameters.get("warehouse") or ""
    name = warehouse.removeprefix("gs://").removeprefix("bl://").rstrip("/").rpartition("/")[2]
    full = f"projects/{call.project}/catalogs/{name}"
    call.need(f"biglake/{full}", f"Catalog {full} not found.")
    return {"defaults": {}, "overrides": {"prefix": full, "warehouse": warehouse}}
