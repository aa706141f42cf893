"""Arguments of the checks of GPUs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

from aiplatform._shared.args import Problem, distinct, length
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import DNS_LABEL
from aiplatform.gpu_checks.cloud_support import SUPPORT
from aiplatform.gpu_checks.inputs import GpuChecksArgs as GpuChecksArgs
from aiplatform.naming import dns_label

NAMESPACE: Final = "gpu-check"
"""The namespace of the tests, by default."""


def _pools(value: Mapping[str, Any]) -> str | None:
    wrong = [name for name in value if dns_label(name)]
    return f"with {', '.join(map(repr, wrong))}; expected names of pools, DNS labels" if wrong else None


@dataclass(frozen=True)
class GpuChecksSettings(CloudNeutral):
    """The namespace in which `aiplatform gpu check` runs its tests, with the queues by which they wait for
    GPUs that no other workload uses. No team is a member of it."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    queues: Annotated[Mapping[str, Annotated[str, DNS_LABEL]], length(1, 64, "pools"), _pools]
    """Pool -> the ClusterQueue that admits its tests (component Queues), which must admit workloads of the
    namespace. The pool's name is that of the LocalQueue."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    namespace: Annotated[str, dns_label] = NAMESPACE
    """The namespace. Default `gpu-check`."""
    fabric: Annotated[list[Annotated[str, dns_label]], distinct] = field(default_factory=list[str])
    """Google Cloud: the pools whose network between accelerators (GPUDirect) is measured. The namespace then
    has the Pod Security level `privileged`, and the entry of the namespace in `fabric_namespaces` (component
    Guardrails) has to list what its Pods may use; an environment derives it. Default: none."""

    def check(self) -> Iterator[Problem]:
        """Report a pool of `fabric` without a queue."""
        for index, pool in enumerate(self.fabric):
            if pool not in self.queues:
                yield Problem(f"fabric[{index}]", f"got {pool!r}; expected a pool of `queues`")
