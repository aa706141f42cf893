"""Training by Kubeflow Trainer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.accelerators.fabric import PodRequirementsArgs, PodSidecarArgs
from aiplatform.training.args import (
    RAY,
    InitializersArgs,
    TrainingArgs,
    TrainingRuntimeArgs,
    TrainingSettings,
)
from aiplatform.training.outputs import TrainingOutputs
from aiplatform.training.pools import TrainingGpuPoolReferenceArgs, TrainingNodePoolReferenceArgs

if TYPE_CHECKING:
    from aiplatform.addons.install import Installed

__all__ = [
    "ClusterReferenceArgs",
    "InitializersArgs",
    "PodRequirementsArgs",
    "PodSidecarArgs",
    "TaintArgs",
    "Training",
    "TrainingArgs",
    "TrainingGpuPoolReferenceArgs",
    "TrainingNodePoolReferenceArgs",
    "TrainingOutputs",
    "TrainingRuntimeArgs",
]


class Training(ComponentResource):
    """Training: Kubeflow Trainer, and a ClusterTrainingRuntime for each pool. It needs the cluster's
    Kubernetes provider in `opts.providers`, and the add-on jobset in `opts.depends_on`."""

    versions: KnownOutput[dict[str, str]]
    """Add-on -> the version of its chart."""
    runtimes: KnownOutput[list[str]]
    """The names of the runtimes, for `spec.runtimeRef` of TrainJobs."""
    pools: KnownOutput[dict[str, str]]
    """Runtime -> its pool."""
    ray: KnownOutput[bool]
    """Whether KubeRay's operator is installed."""

    def __init__(self, name: str, args: TrainingArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(TrainingSettings, args, "TrainingArgs")
        super().__init__("aiplatform:index:Training", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.training.build import build

        self.installed: Mapping[str, Installed] = build(self, name, settings, opts)
        """Add-on -> what custom resources of a Python program depend on: its `resources`."""
        self.outputs: TrainingOutputs = {
            "versions": {addon.name: addon.version for addon in settings.installed},
            "runtimes": list(settings.all_runtimes),
            "pools": {key: runtime.pool for key, runtime in settings.all_runtimes.items()},
            "ray": RAY in self.installed,
        }
        publish(self, self.outputs)
