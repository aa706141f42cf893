"""`aiplatform policy` on an environment, and its report."""

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
