"""The fourth layer: the container registry, the model registry, the model store, the log bucket, and
workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi import Output

from stacks import data_arguments as arguments
from stacks import log_bucket_arguments, workflow_arguments
from stacks.foundation import Foundation, LayerOptions
from stacks.settings import Settings

if TYPE_CHECKING:
    from aiplatform.log_bucket import LogBucket


@dataclass(frozen=True)
class Models:
    """What other layers need: serialisable values only."""

    container_registry: dict[str, Any] | None = None
    """ContainerRegistry.outputs, or None where the environment has none."""
    model_registry: dict[str, Any] | None = None
    """ModelRegistry.outputs, or None where the environment has none."""
    model_store: dict[str, Any] | None = None
    """ModelStore.outputs, or None where the environment has none."""
    workflows: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Workflow.outputs by name."""
    log_bucket: dict[str, Any] | None = None
    """LogBucket.outputs, or None where each function and workflow has a log bucket."""

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        # An environment without them keeps the output that it has.
        workflows = {"workflows": self.workflows} if self.workflows else {}
        logs = {"log_bucket": self.log_bucket} if self.log_bucket is not None else {}
        return Output.from_input(
            {
                **workflows,
                **logs,
                "container_registry": self.container_registry,
                "model_registry": self.model_registry,
                "model_store": self.model_store,
            }
        )


def build(settings: Settings, below: Foundation, options: LayerOptions) -> Models:
    """Register the layer."""
    images = models = store = None
    # Imported late: an environment without them does not wait for it.
    if settings.container_registry is not None:
        from aiplatform.container_registry import ContainerRegistry

        args = arguments.container_registry(settings, below)
        images = ContainerRegistry("container-registry", args, options.cloud)
    if settings.model_registry is not None:
        from aiplatform.model_registry import ModelRegistry

        models = ModelRegistry("model-registry", arguments.model_registry(settings, below), options.cluster)
    if settings.model_store is not None:
        from aiplatform.model_store import ModelStore

        registry = dict(models.outputs) if models else None
        store = ModelStore("model-store", arguments.model_store(settings, below, registry), options.cluster)
    shared = None
    if settings.log_bucket is not None:
        from aiplatform.log_bucket import LogBucket

        shared = LogBucket("log-bucket", log_bucket_arguments.log_bucket(settings), options.cloud)
    return Models(
        container_registry=dict(images.outputs) if images else None,
        model_registry=dict(models.outputs) if models else None,
        model_store=dict(store.outputs) if store else None,
        workflows=_workflows(settings, shared, options),
        log_bucket=dict(shared.outputs) if shared else None,
    )


def _workflows(settings: Settings, shared: LogBucket | None, options: LayerOptions) -> dict[str, Any]:
    if not settings.workflows:
        return {}
    from aiplatform.workflow import Workflow

    logs = None if shared is None else shared.log_bucket
    return {
        name: dict(
            Workflow(
                f"workflow-{name}", workflow_arguments.workflow(settings, name, logs), options.cloud
            ).outputs
        )
        for name in settings.workflows
    }
