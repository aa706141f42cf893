"""Workflows: definitions with their environment variables. None of them is executed here."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import local, only_read
from twin.provider_interface import AutoName, Failure, Props

_FORM = "projects/{project}/locations/{region}/workflows/{name}"


class Workflow(GcpResource):
    token = "gcp:workflows/workflow:Workflow"
    title = "Workflow"
    collection = "workflows.projects.locations.workflows"
    schema = "Workflow"
    create_method = "create"
    params = {"name": _FORM}
    create_params = {"parent": "projects/{project}/locations/{region}", "workflowId": "{name}"}
    id_form = _FORM
    place = "region"
    names = frozenset({"name"})
    autoname = AutoName("name", max_length=64, lower=True)
    labels = "labels"
    fields = {
        **local("region", "namePrefix", "deletionPolicy", "deletionProtection", "tags"),
        **only_read("createTime", "updateTime", "state", "revisionId"),
    }
    computed = frozenset({"serviceAccount"})
    changes = (
        Change(
            (
                *("callLogLevel", "cryptoKeyName", "description", "executionHistoryLevel", "serviceAccount"),
                *("sourceContents", "userEnvVars"),
            ),
            mask=True,
        ),
    )

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in ("namePrefix", "tags"):
            if inputs.get(other):
                yield Failure(other, "of workflows the twin has those with a name and without tags")
