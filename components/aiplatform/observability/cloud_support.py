"""Observability on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="the chart kube-prometheus-stack on the system nodes of EKS",
        gcp="the chart kube-prometheus-stack on the system nodes of GKE, in place of its managed collection",
    ),
    "secrets_role_arn": CloudSupport(
        aws="trusted by the role of the SecretStore",
        gcp=refused("External Secrets reads as a service account of the namespace; leave it out"),
    ),
    "cluster_autoscaler": CloudSupport(
        aws="a PodMonitor of the component ClusterAutoscaler",
        gcp=refused("GKE runs its own autoscaler, which exports no metrics; leave it out"),
    ),
    "long_term_storage": CloudSupport(
        aws="remote write with SigV4 to a workspace of Amazon Managed Service for Prometheus",
        gcp="Google's distribution of Prometheus, which writes to Managed Service for Prometheus",
    ),
    "long_term_storage.workspace_id": CloudSupport(
        aws="a workspace that exists",
        gcp=refused("metrics are stored in the cluster's project; leave it out"),
    ),
    "long_term_storage.retention_days": CloudSupport(
        aws="the retention of the workspace",
        gcp=refused("Google Cloud keeps metrics for 24 months; leave it out"),
    ),
    "long_term_storage.kms_key_arn": CloudSupport(
        aws="the key of the workspace",
        gcp=refused("Google Cloud encrypts metrics with its own keys; leave it out"),
    ),
    "long_term_storage.data_source": CloudSupport(
        aws="a data source of Grafana, which signs by the role of its Pods",
        gcp=refused("Grafana's data source has no credentials of Pods there; query in Cloud Monitoring"),
    ),
    "long_term_storage.alarm": CloudSupport(
        aws="a CloudWatch alarm on the rate of ingestion of the workspace",
        gcp="an alert policy of Cloud Monitoring on the absence of Prometheus' own series",
    ),
    "logs": CloudSupport(
        aws="Fluent Bit, and a log group of CloudWatch Logs with a separate key",
        gcp="Fluent Bit, and a log bucket of Cloud Logging with a separate key",
    ),
    "logs.kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "logs.kms_key_grants": key_grants.SUPPORT,
    "logs.retention_days": CloudSupport(
        aws="the log group's; days that CloudWatch Logs knows", gcp="the log bucket's; 1 to 3650 days"
    ),
    "traces": CloudSupport(
        aws="an OpenTelemetry collector, which writes to X-Ray",
        gcp="an OpenTelemetry collector, which writes to Cloud Trace",
    ),
    "opencost": CloudSupport(
        aws="OpenCost in the cluster, without access to AWS",
        gcp="OpenCost in the cluster, without an API key",
    ),
    "notifications.secret_keys": CloudSupport(
        aws="kms:Decrypt through Secrets Manager",
        gcp=refused("Secret Manager decrypts by its service agent; leave it out"),
    ),
    "tags": CloudSupport(
        aws="tags of the workspace, of roles and of the alarm",
        gcp=refused("none of the resources has labels; leave it out"),
    ),
}
"""What each argument becomes."""
