"""Refused parameters, and templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RELEASES, stated

from model_rollout import templates
from model_rollout.errors import RefusedError
from model_rollout.templates import Service


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("weights", "10,50", "expected percentages that rise to 100"),
        ("weights", "50,10,100", "expected percentages that rise to 100"),
        ("weights", "0,100", "expected percentages that rise to 100"),
        ("weights", "10,10,100", "expected percentages that rise to 100"),
        ("weights", "ten", "expected percentages that rise to 100"),
        ("weights", "", "expected percentages that rise to 100"),
        ("step_minutes", "1", "expected at least 2 minutes, 4 samples of Prometheus"),
        ("step_minutes", "nan", "expected at least 2 minutes"),
        ("max_error_rate", "1.5", "expected a share of the requests, 0 to 1"),
        ("max_error_rate", "-0.1", "expected a share of the requests, 0 to 1"),
        ("max_error_rate", "1%", "expected a share of the requests, 0 to 1"),
        ("max_p95_ms", "0", "expected milliseconds"),
        ("min_requests", "1.5", "expected a number of requests"),
        ("mirror_percent", "101", "expected percent, 0 to 100"),
        ("no_traffic", "wait", "expected one of back, continue"),
        ("keep", "yes", "expected one of true, false"),
        ("ready_minutes", "0", "expected minutes"),
    ],
)
def test_parameter_is_refused_by_its_name(name: str, value: str, expected: str) -> None:
    with pytest.raises(RefusedError) as refused:
        stated(**{name: value})
    assert str(refused.value).startswith(f"{name}: got {value!r}; {expected}")


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        stated(weights="1", keep="", max_error_rate="2")
    assert len(str(refused.value).splitlines()) == 3


def test_service_that_the_team_does_not_have_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(
        RefusedError, match="no service of the team; expected one of fares; did you mean fares"
    ):
        templates.load(*folders, "fare", f"{RELEASES}/8")


@pytest.mark.parametrize(
    "uri",
    ["s3://acme-releases/search/fares/8", f"{RELEASES}/", f"{RELEASES}/8/model", f"{RELEASES}-2/8", "8"],
)
def test_uri_that_is_no_release_of_the_model_is_refused(folders: tuple[Path, Path], uri: str) -> None:
    with pytest.raises(RefusedError, match=f"expected a release of the model that fares serves, {RELEASES}/"):
        templates.load(*folders, "fares", uri)


def test_inference_service_has_name_release_and_run(service: Service) -> None:
    item = service.inference_service("green", "run-1", {"name": "serving"})
    assert item["metadata"]["name"] == "fares-green"
    assert item["metadata"]["ownerReferences"] == [{"name": "serving"}]
    assert item["spec"]["predictor"]["model"]["storageUri"] == f"{RELEASES}/8"
    assert item["metadata"]["annotations"]["ai-platform/rollout"] == "run-1"
    assert item["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "none"


def test_digest_changes_with_the_release_and_the_template(
    service: Service, before: Service, folders: tuple[Path, Path]
) -> None:
    assert service.digest != before.digest
    file = folders[0] / "fares"
    file.write_text(file.read_text().replace('"none"', '"keda"'))
    assert templates.load(*folders, "fares", f"{RELEASES}/8").digest != service.digest
