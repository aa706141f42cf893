"""Cloud Quotas: an API that no project of the twin has switched on."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction
from twin.provider_interface import CloudError, Props


class GetQuotaInfo(GcpFunction):
    token = "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo"
    title = "QuotaInfo"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        raise CloudError(
            f"Error when reading or editing {self.title}: googleapi: Error 403: Cloud Quotas API has not "
            f"been used in {arguments['parent']} before or it is disabled."
        )
