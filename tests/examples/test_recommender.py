"""The services of examples/recommender: their tests in their own environments, and their images."""

from __future__ import annotations

import tomllib
from typing import Final

import pytest

from cli.images.description import load
from tests.containers.program import Program
from tests.examples.loading import EXAMPLES

_FOLDER: Final = EXAMPLES / "recommender"
SERVICES: Final = [
    Program(name, private=("AWS_", "GOOGLE_", "PYICEBERG_", "MLFLOW_"), parent=_FOLDER)
    for name in ("ingestion", "features", "training", "serving", "monitoring")
]


# Feast alone takes a quarter of a minute to import.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_tests_of_the_service_pass(service: Program) -> None:
    service.assert_its_tests_pass()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_dependencies_are_locked(service: Program) -> None:
    service.assert_locked()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_image_starts_the_package_of_the_service(service: Program) -> None:
    described = load(service.folder)
    assert described.entrypoint[:3] == ("python", "-m", service.name)
    assert (service.folder / service.name / "__main__.py").is_file()


def test_services_that_use_the_registry_have_the_client_of_its_version() -> None:
    [training] = [service for service in SERVICES if service.name == "training"]
    training.assert_client_of_the_registry()


def test_training_has_the_scikit_learn_of_the_server_that_loads_its_model() -> None:
    """A pickle of another version may not load."""
    locks = (_FOLDER / "training", EXAMPLES.parent / "containers" / "model_server")
    versions = [
        package["version"]
        for folder in locks
        for package in tomllib.loads((folder / "uv.lock").read_text())["package"]
        if package["name"] == "scikit-learn"
    ]
    assert len(set(versions)) == 1, versions
