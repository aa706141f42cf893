"""Tools are built once, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from twin.tests.toolchain.building import FakeMaker, Recorded, builds, fake_recipe
from twin.toolchain import cache as cache_module
from twin.toolchain.build_specs import Recipe
from twin.toolchain.cache import Cache, cache_dir
from twin.toolchain.errors import ToolchainError
from twin.toolchain.progress import Step
from twin.toolchain.store import Store

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _asks_often_whether_the_other_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "POLL_SECONDS", 0.02)


def start_build(root: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "twin.tests.toolchain.building", str(root), str(seconds)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_half_made(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "half-made":
            return
    pytest.fail("the build ended before it began")


def test_two_processes_that_start_at_once_build_once_and_the_second_says_what_it_waits_for(
    tmp_path: Path,
) -> None:
    first = start_build(tmp_path, 60)
    wait_until_half_made(first)
    second = start_build(tmp_path, 0)
    assert second.stdout is not None
    waiting = next((line for line in second.stdout if "waiting for process" in line), "")
    assert f"waiting for process {first.pid}, which builds tool" in waiting
    (tmp_path / "end").touch()
    second_output, _ = second.communicate(timeout=20)
    first_output, _ = first.communicate(timeout=20)
    assert first.returncode == second.returncode == 0, first_output + second_output
    assert builds(tmp_path) == ["tool"], "the second process must use what the first one built"
    assert "ready tool" in second_output


def test_a_build_that_is_killed_leaves_no_tool_and_the_next_one_cleans_up_and_succeeds(
    tmp_path: Path,
) -> None:
    killed = start_build(tmp_path, 30)
    wait_until_half_made(killed)
    killed.kill()
    killed.wait()
    cache = Cache(tmp_path / "cache")
    recipe = fake_recipe(tmp_path)
    store = Store(cache, Recorded(), FakeMaker())
    assert store.installed(recipe) is None, "a half-made tool must not look like a finished one"
    left = list((cache.root / "tmp").iterdir())
    assert left, "the killed build was in the middle of its work"

    store.ensure([recipe], lambda name, path: None)

    assert store.installed(recipe) is not None
    assert not list((cache.root / "tmp").iterdir()), "what the killed build left must be gone"
    assert not (cache.root / "build.owner.json").exists()


def test_a_build_that_fails_leaves_nothing_and_lets_go_of_the_lock(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    recipe = fake_recipe(tmp_path)
    with pytest.raises(RuntimeError, match="the compiler said no"):
        Store(cache, Recorded(), FakeMaker(fails=True)).ensure([recipe], lambda name, path: None)
    assert not list(cache.tools.iterdir())
    assert not list((cache.root / "tmp").iterdir())
    Store(cache, Recorded(), FakeMaker()).ensure([recipe], lambda name, path: None)
    assert builds(tmp_path) == ["tool", "tool"]


def test_a_tool_that_is_there_is_not_built_again_and_takes_no_lock(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    recipe = fake_recipe(tmp_path)
    Store(cache, Recorded(), FakeMaker()).ensure([recipe], lambda name, path: None)
    progress = Recorded()
    paths: dict[str, Path] = {}
    Store(cache, progress, FakeMaker()).ensure([recipe], paths.__setitem__)
    assert builds(tmp_path) == ["tool"]
    assert paths["tool"].read_text() == "tool 1.0.0"
    assert progress.lines == [], "nothing is done, so nothing is shown"


def test_each_tool_is_reported_as_soon_as_it_is_there_while_the_next_one_is_still_to_come(
    tmp_path: Path,
) -> None:
    recipes = [fake_recipe(tmp_path, "one"), fake_recipe(tmp_path, "two")]
    maker = FakeMaker()
    order: list[tuple[str, list[str]]] = []
    progress = Recorded()
    Store(Cache(tmp_path / "cache"), progress, maker).ensure(
        recipes, lambda name, path: order.append((name, builds(tmp_path)))
    )
    assert order == [("one", ["one"]), ("two", ["one", "two"])]
    assert progress.lines[1] == (
        "To be built, once: one 1.0.0, two 1.0.0. On two cores this takes about 2 minutes."
    ), "a user who waits for minutes knows for what, and how long"
    assert maker.downloaded == ["two"], "the second one's modules are fetched while the first one compiles"


def _installed(cache: Cache, name: str, version: str) -> Path:
    key = f"{name}-{version}"
    with cache.temporary(name) as folder:
        (folder / name).symlink_to("/bin/sleep")
        place = cache.install(folder, name, key)
    seconds = int(version.replace(".", ""))  # a clock may not distinguish two installations of a test
    os.utime(place, (seconds, seconds))
    return place


def test_of_older_versions_the_latest_stays_and_what_a_process_runs_from(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with cache.locked("a test", Recorded(), lambda: False):
        first = _installed(cache, "tool", "1.0.0")
        with subprocess.Popen([str(first / "tool"), "60"]) as running:
            try:
                _installed(cache, "tool", "1.1.0")
                _installed(cache, "tool-of-another-kind", "1.0.0")
                _installed(cache, "tool", "1.2.0")
                _installed(cache, "tool", "1.3.0")
                left = {folder.name for folder in cache.tools.iterdir()}
            finally:
                running.kill()
        assert left == {"tool-1.0.0", "tool-1.2.0", "tool-1.3.0", "tool-of-another-kind-1.0.0"}
        _installed(cache, "tool", "1.4.0")
        assert not first.exists(), "nothing runs from it any more"


def test_a_version_that_was_used_in_the_last_day_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with cache.locked("a test", Recorded(), lambda: False):
        for version in ("1.0.0", "1.1.0"):
            cache.use(_installed(cache, "charts", version))
        for version in ("1.2.0", "1.3.0"):
            _installed(cache, "charts", version)
        left = {folder.name for folder in cache.tools.iterdir()}
    assert left == {"charts-1.0.0", "charts-1.1.0", "charts-1.3.0"}, "no process runs from charts"


def test_two_threads_of_one_process_build_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    recipe = fake_recipe(tmp_path)
    threads = [
        threading.Thread(
            target=Store(cache, Recorded(), FakeMaker(0.1)).ensure, args=([recipe], lambda name, path: None)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert builds(tmp_path) == ["tool"]


def test_a_change_in_the_modules_inputs_makes_another_tool(tmp_path: Path) -> None:
    recipe = fake_recipe(tmp_path)
    before = recipe.key
    (recipe.folder / "go.sum").write_text("example.com/module v1.0.0 h1:abc=\n")
    assert recipe.key != before
    assert recipe.key.startswith("tool-1.0.0-")


def test_where_the_repository_lies_does_not_change_the_key(tmp_path: Path) -> None:
    assert fake_recipe(tmp_path / "here").key == fake_recipe(tmp_path / "there").key


def test_a_recipe_whose_build_leaves_no_binary_is_reported_as_a_defect(tmp_path: Path) -> None:
    class Idle(FakeMaker):
        def make(self, recipe: Recipe, into: Path, step: Step) -> None:
            pass

    with pytest.raises(ToolchainError, match="left no tool"):
        Store(Cache(tmp_path), Recorded(), Idle()).ensure([fake_recipe(tmp_path)], lambda name, path: None)


def test_the_cache_folder_is_the_variables_or_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("AIPLATFORM_CACHE")
    assert cache_dir().name == "ai-platform"


def test_a_cache_folder_that_cannot_be_made_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    with pytest.raises(ToolchainError) as caught:
        Store(cache, Recorded(), FakeMaker()).ensure([fake_recipe(tmp_path)], lambda name, path: None)
    assert "AIPLATFORM_CACHE" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_cleaning_up_removes_what_go_made_read_only(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    locked = cache.root / "tmp" / "build-1" / "modules" / "example.com"
    locked.mkdir(parents=True)
    (locked / "go.mod").touch()
    locked.chmod(0o555)
    locked.parent.chmod(0o555)
    Store(cache, Recorded(), FakeMaker()).ensure([fake_recipe(tmp_path)], lambda name, path: None)
    assert not list((cache.root / "tmp").iterdir())
