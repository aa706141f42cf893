"""The report of a preview's policies: for a terminal, code scanning and CI's test views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from cli.policy import descriptions, events, files, report
from cli.policy.events import Evaluation

PREFIX = "urn:pulumi:aws-prod::ai-platform"
BUCKET = f"{PREFIX}::aiplatform:index:Lakehouse$aws:s3/bucket:Bucket::lake"
STACK = f"{PREFIX}::pulumi:pulumi:Stack::ai-platform-aws-prod"
END = {"summaryEvent": {"result": "succeeded", "resourceChanges": {}}}
REMEDIATION = "\nTo fix it: Set `acl` (the bucket's own) to private. (docs/policies/data/{page}.md)"


def _violation(policy: str, severity: str = "high", level: str = "mandatory", **more: Any) -> dict[str, Any]:
    message = more.pop("message", "acl: is 'public-read': the internet reads it")
    return {
        "policyEvent": {
            "resourceUrn": BUCKET,
            "message": message + more.pop("remediation", REMEDIATION.format(page=policy.partition(".")[2])),
            "policyName": policy,
            "enforcementLevel": level,
            "severity": severity,
            **more,
        }
    }


def _message(message: str, severity: str = "info") -> dict[str, Any]:
    return {"diagnosticEvent": {"urn": STACK, "message": message, "severity": severity}}


def _passed(*names: str) -> dict[str, Any]:
    return {"policyAnalyzeSummaryEvent": {"resourceUrn": BUCKET, "passed": list(names)}}


PROFILE = _message("guardrails: 3 policies in profile prod (the pack's configuration)\n")
DEFERRED = _message("guardrails: known only at `up`, and evaluated there: data.a_b (33), identity.c_d (2)\n")


def _evaluation(*stream: dict[str, Any]) -> Evaluation:
    return events.read(["Loading policy packs", *(json.dumps(event) for event in stream)])


def _lines(*stream: dict[str, Any]) -> list[str]:
    return list(report.lines(_evaluation(*stream), "aws-prod"))


def test_violations_are_grouped_by_severity_with_their_remediation() -> None:
    output = _lines(
        PROFILE,
        _violation("data.shut", "low", "advisory"),
        _violation("data.close", "critical"),
        _passed(),
        END,
    )
    assert output == [
        "3 policies in profile prod (the pack's configuration)",
        "",
        "CRITICAL (1)",
        "  data.close [mandatory]",
        "    lake.acl (aws:s3/bucket:Bucket): is 'public-read': the internet reads it",
        "    to fix it: Set `acl` (the bucket's own) to private.",
        "    docs/policies/data/close.md",
        "",
        "LOW (1)",
        "  data.shut [advisory]",
        "    lake.acl (aws:s3/bucket:Bucket): is 'public-read': the internet reads it",
        "    to fix it: Set `acl` (the bucket's own) to private.",
        "    docs/policies/data/shut.md",
        "",
        "aws-prod: 1 mandatory and 1 advisory violation(s); update refused",
    ]


def test_remediation_of_a_policy_is_printed_once() -> None:
    output = _lines(
        _violation("data.close"), _violation("data.close", message="policy: allows all principals"), END
    )
    assert sum("to fix it" in line for line in output) == 1
    assert sum("lake." in line for line in output) == 2


def test_messages_of_the_pack_are_wrapped() -> None:
    names = ", ".join(f"topic.policy_number_{number} ({number})" for number in range(1, 40))
    output = _lines(_message(f"guardrails: known only at `up`, and evaluated there: {names}"), END)
    assert max(map(len, output)) <= 110
    assert " ".join(line.strip() for line in output).count("topic.policy_number_") == 39, "no policy is lost"


def test_summary_counts_what_is_deferred_to_up() -> None:
    assert (
        _lines(PROFILE, DEFERRED, END)[-1]
        == "aws-prod: no violations; update allowed; 35 deferred evaluation(s) wait for `up`"
    )


def test_incomplete_preview_is_not_a_pass() -> None:
    evaluation = _evaluation(PROFILE, _message("error: the pack has ended", "error"))
    assert not evaluation.complete
    assert list(report.lines(evaluation, "aws-prod"))[-1] == "aws-prod: not evaluated"
    assert not _evaluation(PROFILE).complete, "the engine sent no summary"
    assert not _evaluation(_message("a provider failed", "error"), END).complete, (
        "the engine reported an error"
    )
    refused = _evaluation(_violation("data.close"), _message("preview failed", "error"), END)
    assert refused.complete, "the engine also reports an error for a mandatory violation"
    both = _evaluation(_violation("data.close"), _message("the pack has ended", "error"), END)
    assert both.failures == ["the pack has ended"], "a violation does not hide an error"


def test_exception_of_the_engine_makes_a_violation_advisory_and_is_reported() -> None:
    excepted = _violation("data.close", exceptions=[{"id": "EXC-1", "reason": "a public data set"}])
    evaluation = _evaluation(excepted, END)
    assert not evaluation.mandatory
    output = list(report.lines(evaluation, "aws-prod"))
    assert "      excepted by the engine's configuration: EXC-1: a public data set" in output
    assert output[-1].startswith("aws-prod: 0 mandatory and 1 advisory")


def test_violation_of_a_resource_as_a_whole_has_no_path() -> None:
    [violation] = _evaluation(
        _violation("data.close", message="neither Pulumi nor the cloud protects it")
    ).violations
    assert (violation.path, violation.problem) == ("", "neither Pulumi nor the cloud protects it")
    assert violation.resource == "lake"


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("policy.Statement[0].Action[12]: allows '*'", "policy.Statement[0].Action[12]"),
        ("data[registry_app.py]: 'registry_app.py' contains a key", "data[registry_app.py]"),
        ("metadata.labels[pod-security.kubernetes.io/enforce]: is missing", None),
        ("the policy itself failed: KeyError: 'x'", ""),
    ],
)
def test_property_path_is_separated_from_the_problem(message: str, path: str | None) -> None:
    [violation] = _evaluation(_violation("data.close", message=message)).violations
    assert violation.path == (message.partition(": ")[0] if path is None else path)


def test_sarif_contains_each_violation_with_its_rule() -> None:
    evaluation = _evaluation(
        _violation("data.close", "critical"), _violation("data.shut", "medium", "advisory"), END
    )
    document = json.loads(report.sarif(evaluation, "environments/Pulumi.aws-prod.yaml"))
    [run] = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["data.close", "data.shut"]
    first, second = run["results"]
    assert first["message"]["text"] == "lake.acl: is 'public-read': the internet reads it"
    assert (first["level"], second["level"]) == ("error", "note"), "an advisory violation of medium severity"
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1]
    [where] = first["locations"]
    assert where["physicalLocation"]["artifactLocation"]["uri"] == "environments/Pulumi.aws-prod.yaml"
    assert where["logicalLocations"][0]["fullyQualifiedName"] == BUCKET
    assert first["partialFingerprints"] != second["partialFingerprints"], "another policy is another alert"
    assert first["partialFingerprints"].keys() == {"primaryLocationLineHash"}, (
        "the upload fills it from line 1 where it is missing, and all violations of a policy become one alert"
    )


@pytest.mark.parametrize(
    ("severity", "level", "expected"),
    [
        ("critical", "mandatory", "error"),
        ("medium", "mandatory", "error"),
        ("critical", "advisory", "warning"),
        ("high", "advisory", "warning"),
        ("low", "advisory", "note"),
    ],
)
def test_sarif_level_of_a_result_is_an_error_where_it_stops_an_update(
    severity: str, level: str, expected: str
) -> None:
    evaluation = _evaluation(_violation("data.close", severity, level), END)
    [run] = json.loads(report.sarif(evaluation, "a.yaml"))["runs"]
    assert [result["level"] for result in run["results"]] == [expected]


def test_sarif_describes_a_rule_by_the_title_of_its_policy() -> None:
    evaluation = _evaluation(_violation("data.block_public_buckets"), _violation("data.close"), END)
    [run] = json.loads(report.sarif(evaluation, "a.yaml"))["runs"]
    known, unknown = run["tool"]["driver"]["rules"]
    assert known["shortDescription"]["text"] == "No public buckets"
    assert known["fullDescription"]["text"].startswith("A bucket stays private")
    assert unknown["shortDescription"]["text"] == "data.close", "a policy that the pack does not contain"


def test_every_policy_of_the_pack_has_a_title_and_a_description() -> None:
    described = descriptions.read(files.ids())
    assert set(described) == set(files.ids())
    empty = [policy for policy, entry in described.items() if entry.title == policy or not entry.text]
    assert empty == [], "their titles or descriptions are no constants"


# The parts of the schema of SARIF 2.1.0 that the report uses (docs.oasis-open.org/sarif/sarif/v2.1.0).
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": _TEXT,
                                                "fullDescription": _TEXT,
                                                "help": _TEXT,
                                                "defaultConfiguration": {"properties": {"level": _LEVEL}},
                                                "properties": {"type": "object"},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message", "ruleId", "ruleIndex", "level"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": _LEVEL,
                                "message": _TEXT,
                                "locations": {"type": "array"},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_has_the_form_of_its_schema() -> None:
    evaluation = _evaluation(
        _violation("data.block_public_buckets"), _violation("data.close", "low", "advisory"), END
    )
    jsonschema.validate(json.loads(report.sarif(evaluation, "environments/Pulumi.aws-prod.yaml")), SARIF)
    jsonschema.validate(json.loads(report.sarif(_evaluation(END), "a.yaml")), SARIF)


def _cases(evaluation: Evaluation, file: Path) -> dict[str, Any]:
    report.junit(evaluation, "aws-prod", file)
    # The file was written a line above.
    return {str(case.get("name")): case for case in ElementTree.parse(file).iter("testcase")}  # noqa: S314


def test_junit_contains_a_case_for_each_policy(tmp_path: Path) -> None:
    evaluation = _evaluation(
        DEFERRED,
        _passed("data.a_b", "data.good"),
        _violation("data.close"),
        _violation("data.shut", "low", "advisory"),
        END,
    )
    cases = _cases(evaluation, tmp_path / "report.xml")
    assert set(cases) == {"data.a_b", "data.good", "identity.c_d", "data.close", "data.shut"}
    assert "the internet reads it" in cases["data.close"].findtext("failure")
    assert cases["data.shut"].find("failure") is None, "an advisory violation is shown and does not fail"
    assert "the internet reads it" in cases["data.shut"].findtext("system-out")
    assert cases["identity.c_d"].find("skipped") is not None, (
        "it has evaluated nothing yet, so it has not passed"
    )
    skipped = cases["data.a_b"].find("skipped")
    assert skipped is not None, "one that is undecided for a resource has not passed, whatever it decided"
    assert skipped.get("message") == "33 deferred evaluation(s) wait for `up`"
    assert len(cases["data.good"]) == 0


def test_incomplete_preview_is_an_error_in_junit(tmp_path: Path) -> None:
    cases = _cases(_evaluation(_message("the pack has ended", "error")), tmp_path / "report.xml")
    assert "the pack has ended" in cases["preview"].findtext("error")
