"""Cloud SQL: an instance that exists."""

from __future__ import annotations

from twin.checks.sdk import sdk
from twin.gcp.context import GcpContext
from twin.gcp.resources.data_source import data_source
from twin.gcp.resources.function import GcpFunction, project
from twin.gcp.services.sqladmin.resources import DatabaseInstance
from twin.provider_interface import CloudError, Props


class GetDatabaseInstance(GcpFunction):
    token = "gcp:sql/getDatabaseInstance:getDatabaseInstance"
    title = "SQL database instance"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        id, where = arguments["name"], project(context, arguments)
        outputs = DatabaseInstance().read(context, id, {"project": where, "name": id})
        if outputs is None:
            raise CloudError(f"Error when reading or editing SQL Database Instance {id!r}: not found")
        schema = sdk("pulumi_gcp").function(self.token)
        return data_source(schema.result if schema else {}, {**outputs, "id": id})
