"""The frameworks that runtimes are made for, as data: another one that Trainer supports is an entry.

API: trainer.kubeflow.org/v1alpha1 of Trainer 2.3 (its `MLPolicySource`). It sets the variables of the
processes: PET_* for PyTorch, JAX_* for JAX, in TrainJobs that have `spec.trainer`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiplatform.accelerators import TPU
from aiplatform.training.pools import TrainingPool

FrameworkName = Literal["torch", "jax"]


@dataclass(frozen=True)
class Framework:
    """A framework.

    accelerators: the resources of the pools that it runs on; empty: nodes without accelerators. policy: its
    key in the policy of a runtime. environment: variables of its containers.
    """

    title: str
    accelerators: frozenset[str]
    policy: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def runs_on(self, pool: TrainingPool) -> bool:
        """Return whether it uses the accelerators of a pool."""
        return pool.resource in self.accelerators


FRAMEWORKS: Final[Mapping[FrameworkName, Framework]] = {
    # DDP and FSDP. Trainer starts one process for each GPU, or for each CPU that a container requests.
    "torch": Framework("PyTorch", frozenset({"nvidia.com/gpu", ""}), {"torch": {}}),
    # One process for each node. Both variables are those of Trainer's guide to JAX on TPUs.
    "jax": Framework(
        "JAX",
        frozenset({TPU}),
        {"jax": {}},
        {"JAX_PLATFORMS": "tpu,cpu", "ENABLE_PJRT_COMPATIBILITY": "true"},
    ),
}


def framework_of(pool: TrainingPool) -> FrameworkName | None:
    """Return the framework of a pool; None where none uses its accelerators."""
    return next((name for name, framework in FRAMEWORKS.items() if framework.runs_on(pool)), None)


def image_of(framework: FrameworkName, pool: TrainingPool) -> str:
    """Return the name in images.toml of the image for a pool.

    The image of AWS has libfabric and NCCL's plugin for EFA. The plugin of GPUDirect-TCPX has NCCL 2.19, in
    whose place an image built for a later NCCL cannot be loaded.
    """
    if framework == "jax":
        return "training-jax-tpu"
    fabric = pool.pod_requirements.fabric if pool.pod_requirements is not None else ""
    return {"efa": "training-torch-efa", "tcpx": "training-torch-tcpx"}.get(fabric, "training-torch")
