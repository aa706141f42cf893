"""S3: objects that a program writes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.tags import Tagging
from twin.aws.services.s3.resources.buckets import NO_BUCKET
from twin.property_values import Asset
from twin.provider_interface import UNKNOWN, CloudError, Failure, Props

_HERE: Final = {"Bucket": "{bucket}", "Key": "{key}"}
_BODIES: Final = ("content", "contentBase64", "source")
_SENT: Final = frozenset(
    {"acl", "bucketKeyEnabled", "cacheControl", "checksumAlgorithm", "contentDisposition", "contentEncoding"}
    | {"contentLanguage", "contentType", "etag", "kmsKeyId", "metadata", "serverSideEncryption", "sourceHash"}
    | {"storageClass", "websiteRedirect", *_BODIES}
)


class _Tagging(Tagging):
    """S3 knows only whole sets of tags."""

    def change(self, context: AwsContext, service: str, values: Any, old: Any, new: Any) -> None:
        here = {"Bucket": values["bucket"], "Key": values["key"]}
        if new:
            context.call(service, "PutObjectTagging", {**here, "Tagging": {"TagSet": self.encoded(new)}})
        else:
            context.call(service, "DeleteObjectTagging", here)


def unquoted(value: Any) -> str:
    return str(value).strip('"')


_TAGGING: Final = _Tagging(
    create="",
    listing=Call("GetObjectTagging", _HERE),
    listing_item="TagSet",
    add=Call("PutObjectTagging"),
    remove=Call("DeleteObjectTagging"),
)


class BucketObjectv2(AwsResource):
    tagging = _TAGGING

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for name in inputs.get("metadata") or {}:
            if name != name.lower():
                yield Failure(f"metadata.{name}", "Metadata must be lowercase only. Offending key: " + name)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        if params.get("SSEKMSKeyId"):
            params["ServerSideEncryption"] = "aws:kms"
        body = _body(inputs)
        # What a preview does not know is not sent.
        return params if body is UNKNOWN else {**params, "Body": body}

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        wanted = context.tags.merged(inputs.get("tags"))
        if wanted:
            values = {"bucket": inputs["bucket"], "key": inputs["key"]}
            _TAGGING.change(context, "s3", values, {}, wanted)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        bucket, _, key = id.partition("/")
        return {
            "bucket": bucket,
            "key": key,
            "acl": known.get("acl") or "private",
            "versionId": item.get("VersionId") or "",
            "storageClass": item.get("StorageClass") or "STANDARD",
        }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & _SENT:
            context.call("s3", "PutObject", self.create_params(context, new))
            self.after_create(context, id, new, {})
            return
        here = {"Bucket": old["bucket"], "Key": old["key"]}
        if "objectLockLegalHoldStatus" in changed:
            status = new.get("objectLockLegalHoldStatus") or "OFF"
            context.call("s3", "PutObjectLegalHold", {**here, "LegalHold": {"Status": status}})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        bucket, _, key = id.partition("/")
        for version in _versions(context, bucket, key):
            params: Props = {"Bucket": bucket, "Key": key, "VersionId": version}
            if state.get("forceDestroy") and state.get("objectLockMode"):
                params["BypassGovernanceRetention"] = True
            context.call("s3", "DeleteObject", params)


def _versions(context: AwsContext, bucket: str, key: str) -> list[str]:
    """All versions and delete markers of a key: the provider leaves none behind."""
    try:
        reported = context.call("s3", "ListObjectVersions", {"Bucket": bucket, "Prefix": key})
    except ClientError as error:
        if code_of(error) == NO_BUCKET:
            return []
        raise
    versions = [*reported.get("Versions", []), *reported.get("DeleteMarkers", [])]
    return [version["VersionId"] for version in versions if version["Key"] == key]


def _body(inputs: Props) -> Any:
    for name in _BODIES:
        value = inputs.get(name)
        if value is None:
            continue
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, Asset):
            return value.read()
        if name == "contentBase64":
            return base64.b64decode(value)
        if name == "source":
            raise CloudError(f"S3 Object: source is no asset: {value!r}", path="source")
        return str(value).encode()
    return b""
