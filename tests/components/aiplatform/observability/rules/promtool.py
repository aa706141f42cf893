"""Rules in the real promtool, from PATH or from the cache of tools; `make test-controllers` builds it."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from aiplatform.observability.rule_types import Recording, RuleGroup
from twin.toolchain import build

CASES: Final = Path(__file__).with_name("cases")


@dataclass(frozen=True)
class Case:
    """Series, and the alerts of one name that fire at a time."""

    alert: str
    case: str
    series: Mapping[str, str]
    at: str
    alerts: Sequence[Mapping[str, str]] = field(default=())

    def as_test(self, severities: Mapping[Any, str]) -> dict[str, Any]:
        """Return promtool's test. severities: of an alert, or of an alert and its long window."""
        expected = [
            {
                "exp_labels": {
                    "severity": severities[(self.alert, labels.get("long_window"))],
                    **labels,
                }
            }
            for labels in self.alerts
        ]
        return {
            "name": f"{self.alert}: {self.case}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in self.series.items()],
            "alert_rule_test": [{"eval_time": self.at, "alertname": self.alert, "exp_alerts": expected}],
        }


@cache
def cases() -> list[Case]:
    """Return all cases."""
    return [
        Case(alert, **case)
        for file in sorted(CASES.glob("*.yaml"))
        for alert, entries in yaml.safe_load(file.read_text(encoding="utf-8")).items()
        for case in entries
    ]


def rules_file(groups: Iterable[RuleGroup], path: Path) -> Path:
    """Write a file of rules."""
    path.write_text(json.dumps({"groups": [group.as_spec() for group in groups]}), encoding="utf-8")
    return path


def tests_file(alert: str, groups: Iterable[RuleGroup], folder: Path) -> Path:
    """Write the cases of an alert, with a file of only the rules that they need: promtool evaluates all of a
    file for each minute of each case."""
    needed = [_only(alert, group) for group in groups if alert in {rule.name for rule in group.alerts}]
    severities = {
        (rule.name, rule.labels.get("long_window")): rule.severity
        for group in needed
        for rule in group.alerts
    }
    specs = [group.as_spec() for group in needed]
    for spec in specs:
        for rule in spec["rules"]:
            # promtool compares them word by word.
            rule.pop("annotations", None)
    (folder / f"{alert}-rules.json").write_text(json.dumps({"groups": specs}), encoding="utf-8")
    document = {
        "rule_files": [f"{alert}-rules.json"],
        "evaluation_interval": "1m",
        "tests": [case.as_test(severities) for case in cases() if case.alert == alert],
    }
    path = folder / f"{alert}-tests.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _only(alert: str, group: RuleGroup) -> RuleGroup:
    needed = (rule for rule in group.rules if isinstance(rule, Recording) or rule.name == alert)
    return RuleGroup(group.name, tuple(needed), group.runbooks)


def find() -> Path:
    """Return promtool; skip the test where there is none."""
    path = build.locate().get("promtool")
    if path is None:
        pytest.skip("promtool is neither on PATH nor built; make test-controllers builds it")
    return path


def run(promtool: Path, *arguments: str | Path) -> str:
    """Run promtool; fail with its report."""
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False, timeout=120)
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    return report
