"""Imports point one way, and the tree keeps its shape."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path

import pytest

from tests.generating import examples

ROOT = Path(__file__).parents[1]
PARTS = ("aiplatform", "stacks", "policies", "twin", "cli")
# Part -> the parts that it may import. `components/` is the package aiplatform.
IMPORTS = {
    "aiplatform": set[str](),
    "stacks": {"aiplatform"},
    "policies": set[str](),
    "twin": set[str](),
    "cli": {"twin"},
}


def _sources(part: str) -> Iterator[Path]:
    folder = ROOT / "components" / part if part == "aiplatform" else ROOT / part
    yield from folder.rglob("*.py")


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("part", PARTS)
def test_imports_point_one_way(part: str) -> None:
    others = set(PARTS) - IMPORTS[part] - {part}
    # Most files name none of them in the line of an import: these are not parsed.
    named = re.compile(rf"^\s*(?:from|import)\b.*\b(?:{'|'.join(others)})\b", re.MULTILINE)
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in _sources(part)
        if named.search(file.read_text())
        for name in _imports(file) & others
    }
    assert not wrong, f"{part} may import {IMPORTS[part] or 'no other part'}"


def _modules() -> dict[str, Path]:
    """Module -> file, of all parts."""
    modules: dict[str, Path] = {}
    for part in PARTS:
        base = ROOT / "components" if part == "aiplatform" else ROOT
        for file in _sources(part):
            if file.is_relative_to(ROOT / "twin" / "tests"):
                continue
            parts = file.relative_to(base).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return modules


def _imported(tree: ast.AST, package: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Modules that a module of a package needs when it runs, also those that a function imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            names = (f"{source}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else source for name in names)
        elif not isinstance(node, ast.expr):
            yield from _imported(node, package, modules)


def _imported_by(name: str, modules: Mapping[str, Path]) -> set[str]:
    package = name if modules[name].name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(modules[name].read_text())
    return {other for other in _imported(tree, package, modules) if other in modules}


def test_no_module_imports_itself_through_others() -> None:
    modules = _modules()
    graph = {name: _imported_by(name, modules) for name in modules}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_components_and_stacks_do_not_know_of_the_twin() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for part in ("aiplatform", "stacks")
        for file in _sources(part)
        if re.search(r"\b(twin|moto|kwok|AIPLATFORM_)\b", file.read_text())
    ]
    assert not wrong, "the program is the same with real credentials"


def test_components_never_read_the_configuration() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for file in _sources("aiplatform")
        if re.search(r"pulumi\.(Config|get_stack|get_project)\b", file.read_text())
    ]
    assert not wrong, "a component is configured by its arguments"


def test_wheel_depends_only_on_pulumi_and_the_cloud_sdks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=!~\[ ]", line)[0] for line in project["dependencies"]}
    sdks = {"pulumi", "pulumi-aws", "pulumi-gcp", "pulumi-kubernetes"}
    small = {"requests", "tenacity", "promql-parser", "grafana-foundation-sdk", "statelint"}
    assert names <= sdks | small, "twin, cli and tests are groups; the small ones need little else"


def _tracked() -> list[Path]:
    output = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return [ROOT / line for line in output.stdout.splitlines()]


def test_no_python_file_is_much_over_400_lines() -> None:
    written = {ROOT / path for path in examples.paths()}  # by a program
    long = [
        f"{file.relative_to(ROOT)}: {count}"
        for file in _tracked()
        if file not in written
        and file.suffix == ".py"
        and file.is_file()
        and (count := len(file.read_text().splitlines())) > 450
    ]
    assert not long, "split them by what they are about"


def test_no_committed_file_names_a_machines_path() -> None:
    # Built so that this file does not name one itself.
    paths = [f"/{top}/" for top in ("work", "home")] + ["/".join(("", "root", ""))]
    texts = {
        file: file.read_text(errors="ignore")
        for file in _tracked()
        if file.is_file() and file.name not in {"uv.lock", "go.sum"}
    }
    wrong = [
        f"{file.relative_to(ROOT)}: {path}"
        for file, text in texts.items()
        for path in paths
        # GKE's nodes have their programs in /home/kubernetes/bin.
        if path in text and re.search(rf"(?<![\w./-]){re.escape(path)}(?!kubernetes/bin\b)", text)
    ]
    assert not wrong, "what is committed holds on every machine"
