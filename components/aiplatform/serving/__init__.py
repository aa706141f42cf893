"""Serving of models by KServe."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.model_store import ModelStoreReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.serving.args import (
    SERVICE_ACCOUNT,
    TEMPLATES,
    RequestLogStoreArgs,
    RolloutsArgs,
    ServedAdapterArgs,
    ServedModelArgs,
    ServedRequestLogArgs,
    ServingArgs,
    ServingRuntimeArgs,
    ServingSettings,
    ServingTeamArgs,
)
from aiplatform.serving.outputs import ServingOutputs
from aiplatform.serving.pools import ServingGpuPoolReferenceArgs, ServingNodePoolReferenceArgs

__all__ = [
    "ClusterReferenceArgs",
    "ModelStoreReferenceArgs",
    "RequestLogStoreArgs",
    "RolloutsArgs",
    "ServedAdapterArgs",
    "ServedModelArgs",
    "ServedRequestLogArgs",
    "Serving",
    "ServingArgs",
    "ServingGpuPoolReferenceArgs",
    "ServingNodePoolReferenceArgs",
    "ServingOutputs",
    "ServingRuntimeArgs",
    "ServingTeamArgs",
    "TaintArgs",
]


class Serving(ComponentResource):
    """Serving: a ClusterServingRuntime for each pool, and for each team an identity that reads its releases,
    and templates of InferenceServices. The InferenceServices themselves, which change with each promotion,
    are created from the templates by who promotes.

    It needs the cloud's and the cluster's Kubernetes provider in `opts.providers`, and in `opts.depends_on`
    the teams and KServe: the add-ons kserve, kserve-crd and cert-manager of the component Addons, or what
    else installs it. The teams depend on KServe, too: InferenceServices end with their namespaces, while
    KServe removes their finalizers."""

    runtimes: KnownOutput[list[str]]
    """The names of the runtimes, for `spec.predictor.model.runtime` of InferenceServices."""
    pools: KnownOutput[dict[str, str]]
    """Runtime -> its pool."""
    service_account: KnownOutput[str]
    """The service account of predictors, in the namespace of each team."""
    templates: KnownOutput[str]
    """The ConfigMap in the namespace of each team whose keys are services and whose values are templates of
    their InferenceServices, with `${NAME}` and `${VERSION}`."""
    services: KnownOutput[dict[str, list[str]]]
    """Team -> its services."""
    principals: Output[dict[str, str]]
    """Team -> the principal of its predictors: a role's arn, or `principal://...`."""

    def __init__(self, name: str, args: ServingArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ServingArgs", args, opts)
        settings = read(ServingSettings, args, "ServingArgs")
        super().__init__("aiplatform:index:Serving", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.serving.build import build

        principals = build(self, name, settings, opts)
        self.outputs: ServingOutputs = {
            "runtimes": list(settings.all_runtimes),
            "pools": {key: runtime.pool for key, runtime in settings.all_runtimes.items()},
            "service_account": SERVICE_ACCOUNT,
            "templates": TEMPLATES,
            "services": {team: list(declared.services) for team, declared in settings.teams.items()},
            "principals": Output.all(**principals),
        }
        publish(self, self.outputs)
