"""Which mistakes are made of a file, and that the file has nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutate
from tools.mutations import Mutations, found

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
    made = [each for each in found(SOURCE) if each.kind == kind and each.line == line]
    # What stands before a removed argument may keep its comma.
    assert expected in [each.code.replace(", )", ")") for each in made]


def test_docstrings_imports_and_decorators_stay() -> None:
    assert {each.line for each in found(SOURCE)} == {10, 14, 15, 16, 17}
    assert all(each.code != SOURCE for each in found(SOURCE)), "each is a change"


def test_a_file_says_how_many_places_it_has() -> None:
    mutations = Mutations(SOURCE)
    assert mutations.count("flag") == 2
    assert mutations.count("unknown") == 0
    assert set(mutations.kinds()) <= set(mutate.KINDS), "the sample takes all kinds in turn"


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    first, again, other = (
        [(each.path, each.mutation.code) for each in mutate.sample(seed, 8, "components/aiplatform/efa_plugin")]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_component_is_tried_with_its_own_tests_and_inventories() -> None:
    tests = mutate.nearest_tests(Path("components/aiplatform/network/aws.py"))
    assert tests[-1] == "tests/components/aiplatform/network"
    assert any("[tests/inventories/components/network/aws.yaml]" in each for each in tests)
    shared = mutate.nearest_tests(Path("components/aiplatform/_images.py"))
    assert shared[:2] == [mutate.INVENTORIES, "tests/components/aiplatform/test_images.py"]


def test_what_found_a_mistake_is_read_from_the_output_of_pytest() -> None:
    output = "....F\nFAILED tests/a/test_b.py::test_c - AssertionError: x\n1 failed"
    assert mutate.first_failure(output) == "tests/a/test_b.py::test_c"
    assert mutate.first_failure("Killed") == "the tests did not run"
