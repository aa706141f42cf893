"""The report of a preview's policies: for people, for code scanning (SARIF), for CI's test views (JUnit)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from cli.policy.events import SEVERITIES, Judgement, Violation

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVEL: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub sorts alerts by this number ("SARIF support for code scanning: security-severity").
_SCORE: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def lines(judgement: Judgement, stack: str) -> Iterator[str]:
    """For people: by severity, then by policy, with all that a reader needs to mend it."""
    yield from judgement.said
    for severity in SEVERITIES:
        there = [each for each in judgement.violations if each.severity == severity]
        if not there:
            continue
        yield ""
        yield f"{severity.upper()} ({len(there)})"
        for policy, faults in groupby(sorted(there, key=_by_policy), key=lambda each: each.policy):
            yield from _of_policy(policy, list(faults))
    yield ""
    yield _summary(judgement, stack)


def _of_policy(policy: str, faults: list[Violation]) -> Iterator[str]:
    yield f"  {policy} [{'mandatory' if faults[0].mandatory else 'advisory'}]"
    for fault in faults:
        where = f"{fault.resource}{f'.{fault.path}' if fault.path else ''}"
        yield f"    {where} ({fault.kind}): {fault.problem}"
    if faults[0].remediation:
        yield f"    to mend it: {faults[0].remediation}"
        yield f"    {faults[0].page}"


def _by_policy(violation: Violation) -> tuple[str, str, str]:
    return violation.policy, violation.resource, violation.path


def _summary(judgement: Judgement, stack: str) -> str:
    if not judgement.violations:
        return f"{stack}: no fault by {len(judgement.policies)} policies"
    stops = len(judgement.mandatory)
    told = len(judgement.violations) - stops
    verdict = "it may not go on" if stops else "it may go on"
    return f"{stack}: {stops} mandatory and {told} advisory fault(s); {verdict}"


def sarif(judgement: Judgement, file: str) -> str:
    """For code scanning. file: the environment's file, to which every result is put: the engine knows no line
    of the program."""
    rules = {each.policy: each for each in judgement.violations}
    return json.dumps(
        {
            "$schema": SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "ai-platform guardrails",
                            "rules": [_rule(rules[name]) for name in sorted(rules)],
                        }
                    },
                    "results": [_result(each, file) for each in judgement.violations],
                }
            ],
        },
        indent=2,
    )


def _rule(violation: Violation) -> dict[str, Any]:
    return {
        "id": violation.policy,
        "shortDescription": {"text": violation.policy},
        "help": {"text": f"{violation.remediation} ({violation.page})"},
        "defaultConfiguration": {"level": _SARIF_LEVEL.get(violation.severity, "note")},
        "properties": {"security-severity": _SCORE.get(violation.severity, "2.0"), "tags": ["security"]},
    }


def _result(violation: Violation, file: str) -> dict[str, Any]:
    where = f"{violation.resource}{f'.{violation.path}' if violation.path else ''}"
    return {
        "ruleId": violation.policy,
        "level": _SARIF_LEVEL.get(violation.severity, "note") if violation.mandatory else "note",
        "message": {"text": f"{where}: {violation.problem}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": violation.urn, "kind": "resource"}],
            }
        ],
        # The same fault of the same resource is the same alert in the next run.
        "partialFingerprints": {"fault/v1": f"{violation.policy}|{violation.urn}|{violation.path}"},
    }


def junit(judgement: Judgement, stack: str, target: Path) -> None:
    """For CI's test views: a case a policy; one that found a mandatory fault fails."""
    from junitparser import Failure, JUnitXml, TestCase, TestSuite  # type: ignore[import-untyped]

    suite = TestSuite(f"guardrails of {stack}")
    for policy in sorted(judgement.policies | {each.policy for each in judgement.violations}):
        case = TestCase(policy, classname=f"{stack}.{policy.partition('.')[0]}")
        faults = [each for each in judgement.violations if each.policy == policy]
        told = "\n".join(f"{each.resource}.{each.path}: {each.problem}" for each in faults)
        if any(each.mandatory for each in faults):
            case.result = [Failure(told)]
        elif told:
            case.system_out = told
        suite.add_testcase(case)
    document = JUnitXml("guardrails")
    document.add_testsuite(suite)
    document.write(str(target), pretty=True)
