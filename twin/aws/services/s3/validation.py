"""S3: names of buckets, and what is configured on them.

moto loses parts of a lifecycle and of notifications; S3 answers what was put, and so does this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements
from twin.aws.services.s3tables import files
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED: Final = (
    ("xn--", "sthree-", "amzn-s3-demo-"),
    ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"),
)
_TAKEN: Final = frozenset({"example", "my-bucket", "website"})
"""Names that another account's buckets have: they are one space for all of AWS."""
_SIZE: Final = 20480
"""Characters of a bucket policy."""
_INVALID: Final = "InvalidArgument"


def bucket_name_fault(name: str) -> str:
    """What is wrong with a bucket's name; empty where nothing is.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _NAME.fullmatch(name) or ".." in name:
        return "3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends"
    if _ADDRESS.fullmatch(name):
        return "it looks like an IP address"
    prefixes, suffixes = _RESERVED
    if name.startswith(prefixes) or name.endswith(suffixes):
        return f"S3 keeps names that begin with {', '.join(prefixes)} or end with {', '.join(suffixes)}"
    return ""


def create_bucket(params: Params, state: MotoState) -> None:
    """CreateBucket: S3's rules for names, and in us-east-1 too a name that is the owner's own is taken."""
    name = str(params["Bucket"])
    reason = bucket_name_fault(name)
    if reason:
        raise Refusal("InvalidBucketName", f"The specified bucket is not valid. ({name}: {reason})")
    if name in _TAKEN:
        raise Refusal(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the "
            "system. Please select a different name and try again.",
            409,
        )
    if name in state.s3.buckets:
        raise Refusal(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
        )


def bucket(params: Params, state: MotoState) -> Any:
    """A bucket, or S3's refusal."""
    bucket = state.s3.buckets.get(params["Bucket"])
    if bucket is None:
        raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def upload(params: Params, state: MotoState) -> None:
    """CompleteMultipartUpload: of an upload that was begun, and is not complete."""
    if params.get("UploadId") not in bucket(params, state).multiparts:
        raise Refusal(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or "
            "the upload may have been aborted or completed.",
            404,
        )
    begun = _algorithm(params, state)
    if begun is None or begun[1] != "COMPOSITE":
        return
    for stated in (params.get("MultipartUpload") or {}).get("Parts") or []:
        if begun[0] not in _checksums(stated):
            raise Refusal(
                "InvalidRequest",
                f"The upload was created using a {begun[0]} checksum. The complete request must include the "
                f"checksum for each part. It was missing for part {stated['PartNumber']} in the request.",
            )


_ALGORITHMS: Final = ("CRC32", "CRC32C", "CRC64NVME", "MD5", "SHA1", "SHA256", "SHA512")


def _checksums(stated: Params) -> set[str]:
    """The algorithms of a request's or part's checksums, in small letters."""
    named = {name.lower() for name in _ALGORITHMS if stated.get(f"Checksum{name}")}
    return named or ({str(stated["ChecksumAlgorithm"]).lower()} if stated.get("ChecksumAlgorithm") else set())


def _algorithm(params: Params, state: MotoState) -> tuple[str, str] | None:
    """Algorithm and type of checksum that an upload began with."""
    begun = bucket(params, state).multiparts.get(params.get("UploadId"))
    name = begun and begun.metadata.get("x-amz-checksum-algorithm")
    if not name:
        return None
    default = "FULL_OBJECT" if name == "CRC64NVME" else "COMPOSITE"
    return str(name).lower(), begun.metadata.get("x-amz-checksum-type") or default


def content(params: Params, state: MotoState, what: str = "Put Object") -> None:
    """PutObject: with a checksum where a retention is set, by the request or the bucket."""
    here = bucket(params, state)
    if not (here.default_lock_mode or params.get("ObjectLockMode")):
        return
    if not (params.get("ContentMD5") or _checksums(params)):
        raise Refusal(
            "InvalidRequest",
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with Object Lock "
            "parameters",
        )


def part(params: Params, state: MotoState) -> None:
    """UploadPart: with the algorithm that the upload began with."""
    content(params, state, "Put Part")
    begun, stated = _algorithm(params, state), _checksums(params)
    if begun is not None and stated and stated != {begun[0]}:
        raise Refusal(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {begun[0]}, actual checksum Type: "
            f"{', '.join(sorted(stated))}",
        )


def versioning(params: Params, state: MotoState) -> None:
    """PutBucketVersioning: a bucket with Object Lock stays versioned."""
    here = bucket(params, state)
    if here.object_lock_enabled and params["VersioningConfiguration"].get("Status") == "Suspended":
        raise Refusal(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be "
            "changed.",
            409,
        )


def encryption(params: Params, state: MotoState) -> None:
    """PutBucketEncryption: a key that goes with the algorithm, and that is there."""
    bucket(params, state)
    for rule in params["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        key = default.get("KMSMasterKeyID")
        if key and default.get("SSEAlgorithm") == "AES256":
            raise Refusal(
                _INVALID,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
                "aws:kms:dsse",
            )
        # S3 itself would take it, and then refuse every object.
        if key and state.key(str(key)) is None:
            raise Refusal("KMS.NotFoundException", f"Key '{key}' does not exist")


def lock(params: Params, state: MotoState) -> None:
    """PutObjectLockConfiguration: on a versioned bucket, with days or years."""
    here = bucket(params, state)
    if not here.is_versioned:
        raise Refusal(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            409,
        )
    rule = (params.get("ObjectLockConfiguration") or {}).get("Rule") or {}
    retention = rule.get("DefaultRetention") or {}
    if rule and (bool(retention.get("Days")) == bool(retention.get("Years")) or not retention.get("Mode")):
        raise Refusal("MalformedXML", "A default retention has a mode, and days or years")


def lifecycle(params: Params, state: MotoState) -> None:
    """PutBucketLifecycleConfiguration."""
    bucket(params, state)
    rules = (params.get("LifecycleConfiguration") or {}).get("Rules") or []
    names = [rule.get("ID") for rule in rules if rule.get("ID")]
    if len(names) != len(set(names)):
        raise Refusal(_INVALID, "Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        if not any(rule.get(action) for action in _ACTIONS):
            raise Refusal("InvalidRequest", "At least one action needs to be specified in a rule")
        _days(rule)


_ACTIONS: Final = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)
_AFTER_A_MONTH: Final = ("STANDARD_IA", "ONEZONE_IA")


def _days(rule: Params) -> None:
    for member, days in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        last = 0
        for transition in rule.get(member) or []:
            after, kind = int(transition.get(days) or 0), transition["StorageClass"]
            if kind in _AFTER_A_MONTH and transition.get(days) is not None and after < 30:
                raise Refusal(
                    _INVALID,
                    f"'{days}' in {member[:-1]} action must be greater than or equal to 30 for storageClass "
                    f"'{kind}'",
                )
            last = max(last, after)
        expires = rule.get(member.replace("Transitions", "Expiration") if "Non" in member else "Expiration")
        until = int((expires or {}).get(days) or 0)
        if until and last >= until:
            raise Refusal(
                _INVALID,
                f"'{days}' in the Expiration action must be greater than '{days}' in the Transition action",
            )
    for member, days in (("Expiration", "Days"), ("NoncurrentVersionExpiration", "NoncurrentDays")):
        value = (rule.get(member) or {}).get(days)
        if value is not None and int(value) <= 0:
            raise Refusal(_INVALID, f"'{days}' for {member} action must be a positive integer")


def bucket_policy(params: Params, state: MotoState) -> None:
    """PutBucketPolicy: of this bucket, for principals that exist, and not public where that is blocked."""
    here = bucket(params, state)
    text = params["Policy"]
    text = text.decode() if isinstance(text, bytes) else str(text)
    if len(re.sub(r"\s", "", text)) > _SIZE:
        raise Refusal("PolicyTooLarge", f"Policy document is larger than the maximum of {_SIZE} bytes")
    try:
        statements: Any = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise Refusal("MalformedPolicy", "This policy contains invalid Json") from None
    block = here.public_access_block
    blocked = block is not None and str(block.block_public_policy).lower() == "true"
    for statement in statements if isinstance(statements, list) else [statements]:
        _statement(statement, str(params["Bucket"]), state)
        if blocked and _public(statement):
            raise Refusal(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented "
                "by the BlockPublicPolicy setting in S3 Block Public Access.",
                403,
            )


def _statement(statement: Params, name: str, state: MotoState) -> None:
    resources = statement.get("Resource") or statement.get("NotResource")
    if not resources:
        raise Refusal("MalformedPolicy", "Missing required field Resource")
    arn = f"arn:aws:s3:::{name}"
    for resource in _as_list(resources):
        if resource != "*" and resource != arn and not resource.startswith((f"{arn}/", f"{arn}*")):
            raise Refusal("MalformedPolicy", f"Policy has invalid resource: {resource}")
    for action in _as_list(statement.get("Action") or statement.get("NotAction")):
        if action != "*" and not action.lower().startswith("s3:"):
            raise Refusal("MalformedPolicy", f"Policy has invalid action: {action}")
    known = {role.arn for role in [*state.roles(), *state.iam.users.values()]}
    for principal in _principals(statement):
        parts = principal.split(":")
        extension_store = (
            len(parts) == 6 and parts[2] == "iam" and parts[4] == state.account and parts[5] != "root"
        )
        if extension_store and principal not in known:
            raise Refusal("MalformedPolicy", f"Invalid principal in policy: {principal}")


def _principals(statement: Params) -> list[str]:
    return [
        *policy_statements.principals(statement),
        *policy_statements.principals(statement, "NotPrincipal"),
    ]


_NARROW: Final = ("aws:PrincipalOrg", "aws:Source", "aws:Principal", "s3:DataAccessPoint", "aws:userid")
"""Condition keys that make a policy for everybody one for someone, by how they begin."""


def _public(statement: Params) -> bool:
    if statement.get("Effect") != "Allow" or "*" not in _principals(statement):
        return False
    keys = [key for keys in (statement.get("Condition") or {}).values() for key in keys]
    return not any(key.lower().startswith(tuple(prefix.lower() for prefix in _NARROW)) for key in keys)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


RULES: Final = {
    "CreateBucket": create_bucket,
    "PutBucketVersioning": versioning,
    "PutBucketEncryption": encryption,
    "PutObjectLockConfiguration": lock,
    "PutBucketLifecycleConfiguration": lifecycle,
    "PutBucketPolicy": bucket_policy,
    "CompleteMultipartUpload": upload,
    "PutObject": content,
    "UploadPart": part,
}


# Operations


def _put_settings(call: Call, backend: Any) -> dict[str, Any] | None:
    bucket = backend.buckets.get(call.params.get("Bucket"))
    return None if bucket is None else vars(bucket).setdefault("twin_put", {})


def _put(kind: str) -> Callable[[Call, Any], Answer | None]:
    def put(call: Call, backend: Any) -> Answer | None:
        settings = _put_settings(call, backend)
        if settings is not None:
            settings[kind] = (call.body, call.environ.get(f"HTTP_{_SMALLEST}"))
        return None  # moto takes it too

    return put


def _get(kind: str) -> Callable[[Call, Any], Answer | None]:
    def get(call: Call, backend: Any) -> Answer | None:
        setting = (_put_settings(call, backend) or {}).get(kind)
        if setting is None:
            return None
        body, smallest = setting
        headers = [("Content-Type", "application/xml")]
        if kind == "lifecycle":
            headers.append((_SMALLEST.lower().replace("_", "-"), smallest or "all_storage_classes_128K"))
        return Answer(200, headers, body)

    return get


_SMALLEST: Final = "X_AMZ_TRANSITION_DEFAULT_MINIMUM_OBJECT_SIZE"


def drop_lifecycle(call: Call, backend: Any) -> Answer | None:
    """DeleteBucketLifecycle."""
    (_put_settings(call, backend) or {}).pop("lifecycle", None)
    return None


def put_lock(call: Call, backend: Any) -> Answer:
    """PutObjectLockConfiguration: on a bucket that has objects too, which moto refuses."""
    here = backend.buckets[call.params["Bucket"]]
    retention = ((call.params.get("ObjectLockConfiguration") or {}).get("Rule") or {}).get(
        "DefaultRetention"
    ) or {}
    here.object_lock_enabled = True
    here.default_lock_mode = retention.get("Mode")
    here.default_lock_days = int(retention.get("Days") or 0)
    here.default_lock_years = int(retention.get("Years") or 0)
    return Answer(200, [], b"")


def list_buckets(call: Call, backend: Any) -> Answer | None:
    """ListBuckets, without those that S3 Tables has for its tables: no account sees them."""
    if not any(files.is_table(name) for name in backend.buckets):
        return None
    params = call.params
    if params.get("MaxBuckets") or params.get("BucketRegion"):
        raise NotImplementedError("pages or regions of buckets, where there are tables of S3 Tables")
    seen = [
        {"Name": name, "CreationDate": bucket.creation_date, "BucketRegion": bucket.region_name}
        for name, bucket in sorted(backend.buckets.items())
        if name.startswith(params.get("Prefix") or "") and not files.is_table(name)
    ]
    return extension_store.respond(call, {"Buckets": seen, "Owner": {"ID": backend.account_id}})


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "PutBucketLifecycleConfiguration": _put("lifecycle"),
    "GetBucketLifecycleConfiguration": _get("lifecycle"),
    "DeleteBucketLifecycle": drop_lifecycle,
    "PutBucketNotificationConfiguration": _put("notification"),
    "GetBucketNotificationConfiguration": _get("notification"),
    "PutObjectLockConfiguration": put_lock,
    "ListBuckets": list_buckets,
}
