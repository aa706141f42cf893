"""`aiplatform policy` on an environment, and what it found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.end_to_end.harness import Twin


@dataclass(frozen=True)
class Judged:
    """A report, in all its forms."""

    code: int
    told: str
    refused: set[str]
    """The policies that have found a fault, by the report for code scanning."""
    cases: dict[str, Any]
    """The cases of CI's test view."""

    @property
    def verdict(self) -> str:
        """The last line for people."""
        return self.told.splitlines()[-1]


def judged(twin: Twin, folder: Path, profile: str | None = None) -> Judged:
    """The report. profile: what the pack is told to judge by, instead of what the file says."""
    sarif, junit, config = folder / "policy.sarif", folder / "policy.xml", folder / "policy.json"
    config.write_text(json.dumps({"pack": {"profile": profile}} if profile else {}))
    options = ("--sarif", str(sarif), "--junit", str(junit), "--config", str(config))
    done = twin.cli("policy", twin.environment, *options, check=False)
    assert sarif.exists(), done.stdout + done.stderr
    [run] = json.loads(sarif.read_text())["runs"]
    # Our own report.
    cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314
    return Judged(
        code=done.returncode,
        told=done.stdout,
        refused={result["ruleId"] for result in run["results"]},
        cases={str(case.get("name")): case for case in cases},
    )
