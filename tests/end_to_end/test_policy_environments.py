"""The environments and the policy pack, with the real engine: before an environment exists, no violation is
reported. Existing environments are evaluated in the tests that create them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.policy_report import policy_report

pytestmark = pytest.mark.end_to_end

STACKS = [f"{cloud}-{profile}" for cloud in ("aws", "gcp") for profile in ("dev", "staging", "prod")]


@pytest.fixture(params=STACKS)
def empty(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """A twin without any resource."""
    twin = Twin(request.param, home)
    yield twin
    twin.remove()


def test_environment_has_no_violation_before_it_exists(empty: Twin, tmp_path: Path) -> None:
    name, profile = empty.environment, empty.environment.partition("-")[2]
    report = policy_report(empty, tmp_path)
    assert report.code == 0, report.text
    expected = f"in profile {profile} (ai-platform:environment of the stack)"
    assert expected in report.text, "the profile, and where it comes from"
    assert report.summary.startswith(f"{name}: no "), report.text
    assert report.summary.endswith("wait for `up`"), "the values that the cloud computes are unknown"
    assert report.violated == set(), "code scanning opens no alert"
    assert len(report.cases) > 80, "each policy that was evaluated is a test case"
    failed = [name for name, case in report.cases.items() if case.find("failure") is not None]
    assert failed == [], "no test case fails"
