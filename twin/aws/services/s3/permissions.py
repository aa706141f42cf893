"""The rights that a call of S3 needs: on its bucket or object, and on the key that encrypts it.

Names of actions: Service authorization reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from twin.aws.api_server.request import Call
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.services.kms import permissions as kms
from twin.aws.services.s3tables import files

# Operations of a bucket whose action has another name than they have.
_BUCKET: Final = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    **{
        f"{verb}{operation}": f"{verb}{action}"
        for verb in ("Get", "Put")
        for operation, action in {
            "BucketEncryption": "EncryptionConfiguration",
            "BucketLifecycle": "LifecycleConfiguration",
            "BucketLifecycleConfiguration": "LifecycleConfiguration",
            "PublicAccessBlock": "BucketPublicAccessBlock",
            "BucketNotificationConfiguration": "BucketNotification",
            "ObjectLockConfiguration": "BucketObjectLockConfiguration",
            "BucketReplication": "ReplicationConfiguration",
            "BucketCors": "BucketCORS",
            "BucketAccelerateConfiguration": "AccelerateConfiguration",
            "BucketAnalyticsConfiguration": "AnalyticsConfiguration",
            "BucketInventoryConfiguration": "InventoryConfiguration",
            "BucketMetricsConfiguration": "MetricsConfiguration",
            "BucketIntelligentTieringConfiguration": "IntelligentTieringConfiguration",
        }.items()
    },
}
_OBJECT: Final = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_OF_VERSIONS: Final = frozenset(
    {"GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"}
    | {"GetObjectAcl", "PutObjectAcl", "GetObjectAttributes"}
)
_VERSION_ACTIONS: Final = {
    operation: operation.replace("Object", "ObjectVersion", 1) for operation in _OF_VERSIONS
}


def requests(call: Call, moto: Any) -> list[AuthorizationRequest]:
    """All rights that a call needs."""
    params = call.params
    bucket, key = str(params.get("Bucket") or ""), params.get("Key")
    context = {**_headers(call), **_listing(params)}
    if call.operation == "DeleteObjects":
        return [
            _on_object(moto, bucket, str(object_["Key"]), "DeleteObject", context, object_.get("VersionId"))
            for object_ in (params.get("Delete") or {}).get("Objects") or []
        ]
    if key is None:
        if files.is_table(bucket):
            raise files.not_allowed()
        action = _BUCKET.get(call.operation, call.operation)
        resource = "*" if action == "ListAllMyBuckets" else f"arn:aws:s3:::{bucket}"
        return [AuthorizationRequest(f"s3:{action}", resource, context, policy_of(moto, bucket))]
    action = _OBJECT.get(call.operation, call.operation)
    requests = [_on_object(moto, bucket, str(key), action, context, params.get("VersionId"))]
    source = str(params.get("CopySource") or "")
    if source:
        of, _, name = unquote(source).partition("?versionId=")[0].lstrip("/").partition("/")
        requests.append(_on_object(moto, of, name, "GetObject", context, None))
        requests += _key(moto, call.region, of, name, "GetObject", {})
    if params.get("Tagging") and action == "PutObject":
        requests.append(_on_object(moto, bucket, str(key), "PutObjectTagging", context, None))
    return requests + _key(moto, call.region, bucket, str(key), call.operation, call.environ)


def of_object(moto: Any, region: str, bucket: str, key: str, operation: str) -> list[AuthorizationRequest]:
    """The rights that an AWS service needs for GetObject or PutObject, as whom it does that."""
    return [
        _on_object(moto, bucket, key, operation, {}, None),
        *_key(moto, region, bucket, key, operation, {}),
    ]


def of_absent(call: Call, moto: Any) -> list[AuthorizationRequest]:
    """The right that a reader of an object needs too, where there is none of that name."""
    bucket = str(call.params.get("Bucket") or "")
    if _stored(moto, bucket, str(call.params.get("Key") or "")) is not None:
        return []
    return [AuthorizationRequest("s3:ListBucket", f"arn:aws:s3:::{bucket}", {}, policy_of(moto, bucket))]


def _stored(moto: Any, bucket: str, key: str) -> Any:
    try:
        return moto.backend("s3").get_object(bucket, key)
    except Exception:  # noqa: BLE001 - moto's own errors; that it is not there is reported elsewhere
        return None


def policy_of(moto: Any, bucket: str) -> Any:
    """A bucket's policy, or None."""
    bucket_ = moto.backend("s3").buckets.get(bucket)
    return None if bucket_ is None else bucket_.policy


def closed_to_everybody(moto: Any, bucket: str) -> bool:
    """Whether Block Public Access keeps what a policy gives to everybody from other accounts and no one."""
    block: Any = getattr(moto.backend("s3").buckets.get(bucket), "public_access_block", None)
    return block is not None and str(block.restrict_public_buckets).lower() == "true"


def _on_object(
    moto: Any, bucket: str, key: str, action: str, context: Mapping[str, str], version: Any
) -> AuthorizationRequest:
    if version:
        action, context = _VERSION_ACTIONS.get(action, action), {**context, "s3:VersionId": str(version)}
    if files.is_table(bucket):
        return files.right(moto, bucket, action, context)
    bucket_: Any = moto.backend("s3").buckets.get(bucket)
    return AuthorizationRequest(
        f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}", context, bucket_.policy if bucket_ else None
    )


def _headers(call: Call) -> dict[str, str]:
    """What S3's condition keys report of a request: the headers that it was sent with."""
    headers = {
        "s3:" + name.removeprefix("HTTP_").lower().replace("_", "-"): str(value)
        for name, value in call.environ.items()
        if name.startswith("HTTP_X_AMZ_") and name != "HTTP_X_AMZ_SECURITY_TOKEN"
    }
    headers |= _creation(call)
    headers["s3:authType"] = "REST-QUERY-STRING" if "X-Amz-Signature" in call.query else "REST-HEADER"
    return headers


_CREATING: Final = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_UPLOADING: Final = frozenset({"CreateMultipartUpload", "UploadPart", "UploadPartCopy"})


def _creation(call: Call) -> dict[str, str]:
    """Whether a request with s3:PutObject creates an object, and the header by which it replaces none (S3
    user guide, "Enforce conditional writes on Amazon S3 buckets")."""
    if call.operation not in _CREATING | _UPLOADING:
        return {}
    headers = {"s3:if-none-match": "HTTP_IF_NONE_MATCH", "s3:if-match": "HTTP_IF_MATCH"}
    stated = {key: str(call.environ[name]) for key, name in headers.items() if call.environ.get(name)}
    return {"s3:ObjectCreationOperation": str(call.operation in _CREATING).lower(), **stated}


def _listing(params: Mapping[str, Any]) -> dict[str, str]:
    names = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}
    return {key: str(params[name]) for name, key in names.items() if params.get(name) is not None}


_READS: Final = frozenset({"GetObject", "HeadObject", "SelectObjectContent"})
_WRITES: Final = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart"})
# S3 reads the parts again to put them together.
_JOINS: Final = frozenset({"UploadPart", "UploadPartCopy", "CompleteMultipartUpload"})


def _key(
    moto: Any, region: str, bucket: str, key: str, operation: str, environ: Mapping[str, Any]
) -> list[AuthorizationRequest]:
    bucket_: Any = moto.backend("s3").buckets.get(bucket)
    if bucket_ is None:
        return []
    default = _default(bucket_)
    context = {
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}"
        + ("" if str(default.get("BucketKeyEnabled")).lower() == "true" else f"/{key}"),
        "kms:EncryptionContextKeys": "aws:s3:arn",
    }
    requests: list[AuthorizationRequest] = []
    if operation in _READS:
        stored = _stored(moto, bucket, key)
        if stored is not None and stored.encryption == "aws:kms":
            requests += kms.by_service(moto, region, "s3", "kms:Decrypt", stored.kms_key_id, context)
    if operation in _WRITES | _JOINS:
        algorithm = environ.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION") or default.get("SSEAlgorithm")
        named = environ.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID")
        named = named or default.get("KMSMasterKeyID")
        if algorithm == "aws:kms":
            actions = ["kms:GenerateDataKey"] if operation in _WRITES else []
            actions += ["kms:Decrypt"] if operation in _JOINS else []
            for action in actions:
                requests += kms.by_service(moto, region, "s3", action, named, context)
    return requests


def _default(bucket: Any) -> dict[str, Any]:
    rule: dict[str, Any] = (bucket.encryption or {}).get("Rule") or {}
    inner: dict[str, Any] = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return {**inner, "BucketKeyEnabled": rule.get("BucketKeyEnabled")}
