"""Service Quotas' functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import CloudError, Props


class GetServiceQuota(AwsFunction):
    token = "aws:servicequotas/getServiceQuota:getServiceQuota"
    service = "service-quotas"
    title = "Service Quota"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        if not arguments.get("quotaCode"):
            raise CloudError("the twin looks service quotas up by quotaCode alone")
        place: Props = {"ServiceCode": arguments["serviceCode"], "QuotaCode": arguments["quotaCode"]}
        default = context.call("service-quotas", "GetAWSDefaultServiceQuota", place)["Quota"]
        try:
            # What was never changed has no applied value.
            quota = context.call("service-quotas", "GetServiceQuota", place)["Quota"]
        except ClientError as error:
            if code_of(error) != "NoSuchResourceException":
                raise
            quota = default
        return {
            "id": default["QuotaArn"],
            "arn": quota["QuotaArn"],
            "adjustable": default["Adjustable"],
            "defaultValue": default["Value"],
            "globalQuota": default["GlobalQuota"],
            "quotaCode": default["QuotaCode"],
            "quotaName": default["QuotaName"],
            "region": context.region,
            "serviceCode": default["ServiceCode"],
            "serviceName": default["ServiceName"],
            "usageMetrics": [],
            "value": quota["Value"],
        }
