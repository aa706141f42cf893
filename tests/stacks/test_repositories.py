"""The addresses of repositories are those that the component has as its outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks import repositories
from stacks.loading import load_file
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.test_google_files import changed


def test_address_has_account_region_and_prefix() -> None:
    host = "333344445555.dkr.ecr.us-west-2.amazonaws.com"
    assert repositories.urls(settings_of("aws-prod")) == {
        "training": f"{host}/acme-prod/training",
        "serving": f"{host}/acme-prod/serving",
        "cost-control": f"{host}/acme-prod/cost-control",
    }
    host = "us-central1-docker.pkg.dev/acme-ml-prod"
    assert repositories.urls(settings_of("gcp-prod")) == {
        "training": f"{host}/acme-prod-training",
        "serving": f"{host}/acme-prod-serving",
        "cost-control": f"{host}/acme-prod-cost-control",
    }


@pytest.mark.parametrize("stack", STACKS)
def test_every_environment_has_a_repository_for_training(stack: str) -> None:
    assert "training" in repositories.urls(settings_of(stack)), "examples are built for it"


def test_environment_without_a_registry_has_none(tmp_path: Path) -> None:
    file = changed(tmp_path, {"container_registry/repositories": []}, "gcp-prod")
    assert repositories.urls(load_file(file)) == {}
