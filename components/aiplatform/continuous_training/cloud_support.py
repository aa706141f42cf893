"""What the arguments of continuous training become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="SQS queues, EventBridge rules, and KEDA's ScaledJobs",
        gcp="topics and subscriptions of Pub/Sub, and KEDA's ScaledJobs",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(aws="region of the queues", gcp="project and region of the topics"),
    "teams": CloudSupport(
        aws="two queues for each team, and permissions of its role",
        gcp="two topics with a subscription for each team, and roles of its identity",
    ),
    "promoter": CloudSupport(
        aws="sqs:SendMessage on the queues of teams", gcp="roles/pubsub.publisher on the topics of teams"
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
