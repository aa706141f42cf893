"""Monitoring of served models: what they are asked and answer, compared with what they were trained with."""

from typing import cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.model_monitor.args import (
    LOGS,
    REPORTS,
    ModelMonitorArgs,
    ModelMonitorLabelsArgs,
    ModelMonitorSettings,
    ModelMonitorTeamArgs,
    MonitoredColumnArgs,
    MonitoredModelArgs,
    MonitorThresholdsArgs,
    PushgatewayReferenceArgs,
)
from aiplatform.model_monitor.outputs import ModelMonitorOutputs

__all__ = [
    "ClusterReferenceArgs",
    "ModelMonitor",
    "ModelMonitorArgs",
    "ModelMonitorLabelsArgs",
    "ModelMonitorOutputs",
    "ModelMonitorTeamArgs",
    "MonitorThresholdsArgs",
    "MonitoredColumnArgs",
    "MonitoredModelArgs",
    "PushgatewayReferenceArgs",
    "WorkloadIdentityReferenceArgs",
]


class ModelMonitor(ComponentResource):
    """Model monitoring: a bucket of requests and reports, and for each monitored model of a team the CronJobs
    that compact requests into a table, and compare a window of them with the training data. Drift is a metric
    of Prometheus, a report, a row of a table, and a message that starts a training.

    Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`. The component Teams
    and the add-on prometheus-pushgateway exist: they go into `opts.depends_on`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    bucket: Output[str]
    """The bucket of requests and reports, for `request_logs` of Serving."""
    kms_key: Output[str]
    """The key that encrypts it, for `request_logs` of Serving; empty where the cloud's own keys do."""
    logs_uri: Output[str]
    """Where requests are stored, `s3://.../logs` or `gs://.../logs`; each namespace has a folder."""
    reports_uri: Output[str]
    """Where reports are stored; each team has a folder, with one for each model."""
    cron_jobs: KnownOutput[dict[str, list[str]]]
    """Team -> the CronJobs in its namespace."""

    def __init__(self, name: str, args: ModelMonitorArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ModelMonitorArgs", args, opts)
        settings = read(ModelMonitorSettings, args, "ModelMonitorArgs")
        super().__init__("aiplatform:index:ModelMonitor", name, {}, opts)
        # Imported late: arguments are checked without the SDKs, which take a second to load.
        from aiplatform.model_monitor.build import build
        from aiplatform.model_monitor.namespaces import COMMANDS, cron_job, uri

        store = build(self, name, settings, opts)
        outputs = {
            "cloud": settings.cloud,
            "bucket": store.bucket,
            "kms_key": store.kms_key,
            "logs_uri": uri(settings, store.bucket, LOGS),
            "reports_uri": uri(settings, store.bucket, REPORTS),
            "cron_jobs": {
                team: [cron_job(command, model) for model in declared.monitors for command in COMMANDS]
                for team, declared in settings.teams.items()
            },
        }
        self.outputs = cast("ModelMonitorOutputs", outputs)
        publish(self, self.outputs)
