"""What the arguments of a function become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

_PROVIDER: Final = "the provider's credentials determine it; leave it out"

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a function of Lambda on arm64 with an alias, its role and its log group",
        gcp="a service of Cloud Run with its service account and its log bucket",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "name": CloudSupport(aws="part of every name", gcp="part of every name"),
    "owner": CloudSupport(aws="the tag `owner`", gcp="the label `owner`"),
    "cloud": CloudSupport(aws="the default", gcp="required: `gcp`"),
    "project": CloudSupport(aws=refused(_PROVIDER), gcp="the project of all resources"),
    "region": CloudSupport(aws=refused(_PROVIDER), gcp="the region of all resources"),
    "image": CloudSupport(
        aws="an image in ECR of this region, built for arm64, with Lambda's runtime interface client",
        gcp="an image that serves HTTP on port 8080, as functions-framework does",
    ),
    "package": CloudSupport(
        aws="a zip archive",
        gcp=refused(
            "Cloud Run runs images, and a build of a package would resolve dependencies again: state `image`"
        ),
    ),
    "architecture": CloudSupport(
        aws="the processor", gcp=refused("Cloud Run runs x86_64 alone; leave it out")
    ),
    "memory_mib": CloudSupport(
        aws="memory, 128 to 10240; Lambda assigns CPU by it",
        gcp="memory, 512 to 32768, and one CPU for each 4096",
    ),
    "timeout_seconds": CloudSupport(
        aws="at most 900", gcp="at most 3600, with `event` 600: the deadline of Pub/Sub"
    ),
    "max_instances": CloudSupport(aws="reserved concurrency", gcp="the most instances of the service"),
    "concurrency": CloudSupport(
        aws=refused("an instance of Lambda has one request at a time; leave it out"),
        gcp="requests of an instance at a time",
    ),
    "environment": CloudSupport(aws="environment variables", gcp="environment variables"),
    "lakehouse": CloudSupport(aws="the buckets of zones", gcp="the buckets of zones"),
    "event": CloudSupport(
        aws="a rule of EventBridge, which invokes the alias, retries, and a queue of SQS for dead letters; "
        "the bucket sends its events to EventBridge",
        gcp="a notification of the bucket, a topic of Pub/Sub, a subscription that pushes to the service "
        "with a separate account, and a topic with a subscription for dead letters",
    ),
    "event.suffix": CloudSupport(
        aws="a pattern of the rule",
        gcp=refused(
            "notifications of Cloud Storage have prefixes alone; leave it out, and compare in the code"
        ),
    ),
    "http": CloudSupport(
        aws="a URL of the alias with AWS_IAM, and permissions of the callers",
        gcp="the URL of the service, and roles/run.invoker of the callers",
    ),
    "http.from_internet": CloudSupport(
        aws=refused(
            "function URLs have no other access than from the internet, with a signature; leave it out"
        ),
        gcp="traffic from the internet; without it only from networks and services of the project",
    ),
    "traffic": CloudSupport(
        aws="the alias' version and the weight of a second one", gcp="percent of revisions"
    ),
    "role": CloudSupport(aws="a role that exists", gcp="a service account that exists"),
    "reads": CloudSupport(
        aws="statements of the role's policy", gcp="roles on the bucket with a condition on the prefix"
    ),
    "writes": CloudSupport(
        aws="statements of the role's policy", gcp="roles on the bucket with a condition on the prefix"
    ),
    "network": CloudSupport(
        aws="network interfaces in the private subnets, with a security group",
        gcp="direct VPC egress to private ranges, from the private subnet",
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "profile": CloudSupport(
        aws="`dev`: keys of AWS encrypt what the function has",
        gcp="`dev`: keys of Google encrypt what it has",
    ),
    "log_days": CloudSupport(aws="retention of the log group", gcp="retention of the log bucket"),
    "log_bucket": CloudSupport(
        aws=refused("CloudWatch Logs has a log group for each function and state machine; leave it out"),
        gcp="a log bucket that exists, in place of one with a sink and an exclusion",
    ),
    "tracing": CloudSupport(
        aws="active tracing of X-Ray",
        gcp="roles/cloudtrace.agent for spans of the code; Cloud Run traces requests by itself",
    ),
    "alarm_targets": CloudSupport(
        aws="topics of SNS that alarms of CloudWatch notify",
        gcp="notification channels of alert policies",
    ),
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
