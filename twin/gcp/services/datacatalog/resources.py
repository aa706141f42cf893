"""Data Catalog: taxonomies and policy tags."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import local, only_read
from twin.gcp.resources.links import relative
from twin.gcp.resources.validators import one_of
from twin.provider_interface import Props


class Named(GcpResource):
    """A resource whose name the service makes: it is its id."""

    create_method = "create"
    params = {"name": "{id}"}
    id_form = "{name}"

    def parsed(self, id: str) -> dict[str, str]:
        return {"name": relative(id)} if id else {}

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return relative(id)


class Taxonomy(Named):
    token = "gcp:datacatalog/taxonomy:Taxonomy"
    title = "Taxonomy"
    collection = "datacatalog.projects.locations.taxonomies"
    schema = "GoogleCloudDatacatalogV1Taxonomy"
    create_params = {"parent": "projects/{project}/locations/{region}"}
    place = "region"
    fields = {**local("region"), **only_read("name")}
    sets = frozenset({"activatedPolicyTypes"})
    changes = (Change(("displayName", "activatedPolicyTypes", "description"), mask=True),)

    def rules(self, inputs: Props) -> Any:
        from twin.gcp.resources.validators import wrong_values

        check = one_of("POLICY_TYPE_UNSPECIFIED", "FINE_GRAINED_ACCESS_CONTROL")
        for index, each in enumerate(inputs.get("activatedPolicyTypes") or []):
            path = f"activatedPolicyTypes[{index}]"
            yield from wrong_values({path: check}, {path: each})

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        found = re.fullmatch(r"projects/([^/]+)/locations/([^/]+)/.*", id)
        return {"project": found[1], "region": found[2]} if found else {}


class PolicyTag(Named):
    token = "gcp:datacatalog/policyTag:PolicyTag"
    title = "PolicyTag"
    collection = "datacatalog.projects.locations.taxonomies.policyTags"
    schema = "GoogleCloudDatacatalogV1PolicyTag"
    create_params = {"parent": "{taxonomy}"}
    has_project = False
    fields = {**local("taxonomy"), **only_read("childPolicyTags", "name")}
    changes = (Change(("displayName", "description", "parentPolicyTag"), mask=True),)

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"taxonomy": id.rpartition("/policyTags/")[0]}
