"""The report of a preview's policies: for people, for code scanning (SARIF), for CI's test views (JUnit)."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from cli.policy.events import SEVERITIES, Judgement, Violation

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_WIDTH: Final = 110
_SARIF_LEVEL: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub sorts alerts by this number ("SARIF support for code scanning: security-severity").
_SCORE: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def lines(judgement: Judgement, stack: str) -> Iterator[str]:
    """For people: by severity, then by policy, with all that a reader needs to mend it."""
    for said in judgement.said:
        yield from _wrapped(said, "")
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
        yield f"    {_where(fault)} ({fault.kind}): {fault.problem}"
        if fault.excepted:
            yield f"      excepted by the engine's configuration: {fault.excepted}"
    if faults[0].remediation:
        yield from _wrapped(f"to mend it: {faults[0].remediation}", "    ")
        yield f"    {faults[0].page}"


def _where(violation: Violation) -> str:
    return f"{violation.resource}.{violation.path}" if violation.path else violation.resource


def _wrapped(text: str, indent: str) -> list[str]:
    """For a terminal and a comment on GitHub, which wraps nothing."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _by_policy(violation: Violation) -> tuple[str, str, str]:
    return violation.policy, violation.resource, violation.path


def _summary(judgement: Judgement, stack: str) -> str:
    if not judgement.violations and not judgement.complete:
        return f"{stack}: not judged"
    stops = len(judgement.mandatory)
    told = len(judgement.violations) - stops
    faults = f"{stops} mandatory and {told} advisory fault(s)" if judgement.violations else "no fault"
    waits = sum(judgement.waiting.values())
    more = f"; {waits} judgement(s) wait for `up`" if waits else ""
    verdict = "it may not go on" if stops else "it may go on"
    return f"{stack}: {faults}; {verdict}{more}"


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
    return {
        "ruleId": violation.policy,
        "level": _SARIF_LEVEL.get(violation.severity, "note") if violation.mandatory else "note",
        "message": {"text": f"{_where(violation)}: {violation.problem}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": violation.urn, "kind": "resource"}],
            }
        ],
        # The same violation of the same resource is the same alert in the next run. By this name, which the
        # upload else gives the hash of line 1: one alert for all violations of a policy.
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(violation)},
    }


def _fingerprint(violation: Violation) -> str:
    text = f"{violation.policy}|{violation.urn}|{violation.path}"
    # As CodeQL's: a hash and its number of occurrences.
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}:1"


def junit(judgement: Judgement, stack: str, target: Path) -> None:
    """For CI's test views: a case a policy. One that found a mandatory fault fails, one that has
    judged nothing, as all waits for `up`, is skipped; that not all could be judged is an error."""
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite  # type: ignore[import-untyped]

    suite = TestSuite(f"guardrails of {stack}")
    if not judgement.complete:
        broken = TestCase("preview", classname=stack)
        told = "\n".join(judgement.wrong) or "it did not come to its end"
        broken.result = [_with_text(Error("not all could be judged"), told)]
        suite.add_testcase(broken)
    there = judgement.policies | judgement.waiting.keys() | {each.policy for each in judgement.violations}
    for policy in sorted(there):
        case = TestCase(policy, classname=f"{stack}.{policy.partition('.')[0]}")
        faults = [each for each in judgement.violations if each.policy == policy]
        told = "\n".join(f"{_where(each)}: {each.problem}" for each in faults)
        waits = judgement.waiting.get(policy, 0)
        left = f"{waits} judgement(s) wait for `up`" if waits else ""
        if any(each.mandatory for each in faults):
            case.result = [_with_text(Failure(f"{len(faults)} fault(s)"), told)]
        elif waits and policy not in judgement.policies:
            case.result = [Skipped(left)]
        elif told or left:
            case.system_out = "\n".join(filter(None, (told, left)))
        suite.add_testcase(case)
    document = JUnitXml("guardrails")
    document.add_testsuite(suite)
    document.write(str(target), pretty=True)


def _with_text(result: Any, text: str) -> Any:
    """Views show the first words in a list, and the text when one asks."""
    result.text = text
    return result
