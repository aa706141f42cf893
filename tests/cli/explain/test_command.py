"""`aiplatform explain`: what it prints, and its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.explain import command
from cli.output import CommandError
from stacks.explain.__main__ import document


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the start of the program, which takes seconds."""
    monkeypatch.setattr(command, "document", document)


def test_key_is_explained_with_its_value_and_line() -> None:
    result = run("gpu_pools.training.max", "--env", "aws-prod")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("gpu_pools.*.max: Maximum of nodes in each entry.")
    assert "allowed: 1 to 450 nodes" in lines
    assert "on AWS: maximum of each node group" in lines
    assert "taken by: GpuPool (docs/components/gpu_pool.md#arguments)" in lines
    [value] = [line for line in lines if line.startswith("in aws-prod: ")]
    assert value.startswith("in aws-prod: gpu_pools.training.max = 4 (environments/Pulumi.aws-prod.yaml:")


def test_unknown_key_is_an_error_with_the_nearest() -> None:
    error = run("cluster.verison").exception
    assert isinstance(error, CommandError)
    assert "did you mean cluster.version?" in str(error)


@pytest.mark.usefixtures("program")
def test_defaults_have_a_column_for_each_cloud_where_they_differ() -> None:
    different, same = run("network.nat").output, run("network.pods").output
    assert "default on AWS  default on Google Cloud" in different
    assert "prod     per_zone        single" in different
    assert "profile  default\n" in same


@pytest.mark.usefixtures("program")
def test_argument_that_a_cloud_refuses_is_not_supported_there() -> None:
    assert (
        "on Google Cloud: not supported: Google Cloud's machines have GPUDirect"
        in run("gpu_pools.*.efa").output
    )


@pytest.mark.usefixtures("program")
def test_topic_lists_its_keys() -> None:
    output = run("cluster").output
    assert "cluster.version " in output
    assert "profile  default" not in output, "its keys have defaults"


@pytest.mark.usefixtures("program")
def test_brackets_of_a_value_are_printed() -> None:
    assert 'prod     ["on_demand"]' in run("gpu_pools.*.capacity").output


@pytest.mark.usefixtures("program")
def test_json_has_all_that_is_printed() -> None:
    answer = json.loads(run("network.nat", "--env", "gcp-prod", "--json").output)
    assert answer == document("network.nat", "gcp-prod")


def test_unknown_environment_is_an_error_with_the_near_one() -> None:
    error = run("cluster.version", "--env", "aws-prd").exception
    assert isinstance(error, CommandError)
    assert "did you mean 'aws-prod'?" in str(error)
