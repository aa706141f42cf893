"""The builder of the machine is called without a shell, and its result is an OCI image layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.images import builders
from cli.images.containerfile import Definition
from cli.images.layouts import layout_at
from cli.output import CommandError
from tests.cli.images.oci_layouts import archive, write
from tests.cli.images.programs import Programs

DEFINITION = Definition(Path("/definition"), "d" * 64)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path / "bin", monkeypatch)


def test_first_builder_that_works_is_used(programs: Programs) -> None:
    programs.add("podman")
    assert builders.builder() == "podman"
    programs.add("docker", failing="version")
    assert builders.builder() == "podman", "docker without buildx is none"
    programs.add("docker")
    assert builders.builder() == "docker"


def test_machine_without_a_builder_is_told_how_to_go_on(programs: Programs) -> None:
    with pytest.raises(CommandError, match=r"no builder is on PATH.*`aiplatform image push`"):
        builders.builder()


@pytest.mark.parametrize("name", builders.BUILDERS)
def test_result_is_a_layout_whose_files_have_the_time_of_the_commit(
    name: str, programs: Programs, tmp_path: Path
) -> None:
    digest = write(tmp_path / "layout")
    programs.add(name, archive(tmp_path / "layout", tmp_path / "built.tar"))
    builders.build(name, DEFINITION, "arm64", 1_790_000_000, tmp_path / "image.tar")
    with layout_at(tmp_path / "image.tar") as layout:
        assert layout.manifest.digest == digest
    call = programs.calls[0]
    assert call["environment"]["SOURCE_DATE_EPOCH"] == "1790000000"
    words = call["arguments"]
    assert words[words.index("--file") + 1] == "/definition/Containerfile"
    assert words[words.index("--platform") + 1] == "linux/arm64"
    assert words[-1] == "/definition/context", "only the context is read"
    reproducible = "rewrite-timestamp=true" in " ".join(words) or "--timestamp" in words
    assert reproducible


def test_failed_build_is_an_error(programs: Programs, tmp_path: Path) -> None:
    programs.add("docker", failing="build")
    with pytest.raises(CommandError, match=r"docker buildx build failed.*docker buildx create --use"):
        builders.build("docker", DEFINITION, "x86_64", 0, tmp_path / "image.tar")
