"""The TypedDicts of arguments are generated from the dataclasses that declare them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.generating import inputs

HEAD = """
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pulumi import Input

"""
SAMPLE = f'''{HEAD}
@dataclass(frozen=True)
class SampleSettings:
    """A sample."""

    name: Annotated[str, lambda value: None]
    """Its name."""
    group: "Input[Annotated[str, len]] | None" = None
    """Its group,
    in two lines."""
    subnets: Input[list[Input[str]]] = field(default_factory=list)
    """Its subnets."""
    tags: Input[dict[str, Input[str]]] = field(default_factory=dict)
    """Its tags."""
    mode: Literal["a", "b"] = "a"
    """How it works."""
    admins: list[Input[str]] = field(default_factory=list)
    """Its admins."""
    parts: list["Part"] = field(default_factory=list)
    """What it consists of."""


@dataclass(frozen=True)
class Part:
    """A part."""

    size: int
    """Its size."""
'''
GENERATED = '''class PartArgs(TypedDict):
    """A part."""

    size: int
    """Its size."""


class SampleArgs(TypedDict):
    """A sample."""

    name: str
    """Its name."""
    group: NotRequired[Input[str]]
    """Its group,
    in two lines."""
    subnets: NotRequired[Input[Sequence[Input[str]]]]
    """Its subnets."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Its tags."""
    mode: NotRequired[Literal["a", "b"]]
    """How it works."""
    admins: NotRequired[Sequence[Input[str]]]
    """Its admins."""
    parts: NotRequired[list[PartArgs]]
    """What it consists of."""
'''


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("generated_sample", "generated_silent"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_typed_dict_has_the_keys_types_and_docstrings_of_the_dataclass(sources: Path) -> None:
    (sources / "generated_sample.py").write_text(SAMPLE)
    text = inputs.text(("generated_sample",))
    assert text.endswith(GENERATED), "rules are dropped, a default makes a key optional, parts come first"
    imports = (
        "from collections.abc import Mapping, Sequence\nfrom typing import Literal, NotRequired, TypedDict\n"
    )
    assert f"{imports}\nfrom pulumi import Input\n" in text


COMMON = f'''{HEAD}
@dataclass(frozen=True, kw_only=True)
class Common:
    """What samples have in common."""

    group: str
    """Its group."""
    tags: dict[str, str] = field(default_factory=dict)
    """Its tags."""
'''
INHERITING = """
from dataclasses import dataclass

from generated_sample import Common


@dataclass(frozen=True)
class InheritingSettings(Common):
    '''A sample.'''

    name: str
    '''Its name.'''
    size: int = 1
    '''Its size.'''
"""


def test_inherited_arguments_have_the_docstrings_of_their_class(sources: Path) -> None:
    (sources / "generated_sample.py").write_text(COMMON)
    (sources / "generated_silent.py").write_text(INHERITING)
    generated = inputs.text(("generated_silent",)).partition("class InheritingArgs(TypedDict):\n")[2]
    assert generated == (
        '    """A sample."""\n\n'
        '    group: str\n    """Its group."""\n'
        '    name: str\n    """Its name."""\n'
        '    size: NotRequired[int]\n    """Its size."""\n'
        '    tags: NotRequired[dict[str, str]]\n    """Its tags."""\n'
    ), "inherited ones with a default come last"


def test_an_argument_without_a_docstring_is_refused(sources: Path) -> None:
    silent = f'{HEAD}\n@dataclass(frozen=True)\nclass SilentSettings:\n    """It."""\n\n    name: str\n'
    (sources / "generated_silent.py").write_text(silent)
    with pytest.raises(KeyError, match="SilentSettings: no docstring of name"):
        inputs.text(("generated_silent",))
