"""What the arguments of pipelines become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Argo Workflows on the system nodes of EKS", gcp="Argo Workflows on the system nodes of GKE"
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(
        aws="region of the bucket, access entries of submitters", gcp="project and region of the bucket"
    ),
    "teams": CloudSupport(
        aws="policy of the role of each team, for objects below the prefix of its namespace",
        gcp="managed folder for each namespace, on which the team's identity has objectUser",
    ),
    "expire_days": CloudSupport(aws="lifecycle rule", gcp="lifecycle rule"),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "access_log_bucket": CloudSupport(
        aws="a bucket of S3 that exists", gcp="a bucket of Cloud Storage that exists"
    ),
    "access_log_days": CloudSupport(
        aws="S3 access logs in a dedicated bucket", gcp="usage logs in a dedicated bucket"
    ),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "retain_data": CloudSupport(aws="bucket and key stay", gcp="bucket and key stay"),
    "force_destroy": CloudSupport(aws="buckets are emptied", gcp="buckets are emptied"),
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
