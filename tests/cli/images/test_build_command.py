"""The commands `aiplatform image build` and `aiplatform image push`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.images import bases, build_command, description, locks
from cli.images.bases import Hardware
from cli.images.build_command import Target, target_of
from cli.output import CommandError
from tests.cli.images import folders, targets
from tests.cli.images.oci_layouts import archive, write
from tests.cli.images.programs import Programs
from tests.cli.images.registries import Stored, registry
from tools import image_folders

TARGET = Target("aws-dev", "aws", "dev", {}, {"t4": Hardware("nvidia"), "general": Hardware()})

# Each answer starts the program of the environment, which takes seconds of CPU.
started_target_of = cache(target_of)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setenv("UV_OFFLINE", "1")
    return Programs(tmp_path / "bin", monkeypatch)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """The registry of the environment."""
    with registry() as served:
        retarget(monkeypatch, repositories={"training": f"{served.host}/acme-dev/training"})
        yield served


def retarget(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    target = dataclasses.replace(TARGET, **changes)
    monkeypatch.setattr(build_command, "target_of", lambda _: target)


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["image", *map(str, arguments)])


def problem(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


def built(tmp_path: Path, programs: Programs) -> str:
    """Add a builder; return the digest of what it builds."""
    digest = write(tmp_path / "layout")
    programs.add("docker", archive(tmp_path / "layout", tmp_path / "built.tar"))
    return digest


def test_folder_becomes_a_digest_in_the_registry_of_the_environment(
    tmp_path: Path, programs: Programs, stored: Stored
) -> None:
    folder, digest = folders.write(tmp_path, pool="general"), built(tmp_path, programs)
    result = run("build", folder, "aws-dev", "--push")
    assert result.exit_code == 0, result.output
    commit = folders.git(folder, "rev-parse", "HEAD")[:12]
    name, _, pushed = result.stdout.strip().partition("@")
    assert pushed == digest
    assert name.startswith(f"{stored.host}/acme-dev/training:fine-tune-{commit}-")
    tag = name.rpartition(":")[2]
    assert stored.client.manifest("acme-dev/training", tag).digest == digest
    assert folders.git(folder, "status", "--porcelain") == "", "results are ignored by git"


def test_same_commit_is_not_built_again(tmp_path: Path, programs: Programs, stored: Stored) -> None:
    folder = folders.write(tmp_path)
    built(tmp_path, programs)
    first = run("build", folder, "aws-dev", "--push")
    calls = len(programs.calls)
    again = run("build", folder, "aws-dev", "--push")
    assert again.stdout == first.stdout
    assert len(programs.calls) == calls


def test_definition_only_needs_no_builder_and_no_registry(
    tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders.write(tmp_path, "torch", "t4")
    retarget(monkeypatch, repositories={"training": "registry.invalid/acme-dev/training"})
    result = run("build", folder, "aws-dev", "--definition-only", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stdout == "", "there is no image"
    text = (tmp_path / "out" / "definition" / "Containerfile").read_text()
    assert text.startswith("# Written by `aiplatform image build`.\nFROM docker.io/pytorch/pytorch:")


def test_without_a_builder_the_definition_is_written_and_the_next_step_named(
    tmp_path: Path, programs: Programs, stored: Stored
) -> None:
    folder = folders.write(tmp_path)
    assert "no builder is on PATH" in problem("build", folder, "aws-dev", "--push")
    assert (folder / ".image" / "definition" / "Containerfile").is_file()


def test_repository_of_artifact_registry_contains_images_by_name(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    retarget(monkeypatch, cloud="gcp", repositories={"training": f"{stored.host}/acme-ml/acme-dev-training"})
    folder = folders.write(tmp_path)
    built(tmp_path, programs)
    reference = run("build", folder, "gcp-dev", "--push").stdout
    assert reference.startswith(f"{stored.host}/acme-ml/acme-dev-training/fine-tune:")


def test_signature_is_of_the_digest(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: Any
) -> None:
    folder, digest = folders.write(tmp_path), built(tmp_path, programs)
    assert "cosign is not on PATH" in problem("build", folder, "aws-dev", "--push", "--sign")
    assert programs.calls == [], "reported before the build"
    programs.add("cosign")
    monkeypatch.setattr("cli.images.registry.credentials", lambda _: "AWS:s3cret")
    result = run("build", folder, "aws-dev", "--push", "--sign")
    assert result.exit_code == 0, result.output
    assert programs.calls[-1]["arguments"][-1] == f"{stored.host}/acme-dev/training@{digest}"
    assert "--push" in problem("build", folder, "aws-dev", "--sign")


def test_image_of_another_build_under_the_tag_is_not_signed(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags are known before: another writer of the repository may have pushed first."""
    folder = folders.write(tmp_path)
    built(tmp_path, programs)
    programs.add("cosign")
    monkeypatch.setattr("cli.images.registry.credentials", lambda _: "AWS:s3cret")
    name = run("build", folder, "aws-dev", "--push").stdout.partition("@")[0]
    digest = write(tmp_path / "own", b"print('mine')\n")
    programs.add("docker", archive(tmp_path / "own", tmp_path / "own.tar"))
    words = problem("build", folder, "aws-dev", "--push", "--sign")
    assert words.startswith(f"{name} has sha256:")
    assert digest not in words
    assert "sign" not in [call["arguments"][0] for call in programs.calls]


def test_image_of_an_earlier_run_is_signed_where_this_one_builds_the_same(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, digest = folders.write(tmp_path), built(tmp_path, programs)
    programs.add("cosign")
    monkeypatch.setattr("cli.images.registry.credentials", lambda _: "AWS:s3cret")
    first = run("build", folder, "aws-dev", "--push")
    signed = run("build", folder, "aws-dev", "--push", "--sign")
    assert signed.exit_code == 0, signed.output
    assert signed.stdout == first.stdout
    assert programs.calls[-1]["arguments"][-1] == f"{stored.host}/acme-dev/training@{digest}"


def test_uncommitted_change_is_refused_and_in_prod_always(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders.write(tmp_path)
    (folder / "train.py").write_text("changed")
    words = problem("build", folder, "aws-dev", "--definition-only")
    assert words == f"{folder}: has changes that no commit has; expected a commit, or --allow-dirty"
    result = run("build", folder, "aws-dev", "--definition-only", "--allow-dirty")
    assert result.exit_code == 0, result.output
    assert "-dirty-" in result.stderr, "its tag shows it"
    retarget(monkeypatch, profile="prod", repositories=build_command.target_of("").repositories)
    words = problem("build", folder, "aws-prod", "--definition-only", "--allow-dirty")
    assert words.endswith("expected a commit")


def test_unknown_pool_and_repository_are_reported_with_their_line(
    tmp_path: Path, programs: Programs, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders.write(tmp_path, "torch", "h100")
    assert problem("build", folder, "aws-dev") == (
        f"{folder}/image.toml:3: pool: aws-dev has no pool 'h100'; expected one of general, t4"
    )
    retarget(monkeypatch)
    folder = folders.write(tmp_path / "other")
    assert problem("build", folder, "aws-dev") == (
        f"{folder}/image.toml:2: repository: aws-dev has no repository 'training'; expected one of none: "
        "container_registry.repositories is empty"
    )


def test_base_without_a_digest_is_refused(tmp_path: Path, programs: Programs, stored: Stored) -> None:
    folder = folders.write(tmp_path)
    assert "has no digest" in problem("build", folder, "aws-dev", "--base", "docker.io/library/python:3.12")
    pinned = f"docker.io/acme/python:1@sha256:{'b' * 64}"
    result = run("build", folder, "aws-dev", "--base", pinned, "--definition-only")
    assert f"FROM {pinned}" in (folder / ".image" / "definition" / "Containerfile").read_text()
    assert result.exit_code == 0, result.output


def test_environment_that_the_folder_does_not_name_is_refused(
    tmp_path: Path, programs: Programs, stored: Stored
) -> None:
    folder = folders.write(tmp_path)
    file = folder / "image.toml"
    file.write_text(f'{file.read_text()}environments = ["aws-prod", "aws-dev"]\n')
    folders.commit(folder)
    assert run("build", folder, "aws-dev", "--definition-only").exit_code == 0
    assert problem("build", folder, "gcp-dev", "--definition-only") == (
        f"{file}:4: environments: gcp-dev is none of them; expected one of aws-prod, aws-dev"
    )


def test_every_folder_of_the_repository_fits_the_environments_that_it_is_for() -> None:
    for name in image_folders._folders(image_folders.ROOT):
        folder = image_folders.ROOT / name
        described = description.load(folder)
        for environment in described.environments or image_folders.DEVELOPMENT:
            target = targets.target_of(environment)
            assert described.repository in target.repositories, (name, environment)
            hardware = build_command._hardware(described, target)
            _, base = bases.choose(described.framework, target.cloud, hardware)
            locks.check_python(folder, base)
            locks.installed_by_base(folder, described.framework, base)


def test_python_that_the_base_has_not_is_refused_before_anything_is_written(
    tmp_path: Path, programs: Programs, stored: Stored
) -> None:
    files = {
        "pyproject.toml": folders.PROJECT.replace(">=3.11", ">=3.12"),
        "uv.lock": folders.LOCK.format(packages="").replace(">=3.11", ">=3.12"),
    }
    folder = folders.write(tmp_path, "torch", "t4", files)
    assert "pyproject.toml:4: project.requires-python: is '>=3.12'" in problem("build", folder, "aws-dev")
    assert not (folder / ".image").exists()


def test_output_is_no_folder_with_other_files(tmp_path: Path, programs: Programs, stored: Stored) -> None:
    folder = folders.write(tmp_path)
    (tmp_path / "docs" / "definition").mkdir(parents=True)
    words = problem("build", folder, "aws-dev", "--definition-only", "--output", tmp_path / "docs")
    assert words == f"{tmp_path}/docs: has other files; expected an empty folder, or one of an earlier build"
    for _ in range(2):
        result = run("build", folder, "aws-dev", "--definition-only", "--output", tmp_path / "out")
        assert result.exit_code == 0, result.output


def test_layout_is_pushed_by_its_name(tmp_path: Path, programs: Programs, stored: Stored) -> None:
    digest = write(tmp_path / "layout")
    result = run("push", tmp_path / "layout", f"{stored.host}/acme-dev/training:v1")
    assert result.stdout == f"{stored.host}/acme-dev/training:v1@{digest}\n"
    assert "tag latest" in problem("push", tmp_path / "layout", f"{stored.host}/acme-dev/training:latest")
    assert "no such file" in problem("push", tmp_path / "absent", f"{stored.host}/acme-dev/training:v2")


@pytest.mark.parametrize(
    ("environment", "pool", "hardware"),
    [
        ("aws-prod", "training", Hardware("nvidia", "efa")),
        ("aws-prod", "general", Hardware()),
        ("gcp-prod", "training", Hardware("nvidia", "tcpx")),
        ("gcp-prod", "batch", Hardware("tpu")),
    ],
)
def test_target_is_read_from_the_file_of_the_environment(
    environment: str, pool: str, hardware: Hardware
) -> None:
    target = started_target_of(environment)
    assert target == targets.target_of(environment), "what other tests use"
    assert target.pools[pool] == hardware
    assert "training" in target.repositories


def test_unknown_environment_is_refused() -> None:
    with pytest.raises(CommandError, match="absent"):
        target_of("absent")
