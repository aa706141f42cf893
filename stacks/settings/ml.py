"""The topics `container_registry` and `model_registry`."""

from __future__ import annotations

from aiplatform.container_registry.args import ContainerRegistryArgs
from aiplatform.model_registry.args import ModelRegistryArgs
from stacks.settings.generated import topic_of


class ContainerRegistry(topic_of(ContainerRegistryArgs, without=("project", "node_roles"))):
    """Repositories of container images, and caches of other registries. Its principals are names of
    workload identities of the file, or principals of the cloud."""


class ModelRegistry(topic_of(ModelRegistryArgs)):
    """MLflow on the cluster of the environment, with its database and bucket. Its principals are names of
    workload identities of the file, or principals of the cloud."""
