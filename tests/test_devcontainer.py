"""The development container: its image is pinned, its user is not root, and it names what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from twin.toolchain import archive

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / ".devcontainer"
DOCKERFILE: Final = (FOLDER / "Dockerfile").read_text()
# Those that are used here, of the schema of containers.dev (devcontainers/spec,
# schemas/devContainer.base.schema.json) for a container with a Dockerfile.
PROPERTIES: Final = {
    "build",
    "containerEnv",
    "customizations",
    "hostRequirements",
    "mounts",
    "name",
    "postCreateCommand",
    "remoteUser",
}


def _container() -> dict[str, Any]:
    return json.loads((FOLDER / "devcontainer.json").read_text())


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^ *#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def _stages() -> dict[str, list[tuple[str, str]]]:
    stages: dict[str, list[tuple[str, str]]] = {}
    for name, rest in _instructions():
        if name == "FROM":
            stages[rest.split(" AS ")[1]] = []
        list(stages.values())[-1].append((name, rest))
    return stages


def test_base_is_pinned_by_its_digest_and_is_that_of_the_other_images() -> None:
    bases = [rest.split()[0] for name, rest in _instructions() if name == "FROM"]
    outside = [base for base in bases if base not in _stages()]
    assert len(outside) == 1
    assert re.fullmatch(r"docker\.io/[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", outside[0])
    others = [file.read_text() for file in sorted((ROOT / "containers").glob("*/Containerfile"))]
    assert any(f"FROM {outside[0]}" in text for text in others), "tools.image_digests renews them together"


@pytest.mark.parametrize("stage", _stages())
def test_last_user_of_a_stage_is_not_root(stage: str) -> None:
    def last_user(name: str) -> str | None:
        users = [rest for instruction, rest in _stages()[name] if instruction == "USER"]
        base = _stages()[name][0][1].split()[0]
        return users[-1] if users else last_user(base) if base in _stages() else None

    assert last_user(stage) == "dev"
    assert "useradd --create-home --home-dir /opt/dev --uid 1000 --shell /bin/bash dev" in DOCKERFILE


def test_what_is_copied_exists() -> None:
    sources = [
        source
        for name, rest in _instructions()
        if name in ("COPY", "ADD")
        for source in [word for word in rest.split() if not word.startswith("--")][:-1]
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_what_must_not_be_in_an_image_is_left_out() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    for name in (".git", ".venv", "site", "gha-creds-*.json"):
        assert name in ignored


def test_toolchain_comes_from_the_archive_that_a_variable_names() -> None:
    tools = [f"{name} {rest}" for name, rest in _stages()["tools"]]
    assert f'ARG {archive.VARIABLE}=""' in tools
    assert tools.index(f'ARG {archive.VARIABLE}=""') < tools.index("RUN make setup")
    assert archive.named({archive.VARIABLE: ""}) is None, "without the argument the tools are compiled"
    assert _container()["containerEnv"] == {archive.VARIABLE: f"${{localEnv:{archive.VARIABLE}}}"}


def test_container_has_known_properties_and_names_what_exists() -> None:
    container = _container()
    assert set(container) == PROPERTIES
    build = container["build"]
    assert (FOLDER / build["dockerfile"]).is_file()
    assert (FOLDER / build["context"]).resolve() == ROOT
    assert build["target"] in _stages()
    assert container["remoteUser"] == "dev"
    target = re.search(r"^setup:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert container["postCreateCommand"] == "make setup"
    assert target is not None


def test_volume_is_mounted_on_a_folder_of_the_user() -> None:
    (mount,) = _container()["mounts"]
    options = dict(option.split("=") for option in mount.split(","))
    assert options == {"source": "ai-platform-cache", "target": "/opt/dev/.cache", "type": "volume"}
    assert f"install --directory --owner dev --group dev {options['target']}" in DOCKERFILE
