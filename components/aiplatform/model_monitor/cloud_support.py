"""What the arguments of model monitoring become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a bucket of S3, permissions of roles of teams, and CronJobs",
        gcp="a bucket of Cloud Storage, roles of identities of teams, and CronJobs",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(aws="region of the bucket", gcp="project and region of the bucket"),
    "teams": CloudSupport(
        aws="permissions of the team's role on its folders and its queue",
        gcp="managed folders with roles of the team's identity, and roles/pubsub.publisher on its topic",
    ),
    "bucket": CloudSupport(aws="a bucket of S3 that exists", gcp="a bucket of Cloud Storage that exists"),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "access_log_bucket": CloudSupport(
        aws="a bucket of S3 that exists", gcp="a bucket of Cloud Storage that exists"
    ),
    "log_days": CloudSupport(aws="a lifecycle rule of logs/", gcp="a lifecycle rule of logs/"),
    "report_days": CloudSupport(aws="a lifecycle rule of reports/", gcp="a lifecycle rule of reports/"),
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
