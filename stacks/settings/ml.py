"""The topics `container_registry`, `model_registry` and `model_store`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from aiplatform.container_registry.args import ContainerRegistryArgs
from aiplatform.model_registry.accounts import NAME
from aiplatform.model_registry.args import ModelRegistryArgs
from aiplatform.model_store.args import ModelStoreArgs
from stacks.settings.generated import topic_of


class ContainerRegistry(topic_of(ContainerRegistryArgs, without=("project", "node_roles"))):
    """Repositories of container images, and caches of other registries. Its principals are names of
    workload identities of the file, or principals of the cloud."""


class ModelRegistry(topic_of(ModelRegistryArgs)):
    """MLflow on the cluster of the environment, with its database and bucket. Its principals are names of
    workload identities of the file, or principals of the cloud."""


class ModelStore(topic_of(ModelStoreArgs, without=("profile", "workflows"))):
    """The buckets of checkpoints and releases, and the identities that promote and import models. Models are
    promoted from the model registry of the environment, unless `registry` states another MLflow."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    account: Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$", max_length=30)] = "release"
    """The account of the environment's model registry that promotions use. It promotes."""
