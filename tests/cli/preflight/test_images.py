"""Images and charts where they are pulled from."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from cli.images import command, mirror, registry
from cli.output import CommandError
from cli.preflight import images
from cli.preflight.results import Result
from cli.preflight.scope import run
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import Aws

IMAGE = {"user": "the add-on x", "pulled_from": "quay.io/acme/x:1"}
CHART = {"user": "the add-on x", "chart": "https://charts.example/x", "version": "1", "digest": ""}


def checked(
    monkeypatch: pytest.MonkeyPatch, *, answers: dict[str, Exception] | None = None, status: int = 200
) -> list[Result]:
    """Return the results. answers: reference -> the error of the registry."""

    def manifest(self: registry.Registry, repository: str, reference: str) -> Any:
        if error := (answers or {}).get(f"{self.host}/{repository}:{reference}"):
            raise error

    def head(address: str, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.reason, response.url = status, "x", address
        return response

    oci = {**CHART, "chart": "oci://quay.io/acme/charts/x", "version": "2"}
    document = {"images": [IMAGE], "charts": [CHART, oci]}
    monkeypatch.setattr(command, "list_of", lambda _: document)  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(registry.Registry, "manifest", manifest)
    monkeypatch.setattr(mirror, "chart_address", lambda *_: "https://charts.example/x-1.tgz")  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(requests, "head", head)
    return list(images.check(fakes.scope(Aws({}))))


def test_all_that_is_there_is_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = checked(monkeypatch)
    assert (result.state, result.reason) == ("ok", "3 of 3 are where they are pulled from")


def test_missing_image_limits_and_names_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    error = registry.RegistryError("https://quay.io/v2/acme/x/manifests/1: 404 Not Found")
    results = checked(monkeypatch, answers={"quay.io/acme/x:1": error})
    assert [result.state for result in results] == ["ok", "problem"]
    assert not results[1].blocks, "Pods wait for an image"
    assert results[1].reason.startswith("the add-on x")


def test_registry_without_an_answer_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {
        "quay.io/acme/x:1": registry.UnavailableError("timed out"),
        "quay.io/acme/charts/x:2": registry.RegistryError("quay.io requires a login"),
    }
    results = checked(monkeypatch, answers=errors)
    assert [result.state for result in results] == ["ok", "not checked", "not checked"]


def test_chart_whose_archive_is_missing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    results = checked(monkeypatch, status=404)
    assert [result.subject for result in results if result.is_problem] == ["https://charts.example/x 1"]


def test_twin_asks_no_registry() -> None:
    (result,) = images.check(fakes.scope(Aws({}), on_twin=True))
    assert result.state == "not checked"
    assert "`--cloud`" in result.reason


def test_file_that_the_program_refuses_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: str) -> Any:
        raise CommandError("environments/Pulumi.aws-dev.yaml:1: wrong")

    monkeypatch.setattr(command, "list_of", refused)
    (result,) = run([(images.CHECK, images.check)], fakes.scope(Aws({})))
    assert (result.state, result.reason) == ("not checked", "environments/Pulumi.aws-dev.yaml:1: wrong")
