"""The definition of an image: the same for the same contents, and without what must not be in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cli.images import containerfile
from cli.images.build_command import uv_requirement
from cli.images.containerfile import Contents, Definition
from cli.images.files import files_of
from cli.images.revision import Revision
from tests.cli.images import folders

BASE = f"docker.io/acme/base:1@sha256:{'a' * 64}"
REVISION = Revision("c" * 40, 1_790_000_000, "https://git.acme.example/ml.git", dirty=False)


def contents(folder: Path, **more: object) -> Contents:
    plain = Contents(
        folder=folder,
        files=files_of(folder, untracked=False),
        base=BASE,
        with_packages_of_base=False,
        installed=[],
        entrypoint=["python", "train.py"],
        title="fine-tune",
        uv=uv_requirement(),
    )
    return replace(plain, **more)  # pyright: ignore[reportArgumentType]


def written(tmp_path: Path, revision: Revision = REVISION, **more: object) -> Definition:
    folder = tmp_path / "repository" / "fine-tune"
    if not folder.exists():
        folders.write(tmp_path)
    target = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    return containerfile.write(contents(folder, **more), revision, target)


def test_same_contents_give_the_same_bytes_and_digest(tmp_path: Path) -> None:
    first, second = written(tmp_path), written(tmp_path)
    assert first.digest == second.digest
    assert first.containerfile.read_bytes() == second.containerfile.read_bytes()


def test_digest_is_that_of_the_contents_and_not_of_the_commit(tmp_path: Path) -> None:
    first = written(tmp_path)
    assert written(tmp_path, replace(REVISION, commit="d" * 40)).digest == first.digest
    assert written(tmp_path, base=BASE.replace("a" * 64, "b" * 64)).digest != first.digest
    assert written(tmp_path, entrypoint=["python"]).digest != first.digest
    (tmp_path / "repository" / "fine-tune" / "train.py").write_text("changed")
    assert written(tmp_path).digest != first.digest


def test_program_is_not_root_and_has_a_home_that_it_may_write(tmp_path: Path) -> None:
    lines = written(tmp_path).containerfile.read_text().splitlines()
    assert lines[-3:] == ["USER 1000:1000", "CMD []", 'ENTRYPOINT ["python", "train.py"]']
    assert any("install -d -o 1000 -g 1000 /var/lib/app" in line for line in lines)
    assert any(line.startswith("ENV HOME=/var/lib/app ") for line in lines)


def test_only_locked_packages_are_installed_by_a_uv_whose_hashes_are_known(tmp_path: Path) -> None:
    definition = written(tmp_path)
    text = definition.containerfile.read_text()
    assert "RUN uv sync --locked --no-default-groups --no-cache --no-editable --no-install-project" in text
    assert "pip install --no-cache-dir --require-hashes -r /tmp/uv.txt" in text
    requirement = (definition.context / "uv.txt").read_text()
    assert requirement.startswith("uv==")
    assert requirement.count("--hash=sha256:") > 10
    assert text.count(f"FROM {BASE}") == 2, "nothing is built on a base without a digest"
    assert "/opt/uv" not in text.rpartition("FROM ")[2], "uv is not in the image"


def test_packages_of_the_base_are_seen_and_not_replaced(tmp_path: Path) -> None:
    text = written(tmp_path, with_packages_of_base=True, installed=["torch"]).containerfile.read_text()
    assert "python3 -m venv --system-site-packages --without-pip /opt/venv" in text
    assert "--no-install-package torch" in text
    assert "--system-site-packages" not in written(tmp_path).containerfile.read_text()


def test_processes_of_the_bases_torchrun_run_in_the_environment(tmp_path: Path) -> None:
    text = written(tmp_path, with_packages_of_base=True, installed=["torch"]).containerfile.read_text()
    [variables] = [line for line in text.rpartition("FROM ")[2].splitlines() if line.startswith("ENV ")]
    assert "PYTHON_EXEC=/opt/venv/bin/python" in variables.split(), (
        "the environment has no torchrun where the base has torch, and that of the base is its Python's"
    )


def test_labels_have_commit_source_and_base(tmp_path: Path) -> None:
    text = written(tmp_path).containerfile.read_text()
    for label, value in {
        "revision": "c" * 40,
        "source": "https://git.acme.example/ml.git",
        "base.name": "docker.io/acme/base:1",
        "base.digest": f"sha256:{'a' * 64}",
        "created": "2026-09-21T14:13:20+00:00",
    }.items():
        assert f'LABEL org.opencontainers.image.{label}="{value}"' in text
    dirty = written(tmp_path, replace(REVISION, dirty=True)).containerfile.read_text()
    assert f'revision="{"c" * 40}-dirty"' in dirty


def test_builder_reads_the_files_of_the_image_only(tmp_path: Path) -> None:
    definition = written(tmp_path)
    names = {
        str(file.relative_to(definition.context)) for file in definition.context.rglob("*") if file.is_file()
    }
    assert names == {".dockerignore", "uv.txt"} | {
        f"app/{name}" for name in ("image.toml", "pyproject.toml", "train.py", "uv.lock")
    }


def test_project_with_a_build_system_is_installed(tmp_path: Path) -> None:
    folder = folders.write(
        tmp_path, files={"pyproject.toml": folders.PROJECT + '[build-system]\nrequires = ["hatchling"]\n'}
    )
    definition = containerfile.write(contents(folder), REVISION, tmp_path / "out")
    assert (
        "RUN uv sync --locked --no-default-groups --no-cache --no-editable\n"
        in definition.containerfile.read_text()
    )
