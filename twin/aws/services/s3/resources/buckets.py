"""S3: buckets and what is configured on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.tags import Tagging
from twin.aws.services.s3.validation import bucket_name_fault
from twin.provider_interface import CloudError, Failure, Props

NO_BUCKET: Final = "NoSuchBucket"
"""The code for a bucket that is not there."""
_ZONES: Final = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
}
"""Hosted zones of S3 website endpoints: https://docs.aws.amazon.com/general/latest/gr/s3.html"""
HERE: Final = {"Bucket": "{id}"}
"""The parameters of calls on the bucket whose name is the id."""


class _Tagging(Tagging):
    """S3 knows only whole sets of tags."""

    def remote(self, context: AwsContext, service: str, item: Any, values: Any) -> dict[str, str]:
        try:
            return super().remote(context, service, item, values)
        except ClientError as error:
            if code_of(error) != "NoSuchTagSet":
                raise
            return {}

    def change(self, context: AwsContext, service: str, values: Any, old: Any, new: Any) -> None:
        bucket = {"Bucket": values["id"]}
        present = self.remote(context, service, None, values)
        merged = {key: value for key, value in present.items() if key not in old or key in new} | dict(new)
        if merged:
            context.call(service, "PutBucketTagging", {**bucket, "Tagging": {"TagSet": self.encoded(merged)}})
        else:
            context.call(service, "DeleteBucketTagging", bucket)


class Bucket(AwsResource):
    tagging = _Tagging(
        create="",
        listing=Call("GetBucketTagging", HERE),
        listing_item="TagSet",
        add=Call("PutBucketTagging"),
        remove=Call("DeleteBucketTagging"),
    )

    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("bucket")
        wrong = bucket_name_fault(name) if isinstance(name, str) else ""
        if wrong:
            yield Failure("bucket", f"invalid S3 bucket name {name!r}: {wrong}")

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        if context.region != "us-east-1":
            params["CreateBucketConfiguration"] = {"LocationConstraint": context.region}
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._change_tags(context, id, {}, inputs)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"hostedZoneId": _ZONES[context.region]} if context.region in _ZONES else {}

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        if state.get("forceDestroy"):
            self._empty(context, id, locked=bool(state.get("objectLockEnabled")))
        super().unmake(context, id, state)

    @staticmethod
    def _empty(context: AwsContext, id: str, *, locked: bool) -> None:
        while True:
            answer = context.call("s3", "ListObjectVersions", {"Bucket": id, "MaxKeys": 1000})
            versions = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
            if not versions:
                return
            objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
            params: Props = {"Bucket": id, "Delete": {"Objects": objects, "Quiet": True}}
            if locked:
                params["BypassGovernanceRetention"] = True
            errors = context.call("s3", "DeleteObjects", params).get("Errors") or []
            if errors:
                key, code, words = (errors[0].get(name, "") for name in ("Key", "Code", "Message"))
                raise CloudError(f"emptying S3 Bucket ({id}): deleting {key}: {code}: {words}", code=code)


class Configuration(AwsResource):
    """Something configured on a bucket: created by a Put, its id is the bucket's name."""


class BucketVersioning(Configuration):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        return item if item and item.get("Status") else None

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # What was enabled once can only be suspended.
        if (state.get("versioningConfiguration") or {}).get("status") == "Enabled":
            suspended = {"Bucket": id, "VersioningConfiguration": {"Status": "Suspended"}}
            try:
                context.call("s3", "PutBucketVersioning", suspended)
            except ClientError as error:
                # A bucket with Object Lock stays versioned; the provider leaves it at that, too.
                if code_of(error) != "InvalidBucketState":
                    raise
