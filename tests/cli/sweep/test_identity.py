"""By what an environment is recognised, compared with what the program writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform.cluster.args import CLUSTER, LOGS
from aiplatform.network.args import FLOW_LOGS
from aiplatform.observability.collectors import CONTAINER_LOGS
from cli import environment_files
from cli.output import CommandError
from cli.sweep import identity
from cli.sweep.identity import Identity
from stacks.settings import Environment

DEV = Identity("aws-dev", "acme", "dev", others=("acme-dev-two", "acme-prod"))


def test_tags_are_those_of_the_providers() -> None:
    values: dict[str, Any] = {"org": "acme", "name": "dev", "profile": "dev", "region": "us-west-2"}
    environment = Environment(cloud="aws", owner="me", cost_center="us", **values)
    assert environment.all_tags[identity.ENVIRONMENT_TAG] == DEV.name
    assert environment.all_tags[identity.MANAGED_TAG] == identity.MANAGED_BY
    assert environment.prefix == DEV.prefix


def test_names_are_those_of_the_components() -> None:
    assert CLUSTER.of(DEV.prefix) == DEV.cluster
    for name in (LOGS, FLOW_LOGS, CONTAINER_LOGS):
        assert name.of(DEV.prefix).startswith(DEV.log_groups), name


@pytest.mark.parametrize(
    ("name", "similar", "other"),
    [
        ("acme-dev", True, ""),
        ("acme-dev-raw", True, ""),
        ("acme-dev-two", False, "acme-dev-two"),
        ("acme-dev-two-raw", False, "acme-dev-two"),
        ("acme-development", False, ""),
        ("acme-prod-raw", False, "acme-prod"),
        ("default", False, ""),
    ],
)
def test_longest_prefix_of_a_known_environment_decides(name: str, similar: bool, other: str) -> None:
    assert DEV.is_similar(name) is similar
    assert DEV.other(name) == other


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the file of aws-dev alone."""
    environments = tmp_path / "environments"
    environments.mkdir()
    original = environment_files.original_stack_file("aws-dev")
    monkeypatch.setattr(environment_files, "ROOT", tmp_path)
    monkeypatch.setattr(
        environment_files, "original_stack_file", lambda name: environments / f"Pulumi.{name}.yaml"
    )
    (environments / "Pulumi.aws-dev.yaml").write_text(original.read_text())
    return environments


def test_other_environments_of_the_account_are_known(folder: Path) -> None:
    (folder / "Pulumi.aws-two.yaml").write_text(
        (folder / "Pulumi.aws-dev.yaml").read_text().replace("name: dev", "name: dev-two")
    )
    (folder / "Pulumi.aws-far.yaml").write_text(
        (folder / "Pulumi.aws-dev.yaml")
        .read_text()
        .replace("name: dev", "name: far")
        .replace("111122223333", "999999999999")
    )
    assert identity.load("aws-dev").others == ("acme-dev-two",)


def test_two_environments_with_the_same_tags_in_one_account_are_refused(folder: Path) -> None:
    (folder / "Pulumi.aws-two.yaml").write_text(
        (folder / "Pulumi.aws-dev.yaml").read_text().replace("org: acme", "org: other")
    )
    with pytest.raises(CommandError, match=r"Pulumi\.aws-two\.yaml: .*both have the tag environment=dev"):
        identity.load("aws-dev")


def test_data_of_production_is_retained_unless_the_teardown_includes_it(folder: Path) -> None:
    file = folder / "Pulumi.aws-dev.yaml"
    assert not identity.load("aws-dev").retains
    file.write_text(file.read_text().replace("profile: dev", "profile: prod"))
    assert identity.load("aws-dev").retains
    file.write_text(file.read_text().replace("profile: prod", "profile: prod\n    teardown: with_data"))
    assert not identity.load("aws-dev").retains
