"""Where the tests of GPUs run."""

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.gpu_checks.args import GpuChecksArgs, GpuChecksSettings
from aiplatform.gpu_checks.outputs import GpuChecksOutputs

__all__ = ["GpuChecks", "GpuChecksArgs", "GpuChecksOutputs"]


class GpuChecks(ComponentResource):
    """The namespace of the tests that `aiplatform gpu check` runs, with network policies and limits, and a
    LocalQueue for each pool. It needs the cluster's Kubernetes provider in `opts.providers`, and depends, by
    `opts.depends_on`, on the queues."""

    namespace: KnownOutput[str]
    """The namespace."""
    queues: KnownOutput[list[str]]
    """The names of the LocalQueues: those of the pools."""

    def __init__(self, name: str, args: GpuChecksArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(GpuChecksSettings, args, "GpuChecksArgs")
        # Imported late: arguments are checked without the SDK, which takes a second to load.
        from aiplatform.gpu_checks.build import build

        super().__init__("aiplatform:index:GpuChecks", name, {}, opts)
        build(self, name, settings, opts)
        self.outputs: GpuChecksOutputs = {
            "namespace": settings.namespace,
            "queues": list(settings.queues),
        }
        publish(self, self.outputs)
