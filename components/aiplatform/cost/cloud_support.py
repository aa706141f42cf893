"""What the arguments of cost control become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="AWS Budgets, a topic of SNS, and Cost Anomaly Detection",
        gcp="budgets of Cloud Billing, a topic of Pub/Sub, and notification channels",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(
        aws="region of the topic", gcp="project of the budgets, project and region of the topic"
    ),
    "currency": CloudSupport(aws="the unit of budgets, USD", gcp="that of the billing account"),
    "billing_account": CloudSupport(
        aws=refused("the budgets of an account belong to it; leave it out"),
        gcp="the billing account that has the budgets",
    ),
    "budget": CloudSupport(
        aws="a budget of the account, with a notification for each threshold",
        gcp="a budget of the project, with a rule for each threshold",
    ),
    "team_budgets": CloudSupport(
        aws="budgets with a filter of a cost allocation tag",
        gcp="budgets with a filter of a label",
    ),
    "anomalies": CloudSupport(
        aws="a monitor of Cost Anomaly Detection and a subscription",
        gcp=refused(
            "Cloud Billing detects anomalies of every project by itself, and no API configures who is "
            "notified: set it in the console, Billing, Anomalies; leave it out"
        ),
    ),
    "hold": CloudSupport(
        aws="a topic of SNS and a queue of SQS for one threshold, a role, and a CronJob",
        gcp="a subscription of the topic, a service account, and a CronJob",
    ),
    "schedule": CloudSupport(
        aws="a CronJob, and the autoscaler removes nodes", gcp="a CronJob, and GKE removes nodes"
    ),
    "reaper": CloudSupport(
        aws="a CronJob, and the autoscaler removes nodes", gcp="a CronJob, and GKE removes nodes"
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}
