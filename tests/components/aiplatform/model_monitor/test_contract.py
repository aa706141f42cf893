"""The arguments are those of the program in containers/model_monitor: its source is compared, since its
packages are not installed here."""

from __future__ import annotations

import ast
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from aiplatform._shared.args import read
from aiplatform.model_monitor import declarations
from aiplatform.model_monitor.args import ModelMonitorSettings
from aiplatform.model_monitor.columns import MOST, P_VALUES, SCORES
from aiplatform.model_monitor.monitors import ERRORS, OF_CLASSES, ModelMonitorLabels, MonitoredModel
from aiplatform.model_monitor.tables import REQUESTS
from tests.components.aiplatform.model_monitor.example import LABELS, arguments

SOURCE = Path(__file__).parents[4] / "containers" / "model_monitor" / "model_monitor" / "declaration.py"
TREE = ast.parse(SOURCE.read_text())
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}


def constant(name: str) -> Any:
    """A constant of the module; names in it are those of other constants."""
    for node in TREE.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.AnnAssign):
            assert node.value is not None
            value = node.value
            if isinstance(value, ast.Call):
                [value] = value.args
            known = {entry.id: constant(entry.id) for entry in ast.walk(value) if isinstance(entry, ast.Name)}
            return eval(compile(ast.Expression(value), "constant", "eval"), known)  # noqa: S307 - our source
    raise AssertionError(f"{SOURCE.name} has no {name}")


def keys(name: str) -> dict[str, Any]:
    """Key -> default of a class; `...` where it is required."""
    defaults: dict[str, Any] = {}
    for node in CLASSES[name].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            try:
                defaults[node.target.id] = ... if node.value is None else ast.literal_eval(node.value)
            except ValueError:
                defaults[node.target.id] = None
    return defaults


def test_scores_and_limits_are_those_of_the_program() -> None:
    assert {kind: set(scores) for kind, scores in constant("DEFAULTS").items()} == {
        kind: set(scores) for kind, scores in SCORES.items()
    }
    assert constant("_MOST") == MOST
    assert constant("TESTS") == set(P_VALUES)
    assert {name for name, lower in constant("METRICS").items() if lower} == set(ERRORS)
    assert constant("_BINARY") == set(OF_CLASSES)
    assert set(constant("FIXED")) == set(REQUESTS)


def test_defaults_are_those_of_the_program() -> None:
    program = keys("Monitor")
    for field in fields(MonitoredModel):
        if field.name in program and field.default not in (MISSING, None):
            assert program[field.name] == field.default, field.name
    [delay] = [field.default for field in fields(ModelMonitorLabels) if field.name == "delay_hours"]
    assert keys("Labels")["delay_hours"] == delay


def test_the_file_has_the_keys_that_the_program_reads() -> None:
    args: Any = arguments("aws", monitor={"labels": LABELS})
    monitor = read(ModelMonitorSettings, args, "Args").teams["search"].monitors["fares"]
    known = declarations.declaration(monitor)
    assert set(known) == set(keys("Monitor"))
    assert set(known["labels"]) == set(keys("Labels"))
    expected = {*keys("_Compared"), *keys("Column")}
    assert all(set(column) == expected for column in (*known["columns"], *known["predictions"]))
