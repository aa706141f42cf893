"""Which mistakes are made of a file, and that the file has nothing else changed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import mutate
from tools.mutations import Mutations, all_mutations

SOURCE = '''"""A module: nothing of its docstring changes."""

from a import b


@dataclass(frozen=True)
class Settings:
    """A class."""

    size: int = 3
    """An attribute."""


def make(name, *, there=True):
    if not there and name == f"the-{name}":
        return call(name, public=False, action="s3:GetObject")
    return {"a": 1} if name else None
'''


@pytest.mark.parametrize(
    ("kind", "line", "before", "after"),
    [
        ("flag", 14, "there=True", "there=False"),
        ("flag", 16, "public=False", "public=True"),
        ("number", 10, "= 3", "= 4"),
        ("number", 17, '"a": 1', '"a": 2'),
        ("text", 15, '"the-', '"the-X'),
        ("text", 16, '"s3:GetObject"', '"s3:GetObjectX"'),
        ("text", 17, '"a"', '"aX"'),
        ("comparison", 15, "name ==", "name !="),
        ("logic", 15, "there and", "there or"),
        ("logic", 15, "not there", "there"),
        ("condition", 17, "if name", "if not name"),
        ("argument", 16, "name, public=False, action", "name, action"),
        ("argument", 16, ', action="s3:GetObject")', ")"),
        ("entry", 17, '{"a": 1}', "{}"),
    ],
)
def test_each_kind_of_mistake_changes_one_place(kind: str, line: int, before: str, after: str) -> None:
    lines: list[str] = list(SOURCE.splitlines())
    assert before in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(before, after, 1)
    expected = "\n".join(lines) + "\n"
    matches = [
        mutation for mutation in all_mutations(SOURCE) if mutation.kind == kind and mutation.line == line
    ]
    # The argument before a removed one may keep its comma.
    assert expected in [mutation.code.replace(", )", ")") for mutation in matches]


def test_docstrings_imports_and_decorators_stay() -> None:
    assert {mutation.line for mutation in all_mutations(SOURCE)} == {10, 14, 15, 16, 17}
    assert all(mutation.code != SOURCE for mutation in all_mutations(SOURCE)), "each is a change"


def test_a_file_says_how_many_places_it_has() -> None:
    mutations = Mutations(SOURCE)
    assert mutations.count("flag") == 2
    assert mutations.count("unknown") == 0
    assert set(mutations.kinds()) <= set(mutate.KINDS), "the sample takes all kinds in turn"


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    first, again, other = (
        [(mutant.path, mutant.mutation.code) for mutant in mutate.sample(seed, 8, "aiplatform/efa_plugin")]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_component_is_tried_with_its_own_tests_and_inventories() -> None:
    tests = mutate.nearest_tests(Path("components/aiplatform/network/aws/build.py"))
    assert tests[-1] == "tests/components/aiplatform/network"
    assert any("[tests/inventories/components/network/aws.yaml]" in test for test in tests)
    shared = mutate.nearest_tests(Path("components/aiplatform/_shared/images.py"))
    assert shared[:2] == [mutate.INVENTORIES, "tests/components/aiplatform/_shared/test_images.py"]


def test_what_found_a_mistake_is_read_from_the_output_of_pytest() -> None:
    output = "....F\nFAILED tests/a/test_b.py::test_c - AssertionError: x\n1 failed"
    assert mutate.first_failure(output) == "tests/a/test_b.py::test_c"
    assert mutate.first_failure("Killed") == "the tests did not run"


def test_a_parameter_with_spaces_belongs_to_the_test_that_found_a_mistake() -> None:
    output = "FAILED tests/a/test_b.py::test_c[one of two] - AssertionError: x\n1 failed"
    assert mutate.first_failure(output) == "tests/a/test_b.py::test_c[one of two]"


class Runs:
    """What a run of tests answers: the first test that fails, by the options of the run."""

    def __init__(self, copy: mutate.Copy, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.runs: list[list[str]] = []
        self.answers = list(answers)
        monkeypatch.setattr(copy, "_run", self.run)

    def run(self, arguments: Sequence[str], *, compiled: bool = False) -> str:
        self.runs.append(list(arguments))
        return self.answers.pop(0)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mutate.Copy:
    """A copy of a tree with one test."""
    monkeypatch.setattr(mutate, "ROOT", tmp_path / "tree")
    test = tmp_path / "tree" / "tests" / "test_a.py"
    test.parent.mkdir(parents=True)
    test.touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "tree", check=True)  # noqa: S607
    return mutate.Copy(tmp_path / "copy")


def test_a_tier_that_fails_without_a_mistake_ends_the_tool(
    copy: mutate.Copy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = Runs(copy, monkeypatch, "", "tests/test_a.py::test_x")
    monkeypatch.setattr(mutate, "Copy", lambda folder: copy)
    monkeypatch.setattr(mutate, "sample", lambda *_: iter(()))
    monkeypatch.setattr("sys.argv", ["mutate"])
    with pytest.raises(SystemExit) as ended:
        mutate.main()
    assert ended.value.code == 2, "1 is for mistakes that no test found"
    assert "without any mutation tests/test_a.py::test_x fails" in capsys.readouterr().err
    assert tests.runs[1] == [mutate.UNIT], "the whole tier, as `make test-unit` runs it"


@pytest.fixture
def mutant(copy: mutate.Copy) -> mutate.Mutant:
    """A mutation of a component in the copy."""
    path = mutate.COMPONENTS / "network" / "aws.py"
    (copy.folder / path).parent.mkdir(parents=True)
    (copy.folder / path).write_text(SOURCE)
    return mutate.Mutant(path, next(iter(all_mutations(SOURCE))))


def test_a_test_that_fails_without_the_mistake_too_has_not_found_it(
    copy: mutate.Copy, mutant: mutate.Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, right = "tests/test_a.py::test_slow", "tests/test_a.py::test_right"
    runs = Runs(copy, monkeypatch, "", slow, slow, right, "")
    assert mutate.trial(copy, mutant, whole=True)[0] == f"{right} (whole unit tier)"
    assert runs.runs[3] == [mutate.UNIT, f"--deselect={slow}"]
    assert (copy.folder / mutant.path).read_text() == SOURCE, "as it was"


def test_a_run_that_does_not_end_has_found_the_mistake(
    copy: mutate.Copy, mutant: mutate.Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    Runs(copy, monkeypatch, "", "the time limit")
    assert mutate.trial(copy, mutant, whole=True)[0] == "the time limit (whole unit tier)"


def test_the_unit_tier_is_selected_by_one_file() -> None:
    assert f"pytest {mutate.UNIT}" in (mutate.ROOT / "Makefile").read_text()
    assert (mutate.ROOT / mutate.UNIT.removeprefix("@")).is_file()
