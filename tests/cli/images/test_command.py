"""The command `aiplatform images`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.images import command
from tests.cli.images.registries import Stored, registry
from tests.cli.images.test_mirror import image

CHART = {
    "user": "the add-on gateway-api",
    "chart": "https://example.com/releases/gateway.yaml",
    "version": "v1",
    "digest": "",
    "digest_source": "",
}


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    with registry() as stored:
        name = f"{stored.host}/acme/app:v1@{image(stored)}"
        entry = {"user": "the add-on app", "image": name, "pulled_from": name, "digest_source": "a test"}
        document = {"images": [entry], "charts": [CHART]}
        monkeypatch.setattr(command, "list_of", lambda _: document)
        yield stored


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["images", "aws-dev", *arguments], catch_exceptions=True)


def test_the_list_has_each_image_and_names_what_has_no_digest(source: Stored) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert f"{source.host}/acme/app:v1@sha256:" in result.output
    assert "charts without a known digest: https://example.com/releases/gateway.yaml" in result.output
    assert "images without" not in result.output


def test_scripts_get_the_list_as_json(source: Stored) -> None:
    document = json.loads(run("--json").stdout)
    assert document["images"][0]["user"] == "the add-on app"
    assert document["charts"] == [CHART]


def test_sizes_come_from_the_registry(source: Stored) -> None:
    assert "MiB" in run("--sizes").output
    source.manifests.clear()
    assert "unknown (" in run("--sizes").output, "one that the registry lacks does not hide the others"


def test_a_copy_is_below_the_name_of_its_registry_and_its_settings_are_printed(source: Stored) -> None:
    with registry() as target:
        result = run("--copy", f"{target.host}/mirror")
        assert result.exit_code == 0, result.output
        assert (f"mirror/{source.host}/acme/app", "v1") in target.manifests
        assert f"mirrors: {{{source.host}: {target.host}/mirror/{source.host}}}" in result.output
        assert f"charts: oci://{target.host}/mirror/charts" in result.output
        assert "gateway.yaml: not copied" in result.output


def test_what_cannot_be_copied_is_an_error_that_names_it(source: Stored) -> None:
    source.manifests.clear()
    with registry() as target:
        result = run("--copy", target.host)
    assert result.exit_code != 0
    assert "acme/app:v1" in str(result.exception)
    assert "404" in str(result.exception)
