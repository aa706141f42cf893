"""Which tests a change needs."""

from __future__ import annotations

import re
import subprocess

import pytest

from tools import changed_tests
from tools.changed_tests import ROOT


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.splitlines()


def test_every_file_of_the_repository_has_a_rule() -> None:
    assert not changed_tests.untested(tracked()), "tests/changed.toml states what a change of them needs"


def test_every_rule_matches_a_file_and_names_tests_that_exist() -> None:
    files = tracked()
    for rule in changed_tests.rules():
        assert any(re.fullmatch(rule["changed"], file) for file in files), f"{rule['changed']}: no such file"
        missing = [test for test in rule["run"] if "{" not in test and not (ROOT / test).exists()]
        missing += [
            name
            for name in rule.get("controllers", [])
            if not (ROOT / "tests" / "controllers" / name).exists()
        ]
        assert not missing, f"{rule['changed']} names tests that do not exist"


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("components/aiplatform/lakehouse/aws_tables.py", "tests/end_to_end/test_lakehouse.py"),
        ("components/aiplatform/queues/args.py", "tests/components/aiplatform/queues"),
        ("twin/aws/services/glue/validation/catalog.py", "twin/tests/aws/services/glue"),
        ("twin/gcp/services/container/data.py", "tests/end_to_end/test_gcp_dev.py"),
        ("twin/tests/test_store.py", "twin/tests/test_store.py"),
        ("containers/cost_control/cost_control/queues.py", "tests/containers/test_cost_control.py"),
        ("stacks/teams.py", "tests/stacks"),
    ],
)
def test_a_change_is_tested_where_it_has_an_effect(path: str, test: str) -> None:
    tests = changed_tests.selected([path])
    assert any(test == selected or test.startswith(f"{selected}/") for selected in tests), tests


def test_a_test_that_another_one_contains_runs_once() -> None:
    tests = changed_tests.selected(["twin/store.py", "twin/tests/test_store.py"])
    assert "twin/tests" in tests
    assert "twin/tests/test_store.py" not in tests


def test_controllers_are_named_and_not_run() -> None:
    paths = ["components/aiplatform/queues/args.py"]
    assert "test_kueue.py" in changed_tests.selected(paths, "controllers")
    assert not [test for test in changed_tests.selected(paths) if "controllers" in test]
