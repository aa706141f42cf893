"""Pipelines by Argo Workflows."""

from typing import TYPE_CHECKING, cast

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.identity import WorkloadIdentityReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.pipelines.args import (
    JOBS,
    PipelinesArgs,
    PipelineScheduleArgs,
    PipelinesSettings,
    PipelineTeamArgs,
)
from aiplatform.pipelines.outputs import PipelinesOutputs

if TYPE_CHECKING:
    from aiplatform.addons.install import Installed

__all__ = [
    "ClusterReferenceArgs",
    "PipelineScheduleArgs",
    "PipelineTeamArgs",
    "Pipelines",
    "PipelinesArgs",
    "PipelinesOutputs",
    "WorkloadIdentityReferenceArgs",
]


class Pipelines(ComponentResource):
    """Pipelines: Argo Workflows, and for each team an identity of its steps, a prefix for artifacts and logs,
    and principals that submit.

    Takes the cloud's and the Kubernetes provider of the cluster through `opts.providers`. The namespaces and
    service accounts of the teams exist: the component Teams goes into `opts.depends_on`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    versions: KnownOutput[dict[str, str]]
    """Add-on -> the version of its chart."""
    artifacts_bucket: Output[str]
    """The bucket of artifacts and logs. Each namespace has a prefix, `NAMESPACE/`."""
    artifacts_uri: Output[str]
    """Its URI, `s3://...` or `gs://...`."""
    kms_key: Output[str]
    """The key that encrypts it: an arn, or `projects/.../cryptoKeys/...`."""
    log_bucket: Output[str]
    """The bucket of its access logs."""
    job_service_account: KnownOutput[str]
    """The service account, in the namespace of each team, of steps that create TrainJobs."""

    def __init__(self, name: str, args: PipelinesArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("PipelinesArgs", args, opts)
        settings = read(PipelinesSettings, args, "PipelinesArgs")
        super().__init__("aiplatform:index:Pipelines", name, {}, opts)
        # Imported late: arguments are checked without the SDKs, which take a second to load.
        from aiplatform.pipelines.build import build

        installed, artifacts = build(self, name, settings, opts)
        self.installed: Installed = installed
        """What custom resources of a Python program depend on: its `resources`."""
        scheme = "gs" if settings.cloud == "gcp" else "s3"
        outputs = {
            "cloud": settings.cloud,
            "versions": {settings.addon.name: settings.addon.version},
            "artifacts_bucket": artifacts.bucket,
            "artifacts_uri": Output.concat(scheme, "://", artifacts.bucket),
            "kms_key": artifacts.kms_key,
            "log_bucket": artifacts.log_bucket,
            "job_service_account": JOBS,
        }
        self.outputs = cast("PipelinesOutputs", outputs)
        publish(self, self.outputs)
