"""BigQuery: row access policies, connections, reservations, jobs and data policies of version 2."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.resources.links import last_of, same_thing
from twin.gcp.resources.validators import matches, one_of
from twin.provider_interface import AutoName, Props

_WRITES: Final = one_of("WRITE_TRUNCATE", "WRITE_APPEND", "WRITE_EMPTY", "")
_CREATES: Final = one_of("CREATE_IF_NEEDED", "CREATE_NEVER", "")


class RowAccessPolicy(GcpResource):
    token = "gcp:bigquery/rowAccessPolicy:RowAccessPolicy"
    title = "RowAccessPolicy"
    collection = "bigquery.rowAccessPolicies"
    schema = "RowAccessPolicy"
    params = {
        "projectId": "{project}",
        "datasetId": "{datasetId}",
        "tableId": "{tableId}",
        "policyId": "{policyId}",
    }
    id_form = "projects/{project}/datasets/{datasetId}/tables/{tableId}/rowAccessPolicies/{policyId}"
    fields = {
        "datasetId": Field("rowAccessPolicyReference.datasetId"),
        "tableId": Field("rowAccessPolicyReference.tableId"),
        "policyId": Field("rowAccessPolicyReference.policyId"),
        "grantees": Field(read=False),
        **only_read("creationTime", "lastModifiedTime"),
    }
    changes = (Change(("filterPredicate", "grantees"), method="update", whole=True),)
    volatile = frozenset({"lastModifiedTime"})

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        params = self.filled(self.params, self.values(context, id, state))
        context.call(f"{self.collection}.delete", {**params, "force": True})


class Connection(GcpResource):
    token = "gcp:bigquery/connection:Connection"
    title = "Connection"
    collection = "bigqueryconnection.projects.locations.connections"
    schema = "Connection"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/connections/{connectionId}"}
    create_params = {
        "parent": "projects/{project}/locations/{location}",
        "connectionId": "{connectionId}",
    }
    id_form = "projects/{project}/locations/{location}/connections/{connectionId}"
    autoname = AutoName("connectionId", max_length=255)
    place = "location"
    fields = {
        **local("connectionId", "location"),
        **only_read("hasCredential", "name"),
        **{
            path: Field(sent=False)
            for path in (
                *("aws.accessRole.identity", "azure.application", "azure.clientId", "azure.identity"),
                *("azure.objectId", "azure.redirectUri", "cloudResource.serviceAccountId"),
                *("cloudSql.serviceAccountId", "spark.serviceAccountId"),
                "configuration.authentication.usernamePassword.password.secretType",
                "configuration.authentication.serviceAccount",
            )
        },
        "cloudSql.credential": Field(read=False),
        "cloudSql.credential.passwordWo": Field(sent=False),
        "cloudSql.credential.passwordWoVersion": Field(sent=False),
    }
    computed = frozenset({"location"})
    nested_computed = frozenset(
        {"cloudResource.serviceAccountId", "cloudSql.serviceAccountId", "spark.serviceAccountId"}
    )
    changes = (
        Change(
            (
                *("aws", "azure", "cloudResource", "cloudSpanner", "cloudSql", "configuration", "spark"),
                *("description", "friendlyName", "kmsKeyName"),
            ),
            mask=True,
        ),
    )
    validators = {
        "cloudSpanner.databaseRole": matches(r"^[a-zA-Z][a-zA-Z0-9_]*$"),
    }


class Reservation(GcpResource):
    token = "gcp:bigquery/reservation:Reservation"
    title = "Reservation"
    collection = "bigqueryreservation.projects.locations.reservations"
    schema = "Reservation"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/reservations/{name}"}
    create_params = {"parent": "projects/{project}/locations/{location}", "reservationId": "{name}"}
    id_form = "projects/{project}/locations/{location}/reservations/{name}"
    autoname = AutoName("name", max_length=64, lower=True)
    names = frozenset({"name"})
    fields = {
        "name": Field(sent=False),
        **local("location"),
        "autoscale.currentSlots": Field(sent=False),
        "replicationStatuses": Field("replicationStatus", sent=False),
        "replicationStatuses.errors": Field("error"),
        **only_read("originalPrimaryLocation", "primaryLocation"),
    }
    labels = "labels"
    nested_computed = frozenset({"autoscale.currentSlots"})
    changes = (
        Change(
            (
                *("slotCapacity", "ignoreIdleSlots", "concurrency", "autoscale", "secondaryLocation"),
                *("reservationGroup", "maxSlots", "scalingMode"),
            ),
            mask=True,
        ),
    )

    def filled(self, params: Any, values: Props) -> Props:
        # BigQuery's multi-regions are lower case in the paths of reservations.
        low = {**values, "location": str(values.get("location", "")).lower() or None}
        return super().filled(params, low)


class ReservationAssignment(GcpResource):
    token = "gcp:bigquery/reservationAssignment:ReservationAssignment"
    title = "ReservationAssignment"
    collection = "bigqueryreservation.projects.locations.reservations.assignments"
    schema = "Assignment"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/reservations/{reservation}/assignments/{name}"}
    create_params = {"parent": "projects/{project}/locations/{location}/reservations/{reservation}"}
    id_form = "projects/{project}/locations/{location}/reservations/{reservation}/assignments/{name}"
    read_method = "list"
    names = frozenset({"name"})
    fields = {**local("reservation", "location"), **only_read("name", "state")}

    def prepared(self, context: GcpContext, inputs: Props) -> Props:
        made = super().prepared(context, inputs)
        given = made.get("reservation")
        if isinstance(given, str) and "/" in given and not made.get("location"):
            made["location"] = given.split("/")[3]
        return made

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        found = super().values(context, id, props)
        return {**found, "reservation": last_of(found.get("reservation"))}

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        # The API has no get of an assignment: the provider looks through the list.
        parent, _, _ = id.rpartition("/assignments/")
        told = context.call(f"{self.collection}.list", {"parent": parent})
        return next((each for each in told.get("assignments", []) if each["name"] == id), None)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path in ("assignee", "reservation") and same_thing(old, new)


class Job(GcpResource):
    token = "gcp:bigquery/job:Job"
    title = "Job"
    collection = "bigquery.jobs"
    schema = "Job"
    params = {"projectId": "{project}", "jobId": "{jobId}", "location": "{location}"}
    id_form = "projects/{project}/jobs/{jobId}"
    fields = {
        "jobId": Field("jobReference.jobId"),
        "location": Field("jobReference.location"),
        **{
            name: Field(f"configuration.{name}")
            for name in ("copy", "extract", "load", "query", "jobTimeoutMs", "reservation")
        },
        "jobType": Field("configuration.jobType", sent=False),
        "userEmail": Field("user_email", sent=False),
        "statuses": Field("status", sent=False),
        "statuses.errorResults": Field("errorResult"),
        **{
            f"{kind}.destinationEncryptionConfiguration.kmsKeyVersion": Field(sent=False, read=False)
            for kind in ("copy", "load", "query")
        },
        "query.query": Field(read=True),
    }
    labels = "labels"
    validators = {
        "copy.createDisposition": _CREATES,
        "copy.writeDisposition": _WRITES,
        "load.createDisposition": _CREATES,
        "load.writeDisposition": _WRITES,
        "query.createDisposition": _CREATES,
        "query.writeDisposition": _WRITES,
    }
    # A job stays in BigQuery's history: the provider forgets it.
    delete_method = ""

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        labels = made.pop("labels", None)
        if labels is not None and "configuration" in made:
            made["configuration"] = {**made["configuration"], "labels": labels}
            places["configuration.labels"] = "labels"
        query = (made.get("configuration") or {}).get("query")
        if isinstance(query, dict):
            # What is empty is not sent.
            kept = {name: value for name, value in query.items() if value != ""}
            made["configuration"] = {**made["configuration"], "query": kept}
        return made, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        labels = (item.get("configuration") or {}).get("labels") or {}
        return super().outputs(context, id, {**item, "labels": labels}, state)


class DataPolicyV2(GcpResource):
    token = "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy"
    title = "DataPolicy"
    collection = "bigquerydatapolicy@v2.projects.locations.dataPolicies"
    schema = "DataPolicy"
    create_method = "create"
    params = {"name": "projects/{project}/locations/{location}/dataPolicies/{dataPolicyId}"}
    create_params = {"parent": "projects/{project}/locations/{location}"}
    id_form = "projects/{project}/locations/{location}/dataPolicies/{dataPolicyId}"
    fields = {**local("location"), **only_read("name", "policyTag", "version")}
    immutable = frozenset({"dataPolicyId"})
    changes = (Change(("dataPolicyType", "dataMaskingPolicy", "grantees"), mask=True),)
    volatile = frozenset({"etag"})
    sets = frozenset({"grantees"})

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        yield from super().wrong_fields(context, inputs)

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        whole = {"dataPolicy": body, "dataPolicyId": body["dataPolicyId"]}
        return super().make(context, inputs, whole)
