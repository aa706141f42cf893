"""`aiplatform policy` on an environment, and its report.

Each module that deploys an environment evaluates it first as one that does not exist yet, on the same twin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.end_to_end.harness import Twin


@dataclass(frozen=True)
class PolicyReport:
    """A report, in all its formats."""

    code: int
    """The exit code."""
    text: str
    violated: set[str]
    """The policies with a violation, by the SARIF report."""
    cases: dict[str, Any]
    """The test cases of the JUnit report."""

    @property
    def summary(self) -> str:
        """The last line of the text."""
        return self.text.splitlines()[-1]


def policy_report(twin: Twin, folder: Path, profile: str | None = None) -> PolicyReport:
    """Return the report. profile: a profile other than that of the environment."""
    sarif, junit, config = folder / "policy.sarif", folder / "policy.xml", folder / "policy.json"
    config.write_text(json.dumps({"pack": {"profile": profile}} if profile else {}))
    options = ("--sarif", str(sarif), "--junit", str(junit), "--config", str(config))
    result = twin.cli("policy", twin.environment, *options, check=False)
    assert sarif.exists(), result.stdout + result.stderr
    [run] = json.loads(sarif.read_text())["runs"]
    # The file is written by this repository's own code.
    cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314
    return PolicyReport(
        code=result.returncode,
        text=result.stdout,
        violated={entry["ruleId"] for entry in run["results"]},
        cases={str(case.get("name")): case for case in cases},
    )


def assert_no_violation(twin: Twin, folder: Path) -> None:
    """Assert that an environment without any resource has no violation. All of its topics are evaluated, also
    those that a test leaves out."""
    name, profile = twin.environment, twin.environment.partition("-")[2]
    twin.cli("twin", "start", "--name", name)
    assert twin.inventory() == {}, "a module's first test: nothing exists yet"
    report = policy_report(Twin(name, twin.home), folder)
    assert report.code == 0, report.text
    expected = f"in profile {profile} (ai-platform:environment of the stack)"
    assert expected in report.text, "the profile, and where it comes from"
    assert report.summary.startswith(f"{name}: no "), report.text
    assert report.summary.endswith("wait for `up`"), "the values that the cloud computes are unknown"
    assert report.violated == set(), "code scanning opens no alert"
    assert len(report.cases) > 80, "each policy that was evaluated is a test case"
    failed = [case for case, element in report.cases.items() if element.find("failure") is not None]
    assert failed == [], "no test case fails"
