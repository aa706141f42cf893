"""`aiplatform toolchain pack`: what it packs, and what it refuses."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app as application
from cli.output import CommandError
from twin.toolchain import build, charts
from twin.toolchain.build_specs import recipes
from twin.toolchain.cache import Cache
from twin.toolchain.versions import read_versions

RUNNER = CliRunner()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """The cache of a machine that has built the tools and fetched the charts, and no tool on PATH."""
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("twin.toolchain.build.find_pulumi", lambda versions, ours: None)
    cache = Cache()
    known = recipes(read_versions())
    for name in build.ALL:
        if name in known:
            file = cache.tools / known[name].key / known[name].binary
            file.parent.mkdir(parents=True)
            file.write_text(name)
    charts.folder().mkdir()
    return cache


def test_tools_of_every_environment_and_the_charts_are_packed(cache: Cache, tmp_path: Path) -> None:
    file = tmp_path / "tools.tar.gz"
    result = RUNNER.invoke(application.app, ["toolchain", "pack", str(file)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with tarfile.open(file) as content:
        names = {member.name.partition("/")[0].rpartition("-")[0] for member in content}
    assert {name.partition("-")[0] for name in names} == {"controlplane", "pulumi", "kubernetes", "charts"}
    assert f"AIPLATFORM_TOOLCHAIN={file}#sha256=" in result.output, "the line to use it can be copied"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--with", "kueu"], "--with kueu: no such tool; did you mean 'kueue'?"),
        (["--with", "kueue"], "not built: kueue"),
    ],
)
def test_tool_that_cannot_be_packed_is_named(
    cache: Cache, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    file = tmp_path / "tools.tar.gz"
    with pytest.raises(CommandError, match=problem.replace("?", r"\?")):
        RUNNER.invoke(application.app, ["toolchain", "pack", str(file), *arguments], catch_exceptions=False)
    assert not file.exists()


def test_machine_without_the_tools_is_told_how_to_build_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr("twin.toolchain.build.find_pulumi", lambda versions, ours: None)
    with pytest.raises(CommandError, match="not built: controlplane, pulumi, kubernetes-provider, charts"):
        RUNNER.invoke(
            application.app, ["toolchain", "pack", str(tmp_path / "tools.tar.gz")], catch_exceptions=False
        )
