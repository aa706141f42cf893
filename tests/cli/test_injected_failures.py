"""`aiplatform twin fault`: what it asks of the twin's cloud, by cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import admin_client
from cli import app as application
from cli.output import CommandError
from twin.instances import Instance, create


@pytest.fixture
def requested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The bodies of requests to the twins `aws` and `gcp`, which are answered as by their cloud."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    for cloud in ("aws", "gcp"):
        create(cloud, cloud=cloud)
    bodies: list[dict[str, Any]] = []

    def request(_: Instance, __: str, ___: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        bodies.append(body or {})
        return {"faults": []}

    monkeypatch.setattr(admin_client, "request", request)
    return bodies


def inject(*arguments: str) -> None:
    """Run the command, and raise what it raises."""
    result = CliRunner().invoke(application.app, ["twin", "fault", *arguments])
    if result.exception:
        raise result.exception


@pytest.mark.parametrize("option", ["--machine-type", "--instance-type"])
def test_capacity_on_google_cloud_is_that_of_a_machine_type_in_a_zone(
    requested: list[dict[str, Any]], option: str
) -> None:
    inject("capacity", "--name", "gcp", option, "g2-standard-8", "--zone", "us-central1-a")
    assert requested == [{"kind": "capacity", "machine_type": "g2-standard-8", "zone": "us-central1-a"}]


def test_capacity_on_aws_is_that_of_an_instance_type_in_a_zone_and_a_market(
    requested: list[dict[str, Any]],
) -> None:
    inject("capacity", "--name", "aws", "--instance-type", "p5.48xlarge", "--market", "spot")
    inject("capacity", "--name", "aws")
    assert requested == [
        {"kind": "capacity", "instance_type": "p5.48xlarge", "market": "spot"},
        {"kind": "capacity"},
    ]


def test_market_is_refused_on_google_cloud(requested: list[dict[str, Any]]) -> None:
    with pytest.raises(CommandError, match="--market: on Google Cloud"):
        inject("capacity", "--name", "gcp", "--market", "spot")
    assert not requested
