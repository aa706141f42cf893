"""The report of a preview's policies: for a terminal, code scanning (SARIF) and CI's test views (JUnit)."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from cli.policy import descriptions
from cli.policy.descriptions import Description
from cli.policy.events import SEVERITIES, Evaluation, Violation

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_WIDTH: Final = 110
_SARIF_LEVEL: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SARIF_ADVISORY: Final = {"critical": "warning", "high": "warning"}
"""Severity -> the level of an advisory violation, where it is not a note."""
# GitHub sorts alerts by this number ("SARIF support for code scanning: security-severity").
_SCORE: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def lines(evaluation: Evaluation, stack: str) -> Iterator[str]:
    """Yield the report for a terminal: violations by severity, then by policy, each policy's remediation."""
    for message in evaluation.messages:
        yield from _wrapped(message, "")
    for severity in SEVERITIES:
        violations = [violation for violation in evaluation.violations if violation.severity == severity]
        if not violations:
            continue
        yield ""
        yield f"{severity.upper()} ({len(violations)})"
        for policy, group in groupby(sorted(violations, key=_by_policy), key=lambda item: item.policy):
            yield from _policy_lines(policy, list(group))
    yield ""
    yield _summary(evaluation, stack)


def _policy_lines(policy: str, violations: list[Violation]) -> Iterator[str]:
    yield f"  {policy} [{'mandatory' if violations[0].mandatory else 'advisory'}]"
    for violation in violations:
        yield f"    {_property(violation)} ({violation.kind}): {violation.problem}"
        if violation.excepted:
            yield f"      excepted by the engine's configuration: {violation.excepted}"
    if violations[0].remediation:
        yield from _wrapped(f"to fix it: {violations[0].remediation}", "    ")
        yield f"    {violations[0].page}"


def _property(violation: Violation) -> str:
    return f"{violation.resource}.{violation.path}" if violation.path else violation.resource


def _wrapped(text: str, indent: str) -> list[str]:
    """Wrap for a terminal, and for a comment on GitHub, which does not wrap code."""
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


def _summary(evaluation: Evaluation, stack: str) -> str:
    if not evaluation.violations and not evaluation.complete:
        return f"{stack}: not evaluated"
    mandatory = len(evaluation.mandatory)
    advisory = len(evaluation.violations) - mandatory
    counts = f"{mandatory} mandatory and {advisory} advisory violation(s)"
    result = "update refused" if mandatory else "update allowed"
    deferred = sum(evaluation.deferred.values())
    rest = f"; {deferred} deferred evaluation(s) wait for `up`" if deferred else ""
    return f"{stack}: {counts if evaluation.violations else 'no violations'}; {result}{rest}"


def sarif(evaluation: Evaluation, file: str) -> str:
    """Return the report for code scanning (SARIF 2.1.0).

    file: the environment's file, the location of every result: the engine reports no line of the program.
    """
    rules = {violation.policy: violation for violation in evaluation.violations}
    names = sorted(rules)
    described = descriptions.read(names)
    return json.dumps(
        {
            "$schema": SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "ai-platform guardrails",
                            "rules": [_rule(rules[name], described.get(name)) for name in names],
                        }
                    },
                    "results": [
                        _result(violation, file, names.index(violation.policy))
                        for violation in evaluation.violations
                    ],
                }
            ],
        },
        indent=2,
    )


def _rule(violation: Violation, description: Description | None) -> dict[str, Any]:
    # A policy of another pack has no file here.
    title = description.title if description else violation.policy
    return {
        "id": violation.policy,
        "shortDescription": {"text": title},
        "fullDescription": {"text": (description.text if description else "") or title},
        "help": {"text": f"{violation.remediation} ({violation.page})"},
        "defaultConfiguration": {"level": _SARIF_LEVEL.get(violation.severity, "note")},
        "properties": {"security-severity": _SCORE.get(violation.severity, "2.0"), "tags": ["security"]},
    }


def _level(violation: Violation) -> str:
    """Return the level of a result: an error where it stops an update."""
    return "error" if violation.mandatory else _SARIF_ADVISORY.get(violation.severity, "note")


def _result(violation: Violation, file: str, index: int) -> dict[str, Any]:
    return {
        "ruleId": violation.policy,
        "ruleIndex": index,
        "level": _level(violation),
        "message": {"text": f"{_property(violation)}: {violation.problem}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": violation.urn, "kind": "resource"}],
            }
        ],
        # The same violation of the same resource is the same alert in the next run. Without this key the
        # upload uses the hash of line 1, which merges all violations of a policy into one alert.
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(violation)},
    }


def _fingerprint(violation: Violation) -> str:
    text = f"{violation.policy}|{violation.urn}|{violation.path}"
    # CodeQL's format: a hash and its number of occurrences.
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}:1"


def junit(evaluation: Evaluation, stack: str, target: Path) -> None:
    """Write the report for CI's test views: one case for each policy.

    A policy with a mandatory violation fails. One with an evaluation that is deferred to `up` is undecided,
    and skipped. A preview that did not finish is an error.
    """
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite  # type: ignore[import-untyped]

    suite = TestSuite(f"guardrails of {stack}")
    if not evaluation.complete:
        preview = TestCase("preview", classname=stack)
        reasons = "\n".join(evaluation.failures) or "the engine ended before the preview was complete"
        preview.result = [_with_text(Error("the evaluation is incomplete"), reasons)]
        suite.add_testcase(preview)
    violated = {violation.policy for violation in evaluation.violations}
    for policy in sorted(evaluation.policies | evaluation.deferred.keys() | violated):
        case = TestCase(policy, classname=f"{stack}.{policy.partition('.')[0]}")
        violations = [violation for violation in evaluation.violations if violation.policy == policy]
        details = "\n".join(f"{_property(violation)}: {violation.problem}" for violation in violations)
        count = evaluation.deferred.get(policy, 0)
        deferred = f"{count} deferred evaluation(s) wait for `up`" if count else ""
        if any(violation.mandatory for violation in violations):
            case.result = [_with_text(Failure(f"{len(violations)} violation(s)"), details)]
        elif deferred:
            case.result = [Skipped(deferred)]
        if details and not any(violation.mandatory for violation in violations):
            case.system_out = details
        suite.add_testcase(case)
    document = JUnitXml("guardrails")
    document.add_testsuite(suite)
    document.write(str(target), pretty=True)


def _with_text(result: Any, text: str) -> Any:
    """Set the details, which test views show under the message."""
    result.text = text
    return result
