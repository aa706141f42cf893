"""BigQuery Data Policy, version 1: masking and column-level security by policy tags."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import local, only_read


class DataPolicy(GcpResource):
    token = "gcp:bigquerydatapolicy/dataPolicy:DataPolicy"
    title = "DataPolicy"
    collection = "bigquerydatapolicy.projects.locations.dataPolicies"
    schema = "DataPolicy"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/dataPolicies/{dataPolicyId}"}
    create_params = {"parent": "projects/{project}/locations/{location}"}
    id_form = "projects/{project}/locations/{location}/dataPolicies/{dataPolicyId}"
    fields = {**local("location"), **only_read("name")}
    changes = (Change(("dataPolicyType", "policyTag", "dataMaskingPolicy"), mask=True),)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        # Number or id of the project (ProjectNumberDiffSuppress).
        if path not in ("policyTag", "dataMaskingPolicy.routine"):
            return False
        return str(old).split("/")[2:] == str(new).split("/")[2:]
