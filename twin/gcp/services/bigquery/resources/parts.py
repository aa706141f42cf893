"""BigQuery: row access policies, connections, reservations, jobs and data policies of version 2."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props


class Job(GcpResource):
    token = "gcp:bigquery/job:Job"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        labels = request_body.pop("labels", None)
        if labels is not None and "configuration" in request_body:
            request_body["configuration"] = {**request_body["configuration"], "labels": labels}
            places["configuration.labels"] = "labels"
        query = (request_body.get("configuration") or {}).get("query")
        if isinstance(query, dict):
            # What is empty is not sent.
            query_fields = {name: value for name, value in query.items() if value != ""}
            request_body["configuration"] = {**request_body["configuration"], "query": query_fields}
        return request_body, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        labels = (item.get("configuration") or {}).get("labels") or {}
        return super().outputs(context, id, {**item, "labels": labels}, state)


class DataPolicyV2(GcpResource):
    token = "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy"

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        whole = {"dataPolicy": body, "dataPolicyId": body["dataPolicyId"]}
        return super().make(context, inputs, whole)
