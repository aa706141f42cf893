"""S3's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import CloudError, Props


class GetBucket(AwsFunction):
    token = "aws:s3/getBucket:getBucket"
    service = "s3"
    title = "S3 Bucket"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        bucket = arguments["bucket"]
        try:
            context.call("s3", "HeadBucket", {"Bucket": bucket})
        except ClientError as error:
            raise CloudError(f"reading S3 Bucket ({bucket}): couldn't find resource") from error
        domain = f"{bucket}.s3.amazonaws.com"
        return {
            "id": bucket,
            "arn": f"arn:{context.partition}:s3:::{bucket}",
            "bucket": bucket,
            "bucketDomainName": domain,
            "bucketRegion": context.region,
            "bucketRegionalDomainName": f"{bucket}.s3.{context.region}.amazonaws.com",
            "region": context.region,
        }
