"""Data Catalog: taxonomies of policy tags, by which columns of BigQuery are guarded."""

from __future__ import annotations

from typing import Final

from twin.gcp.api_server.errors import exists, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import Standard, serve
from twin.gcp.services.bigquery.operations.datasets import PLACES

_LONGEST: Final = 200
"""Bytes of a display name at most. Source: Taxonomy of the Data Catalog reference."""


def _check_name(call: Call, body: Body, collection: str) -> None:
    """A display name is one among its neighbours. Raises 400 and 409."""
    shown = str(body.get("displayName") or "")
    plain = shown.replace(" ", "").replace("_", "").replace("-", "")
    if not shown or len(shown.encode()) > _LONGEST or shown.strip() != shown or not plain.isalnum():
        raise invalid(
            f"Invalid display name '{shown}': letters, digits, _, - and spaces inside, at most {_LONGEST} "
            "bytes."
        )
    around = f"datacatalog/{body['name'].rpartition('/')[0]}/"
    for _, other in call.state.of(collection, around):
        if other["displayName"] == shown and other["name"] != body["name"]:
            raise exists(f"A resource with the display name '{shown}' already exists: {other['name']}.")


def _check_taxonomy(call: Call, body: Body) -> None:
    _check_name(call, body, "datacatalog.taxonomies")


def _check_tag(call: Call, body: Body) -> None:
    _check_name(call, body, "datacatalog.policyTags")
    parent, seen = body.get("parentPolicyTag"), {body["name"]}
    while parent:
        if parent.rpartition("/policyTags/")[0] != body["name"].rpartition("/policyTags/")[0]:
            raise invalid("The parent policy tag must be of the same taxonomy.")
        if parent in seen:
            raise invalid(f"Policy tag {parent} would be its own ancestor.")
        seen.add(parent)
        found = call.state.get(f"datacatalog/{parent}")
        if found is None:
            raise not_found(f"Policy tag {parent} not found.")
        parent = found.get("parentPolicyTag")
    if len(seen) > 5:
        raise invalid("Policy tags can be nested at most 5 levels deep.")


def _children(call: Call, body: Body) -> list[Body]:
    around = f"datacatalog/{body['name'].rpartition('/')[0]}/"
    found = call.state.of("datacatalog.policyTags", around)
    return [each for _, each in found if each.get("parentPolicyTag") == body["name"]]


def _drop_children(call: Call, body: Body) -> None:
    """A policy tag takes those below it along."""
    for child in _children(call, body):
        _drop_children(call, child)
        call.state.delete(f"datacatalog/{child['name']}")


serve(
    Standard(
        methods="datacatalog.projects.locations.taxonomies",
        title="Taxonomy",
        mutable=frozenset({"displayName", "description", "activatedPolicyTypes"}),
        check=_check_taxonomy,
        stamps=("", ""),
        places=PLACES,
        mask_needed=False,
    )
)
serve(
    Standard(
        methods="datacatalog.projects.locations.taxonomies.policyTags",
        title="PolicyTag",
        mutable=frozenset({"displayName", "description", "parentPolicyTag"}),
        check=_check_tag,
        vacate=_drop_children,
        stamps=("", ""),
        places=PLACES,
        mask_needed=False,
    )
)
