"""Read a file of a table from its bucket by boto3: JSON on stdin (`file`), JSON on stdout."""

from __future__ import annotations

import json
import sys

import boto3
from botocore.exceptions import ClientError

if __name__ == "__main__":
    bucket, _, key = json.load(sys.stdin)["file"].removeprefix("s3://").partition("/")
    try:
        answer = {"bytes": len(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())}
    except ClientError as error:
        answer = {"refused": error.response["Error"]["Code"], "why": error.response["Error"]["Message"]}
    json.dump(answer, sys.stdout)
