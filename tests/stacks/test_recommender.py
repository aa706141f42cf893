"""The team of examples/recommender in an environment of each cloud, by its program."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from examples.recommender import deploy
from stacks import shared_files
from stacks.loading import load_file
from tests.components.recording import ACCOUNT
from tests.policies.test_environments import violations
from tests.stacks.environments import ROOT, build

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROD_ACCOUNT = "333344445555"
NAMES = {
    "aws-prod": deploy.Names(
        "333344445555.dkr.ecr.us-west-2.amazonaws.com/acme-prod",
        "arn:aws:iam::333344445555:role/shop-owners",
        COMMIT,
        f"arn:aws:iam::{ACCOUNT}:role/acme-prod-ingestion",
    ),
    "gcp-prod": deploy.Names(
        "us-central1-docker.pkg.dev/acme-ml-prod/acme", "group:shop@acme.example", COMMIT
    ),
}


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    """A copy of the committed environments. That of prod on AWS is in the account of the recordings."""
    copy = Path(shutil.copytree(ROOT / "environments", tmp_path / "environments"))
    file = copy / "Pulumi.aws-prod.yaml"
    file.write_text(file.read_text().replace(PROD_ACCOUNT, ACCOUNT))
    return copy


def merged(environments: Path, stack: str, folder: Path) -> Path:
    """Return an environment's file with the contents of its shared files."""
    document: Any = YAML(typ="rt").load(environments / f"Pulumi.{stack}.yaml")
    located = shared_files.located(document["config"], None, "")
    config, problems = shared_files.with_shared(located, environments / "shared")
    assert not problems, problems
    del config["ai-platform:shared"]
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(json.dumps({"config": config}, indent=1))
    return file


@pytest.mark.parametrize("stack", NAMES)
def test_one_block_deploys_the_recommender_in_production_of_both_clouds(
    environments: Path, tmp_path: Path, stack: str
) -> None:
    deploy.compose(stack, NAMES[stack], environments)
    settings = load_file(merged(environments, stack, tmp_path))
    recording = build(settings).recording
    names = {entry.inputs["metadata"]["name"] for entry in recording.all("kubernetes:batch/v1:CronJob")}
    assert "model-monitor-compare-recommender" in names
    templates = [
        entry.inputs["metadata"]["name"]
        for entry in recording.all("kubernetes:argoproj.io/v1alpha1:WorkflowTemplate")
    ]
    assert {"train-recommender", "rollout"} <= set(templates)
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


@pytest.mark.parametrize("stack", NAMES)
def test_a_second_run_changes_nothing(environments: Path, stack: str) -> None:
    first = [file.read_text() for file in deploy.compose(stack, NAMES[stack], environments)]
    assert [file.read_text() for file in deploy.compose(stack, NAMES[stack], environments)] == first


@pytest.mark.parametrize(
    ("stack", "names", "reason"),
    [
        ("aws-prd", NAMES["aws-prod"], "expected one of .*aws-prod"),
        ("aws-prod", NAMES["gcp-prod"], "--role: got None; expected the arn"),
        ("gcp-prod", NAMES["aws-prod"], "--role: .* expected none"),
        ("gcp-prod", deploy.Names("r", "o", "main"), "--commit: got 'main'; expected 40"),
    ],
)
def test_names_that_do_not_fit_are_refused_before_a_file_is_written(
    environments: Path, stack: str, names: deploy.Names, reason: str
) -> None:
    before = {file: file.read_bytes() for file in environments.rglob("*") if file.is_file()}
    with pytest.raises(deploy.WrongError, match=reason):
        deploy.compose(stack, names, environments)
    assert {file: file.read_bytes() for file in environments.rglob("*") if file.is_file()} == before


def test_the_program_is_short() -> None:
    program = ROOT / "examples" / "recommender" / "deploy.py"
    assert len(program.read_text().splitlines()) <= 150
