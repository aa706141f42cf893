"""What the arguments of a workflow become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

_OTHER: Final = "its form on the other cloud; leave it out"

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a standard state machine of Step Functions, a queue of SQS, a role, alarms",
        gcp="a workflow of Workflows, a topic of Pub/Sub with a subscription, a service account, alert "
        "policies",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "name": CloudSupport(aws="last part of every name", gcp="last part of every name"),
    "owner": CloudSupport(aws="the tag `owner`", gcp="the label `owner`"),
    "cloud": CloudSupport(aws="AWS", gcp="Google Cloud"),
    "project": CloudSupport(
        aws=refused("the provider decides the account; leave it out"), gcp="the project of every resource"
    ),
    "region": CloudSupport(
        aws=refused("the provider decides the region; leave it out"), gcp="the region of every resource"
    ),
    "definition": CloudSupport(
        aws="the definition in the Amazon States Language",
        gcp="the source of the workflow, in Workflows syntax",
    ),
    "functions.arn": CloudSupport(
        aws="the right to invoke this function", gcp=refused(f"{_OTHER}, and state url and service")
    ),
    "functions.url": CloudSupport(
        aws=refused(f"{_OTHER}, and state arn"), gcp="an environment variable of the workflow"
    ),
    "functions.service": CloudSupport(
        aws=refused(f"{_OTHER}, and state arn"), gcp="`roles/run.invoker` on the service of Cloud Run"
    ),
    "jobs.glue_job": CloudSupport(
        aws="the rights to run this job of Glue, to read its state and to stop it",
        gcp=refused(f"{_OTHER}, and state cloud_run_job"),
    ),
    "jobs.cloud_run_job": CloudSupport(
        aws=refused(f"{_OTHER}, and state glue_job"),
        gcp="`roles/run.jobsExecutor` on the job of Cloud Run, and a role that reads operations",
    ),
    "require_error_handling": CloudSupport(
        aws="Retry, TimeoutSeconds, and Catch with States.ALL of every Task",
        gcp="try with retry and except, and a timeout, around every call",
    ),
    "schedule": CloudSupport(
        aws="a schedule of EventBridge Scheduler, and its role",
        gcp="a job of Cloud Scheduler, and its service account",
    ),
    "alarm_targets": CloudSupport(
        aws="actions of alarms: arns of topics of SNS", gcp="notification channels of alert policies"
    ),
    "log_level": CloudSupport(
        aws="level of the log, with the data of executions at `all`", gcp="the level of logs of calls"
    ),
    "log_days": CloudSupport(aws="retention of the log group", gcp="retention of a log bucket"),
    "log_bucket": CloudSupport(
        aws=refused("CloudWatch Logs has a log group for each function and state machine; leave it out"),
        gcp="a log bucket that exists, in place of one with a sink and an exclusion",
    ),
    "tracing": CloudSupport(aws="traces in X-Ray", gcp="the detailed history of executions"),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
