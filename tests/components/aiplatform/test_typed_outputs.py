"""`outputs` of a component has the keys that its class declares."""

from __future__ import annotations

import inspect

import pytest

from aiplatform.container_registry import ContainerRegistry, ContainerRegistryOutputs
from aiplatform.feature_store import FeatureStore, FeatureStoreOutputs
from aiplatform.model_registry import ModelRegistry, ModelRegistryOutputs


@pytest.mark.parametrize(
    ("component", "outputs"),
    [
        (ContainerRegistry, ContainerRegistryOutputs),
        (FeatureStore, FeatureStoreOutputs),
        (ModelRegistry, ModelRegistryOutputs),
    ],
    ids=lambda item: item.__name__,
)
def test_the_type_of_outputs_has_the_keys_of_the_class(component: type, outputs: type) -> None:
    assert list(inspect.get_annotations(component)) == list(inspect.get_annotations(outputs))
