"""GKE: the versions that a location offers."""

from __future__ import annotations

from twin.checks.sdk import sdk
from twin.gcp.context import GcpContext
from twin.gcp.resources.data_source import data_source
from twin.gcp.resources.function import GcpFunction, project
from twin.gcp.services.container.resources.clusters import Cluster
from twin.provider_interface import CloudError, Props


class GetCluster(GcpFunction):
    token = "gcp:container/getCluster:getCluster"
    title = "container cluster"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        location = arguments.get("location") or context.zone or context.region
        id = f"projects/{where}/locations/{location}/clusters/{arguments['name']}"
        outputs = Cluster().read(context, id, {"skipNodePoolRefresh": arguments.get("skipNodePoolRefresh")})
        if outputs is None:
            raise CloudError(f"{id} not found")
        schema = sdk("pulumi_gcp").function(self.token)
        labels = outputs["effectiveLabels"]
        outputs |= {"resourceLabels": labels, "pulumiLabels": labels, "id": id}
        return data_source(schema.result if schema else {}, outputs)
