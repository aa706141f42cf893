"""The list of an environment's images and charts has all that the program installs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aiplatform.addons.catalog import catalog
from stacks import image_list
from tests.components.recording import REGION
from tests.stacks.environments import STACKS, built, settings_of


@pytest.mark.parametrize("stack", STACKS)
def test_every_image_that_the_program_registers_is_listed(stack: str) -> None:
    settings = settings_of(stack)
    references = {image.pulled_from for image in image_list.images_of(settings)}
    registered = {
        # The recorded provider has one region, whatever the file's.
        image.replace(REGION, settings.environment.region)
        for resource in built(stack).recording.resources
        if resource.type.startswith("kubernetes:")
        for image in _images(resource.inputs)
    }
    assert registered, "does this test still find images?"
    assert registered <= references


@pytest.mark.parametrize("stack", STACKS)
def test_every_chart_of_the_environment_is_listed_with_its_images(stack: str) -> None:
    settings = settings_of(stack)
    charts = list(image_list.charts_of(settings))
    users = {image.user.partition(" (")[0] for image in image_list.images_of(settings)}
    assert charts
    for chart in charts:
        addon = catalog()[chart.user.removeprefix("the add-on ")]
        assert settings.environment.cloud in addon.clouds
        assert bool(addon.images) == (chart.user in users)


def test_a_digest_has_a_source() -> None:
    for image in image_list.images_of(settings_of("aws-prod")):
        assert ("@sha256:" in image.image) == bool(image.digest_source)


def test_the_module_prints_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert image_list.main(["gcp-prod"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"images", "charts"}
    assert not any("autoscaler" in image["user"] for image in document["images"]), "GKE has one built in"


def test_a_wrong_file_is_an_error_with_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert image_list.main(["absent"]) == 1
    assert "absent" in capsys.readouterr().err


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():  # pyright: ignore[reportUnknownVariableType]
            if key == "image" and isinstance(entry, str):
                yield entry
            else:
                yield from _images(entry)
    elif isinstance(value, list):
        for entry in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _images(entry)
