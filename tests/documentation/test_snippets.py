"""Parts of environment files and Python programs in the pages that users read are right as far as they go."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.documentation.blocks import ROOT, Block, blocks

SCHEMA: Final = json.loads((ROOT / "environments" / "schema.json").read_text())
_TOPIC: Final = re.compile(r"^ *ai-platform:\w+:", re.MULTILINE)
_EXCERPT: Final = re.compile(r"# (environments/Pulumi\.[\w-]+\.yaml) \(an excerpt\)")
_PYTHON: Final = re.compile(r"^(from [\w.]+ import |import [\w.]+$)", re.MULTILINE)
ELSEWHERE: Final = {"feast", "kubeflow", "mlflow"}
"""Packages of programs that use the platform from elsewhere; tests with the real engine install them."""


def _loaded(text: str) -> Any:
    return YAML(typ="safe").load(StringIO(text))


def _files() -> list[Block]:
    return [block for block in blocks() if not block.is_span and _TOPIC.search(block.text)]


def _programs() -> list[Block]:
    return [
        block
        for block in blocks()
        if block.language == "python"
        or (not block.language and not block.is_span and _PYTHON.search(block.text))
    ]


def _problems(text: str) -> list[str]:
    """Return what the schema refuses of a part of an environment file, but not that something is left out."""
    content = _without_ellipses(_loaded(text))
    config = content.get("config", content)
    topics = {name: value for name, value in config.items() if name.startswith("ai-platform:")}
    whole = {"$defs": SCHEMA["$defs"], **SCHEMA["properties"]["config"]}
    return [
        f"{error.json_path}: {error.message}"
        for error in _leaves(Draft202012Validator(whole).iter_errors(topics))
        if error.validator not in ("required", "dependentRequired")
    ]


def _without_ellipses(value: Any) -> Any:
    """Return a value without what stands for further entries."""
    if isinstance(value, dict):
        return {key: _without_ellipses(item) for key, item in value.items() if key != "..."}
    if isinstance(value, list):
        return [_without_ellipses(item) for item in value if item != "..."]
    return value


def _leaves(errors: Any) -> Any:
    """Yield errors, without those of alternatives of which one only misses what the part leaves out."""
    for error in errors:
        alternatives: dict[Any, list[Any]] = {}
        for inner in error.context or ():
            alternatives.setdefault(inner.schema_path[0], []).append(inner)
        if not any(all(inner.validator == "required" for inner in part) for part in alternatives.values()):
            yield error


def test_pages_have_snippets() -> None:
    assert len(_files()) > 30
    assert len(_programs()) > 60


@pytest.mark.parametrize("block", _files(), ids=str)
def test_part_of_an_environment_file_matches_the_schema(block: Block) -> None:
    assert not _problems(block.text), str(block)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ai-platform:gpu_pools: {t4: {accelerator: t4, cuont: 1}}", "cuont"),
        ("ai-platform:gpu_pool: {}", "gpu_pool"),
        ("ai-platform:teams: {search: {owners: group}}", "is not of type 'array'"),
    ],
)
def test_wrong_part_of_a_file_is_a_problem(text: str, problem: str) -> None:
    assert problem in " ".join(_problems(text))


@pytest.mark.parametrize(
    ("block", "path"),
    [(block, match[1]) for block in _files() if (match := _EXCERPT.search(block.text))],
    ids=str,
)
def test_excerpt_is_a_part_of_its_file(block: Block, path: str) -> None:
    assert _contains(_loaded((ROOT / path).read_text())["config"], _loaded(block.text)), (
        f"{block}: {path} differs"
    )


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            _contains(whole.get(key), value) for key, value in part.items()
        )
    return whole == part


@pytest.mark.parametrize("block", _programs(), ids=str)
def test_program_compiles_and_imports_what_exists(block: Block) -> None:
    tree = ast.parse(block.text, filename=str(block))
    for node in ast.walk(tree):
        for module, names in _imports(node):
            top = module.partition(".")[0]
            if top in ELSEWHERE:
                continue
            assert importlib.util.find_spec(top), f"{block}: {top}: not installed, and not in ELSEWHERE"
            if top == "aiplatform":
                package = importlib.import_module(module)
                missing = [
                    name
                    for name in names
                    if not hasattr(package, name) and not importlib.util.find_spec(f"{module}.{name}")
                ]
                assert not missing, f"{block}: {module} has no {missing}"


def _imports(node: ast.AST) -> list[tuple[str, list[str]]]:
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "", [alias.name for alias in node.names])]
    if isinstance(node, ast.Import):
        return [(alias.name, []) for alias in node.names]
    return []
