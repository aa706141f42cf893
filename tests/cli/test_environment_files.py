"""Copies of environment files in an instance of the twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import environment_files
from cli.environment_files import StackFileError
from twin import environment, instances
from twin.instances import Instance


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    created = instances.create("one")
    environment.prepare(created)
    return created


class TestStackFile:
    """The instance's copy of an environment file."""

    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.original = tmp_path / "repository" / "environments" / "Pulumi.dev.yaml"
        self.original.parent.mkdir(parents=True)
        monkeypatch.setattr(environment_files, "ROOT", tmp_path / "repository")

    def test_the_copy_follows_the_original_and_keeps_its_own_encryption(self, instance: Instance) -> None:
        self.original.write_text("secretsprovider: awskms://alias/prod\nencryptedkey: abc\nconfig:\n  a: 1\n")
        copy = environment_files.stack_file(instance, "dev")
        assert copy.read_text() == "config:\n  a: 1\n", "the twin cannot use the environment's key"
        copy.write_text(copy.read_text() + "encryptionsalt: v1:ours\n")
        self.original.write_text("encryptionsalt: v1:theirs\nconfig:\n  a: 2\n")
        assert (
            environment_files.stack_file(instance, "dev").read_text()
            == "config:\n  a: 2\nencryptionsalt: v1:ours\n"
        )
        assert self.original.read_text() == "encryptionsalt: v1:theirs\nconfig:\n  a: 2\n"

    def test_the_copy_is_in_the_instance_with_a_project_of_the_same_name(self, instance: Instance) -> None:
        self.original.write_text("config: {}")
        copy = environment_files.stack_file(instance, "dev")
        assert copy.is_relative_to(instance.folder)
        assert "name: ai-platform\n" in (copy.parent / "Pulumi.yaml").read_text()

    def test_a_value_sealed_by_another_provider_is_refused_with_its_line(self, instance: Instance) -> None:
        self.original.write_text("config:\n  a:x: 1\n  a:token:\n    secure: v1:abc\n")
        with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml:4.*cannot open"):
            environment_files.stack_file(instance, "dev")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (
                "secretsProvider: x\nconfig: {}\n",
                r"Pulumi\.dev\.yaml:1: secretsProvider: unknown key",
            ),
            ("config: {a:x: {b: 1, b: 2}}\n", r"Pulumi\.dev\.yaml:1: a:x\.b: stated a second time"),
        ],
    )
    def test_a_wrong_file_is_refused_before_the_engine_starts(
        self, instance: Instance, text: str, problem: str
    ) -> None:
        self.original.write_text(text)
        with pytest.raises(StackFileError, match=problem):
            environment_files.stack_file(instance, "dev")
        assert not (environment_files.project_folder(instance) / "Pulumi.dev.yaml").exists()

    def test_an_absent_environment_is_refused_with_those_that_exist(self, instance: Instance) -> None:
        self.original.write_text("config: {}")
        with pytest.raises(StackFileError, match=r"'prod'.*there are: dev"):
            environment_files.stack_file(instance, "prod")


def test_the_project_is_the_one_of_the_repository() -> None:
    text = (environment_files.ROOT / "Pulumi.yaml").read_text()
    assert f"name: {environment_files.PROJECT}\n" in text, "the stack would be in another project"


def test_a_cloud_is_refreshed_before_it_is_changed_and_the_twin_on_request(instance: Instance) -> None:
    project = (environment_files.ROOT / "Pulumi.yaml").read_text()
    assert "  refresh: always\n" in project, (
        "a change of `max` would send its group the size of the last run, and end the nodes that came since"
    )
    assert environment.environment(instance)["PULUMI_OPTION_REFRESH"] == "false", "an explicit --refresh wins"
