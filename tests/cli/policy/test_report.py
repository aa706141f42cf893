"""The report of a preview's policies: for people, for code scanning, for CI's test views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.policy import events, report
from cli.policy.events import Judgement

PREFIX = "urn:pulumi:aws-prod::ai-platform"
BUCKET = f"{PREFIX}::aiplatform:index:Lakehouse$aws:s3/bucket:Bucket::lake"
STACK = f"{PREFIX}::pulumi:pulumi:Stack::ai-platform-aws-prod"
END = {"summaryEvent": {"result": "succeeded", "resourceChanges": {}}}
MEND = "\nTo fix it: Set `acl` (the bucket's own) to private. (docs/policies.md#data{page})"


def _fault(policy: str, severity: str = "high", level: str = "mandatory", **more: Any) -> dict[str, Any]:
    message = more.pop("message", "acl: is 'public-read': everybody reads it")
    return {
        "policyEvent": {
            "resourceUrn": BUCKET,
            "message": message + more.pop("mend", MEND.format(page=policy.partition(".")[2])),
            "policyName": policy,
            "enforcementLevel": level,
            "severity": severity,
            **more,
        }
    }


def _said(message: str, severity: str = "info") -> dict[str, Any]:
    return {"diagnosticEvent": {"urn": STACK, "message": message, "severity": severity}}


def _passed(*names: str) -> dict[str, Any]:
    return {"policyAnalyzeSummaryEvent": {"resourceUrn": BUCKET, "passed": list(names)}}


PROFILE = _said("guardrails: 3 policies in profile prod (the pack's configuration)\n")
WAITS = _said("guardrails: known only at `up`, and evaluated there: data.a_b (33), identity.c_d (2)\n")


def _judged(*told: dict[str, Any]) -> Judgement:
    return events.read(["Loading policy packs", *(json.dumps(each) for each in told)])


def _lines(*told: dict[str, Any]) -> list[str]:
    return list(report.lines(_judged(*told), "aws-prod"))


def test_faults_are_grouped_by_severity_with_what_is_wrong_and_how_to_mend_it() -> None:
    told = _lines(
        PROFILE, _fault("data.shut", "low", "advisory"), _fault("data.close", "critical"), _passed(), END
    )
    assert told == [
        "3 policies in profile prod (the pack's configuration)",
        "",
        "CRITICAL (1)",
        "  data.close [mandatory]",
        "    lake.acl (aws:s3/bucket:Bucket): is 'public-read': everybody reads it",
        "    to mend it: Set `acl` (the bucket's own) to private.",
        "    docs/policies.md#dataclose",
        "",
        "LOW (1)",
        "  data.shut [advisory]",
        "    lake.acl (aws:s3/bucket:Bucket): is 'public-read': everybody reads it",
        "    to mend it: Set `acl` (the bucket's own) to private.",
        "    docs/policies.md#datashut",
        "",
        "aws-prod: 1 mandatory and 1 advisory fault(s); it may not go on",
    ]


def test_the_remediation_of_a_policy_is_told_once() -> None:
    told = _lines(_fault("data.close"), _fault("data.close", message="policy: lets everybody in"), END)
    assert sum("to mend it" in line for line in told) == 1
    assert sum("lake." in line for line in told) == 2


def test_no_line_of_the_pack_is_longer_than_a_terminal() -> None:
    names = ", ".join(f"topic.policy_number_{number} ({number})" for number in range(1, 40))
    told = _lines(_said(f"guardrails: known only at `up`, and evaluated there: {names}"), END)
    assert max(map(len, told)) <= 110
    assert " ".join(each.strip() for each in told).count("topic.policy_number_") == 39, "and nothing is lost"


def test_what_waits_for_up_is_counted_in_the_verdict() -> None:
    assert (
        _lines(PROFILE, WAITS, END)[-1] == "aws-prod: no fault; it may go on; 35 judgement(s) wait for `up`"
    )


def test_a_preview_that_broke_off_is_no_pass() -> None:
    judged = _judged(PROFILE, _said("error: the pack has gone", "error"))
    assert not judged.complete
    assert list(report.lines(judged, "aws-prod"))[-1] == "aws-prod: not judged"
    assert not _judged(PROFILE).complete, "nor one whose end nobody saw"
    assert not _judged(_said("a provider failed", "error"), END).complete, "nor one with an error"
    refused = _judged(_fault("data.close"), _said("preview failed", "error"), END)
    assert refused.complete, "the engine calls a mandatory fault an error, too"
    both = _judged(_fault("data.close"), _said("the pack has gone", "error"), END)
    assert both.wrong == ["the pack has gone"], "what was found first does not hide it"


def test_an_exception_of_the_engine_s_own_stops_nothing_and_is_told() -> None:
    excepted = _fault("data.close", exceptions=[{"id": "EXC-1", "reason": "a public data set"}])
    judged = _judged(excepted, END)
    assert not judged.mandatory
    told = list(report.lines(judged, "aws-prod"))
    assert "      excepted by the engine's configuration: EXC-1: a public data set" in told
    assert told[-1].startswith("aws-prod: 0 mandatory and 1 advisory")


def test_a_fault_of_the_resource_as_a_whole_has_no_path() -> None:
    [fault] = _judged(_fault("data.close", message="neither Pulumi nor the cloud guards it")).violations
    assert (fault.path, fault.problem) == ("", "neither Pulumi nor the cloud guards it")
    assert fault.resource == "lake"


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("policy.Statement[0].Action[12]: allows '*'", "policy.Statement[0].Action[12]"),
        ("data[registry_app.py]: 'registry_app.py' holds a key", "data[registry_app.py]"),
        ("metadata.labels[pod-security.kubernetes.io/enforce]: is missing", None),
        ("the policy itself failed: KeyError: 'x'", ""),
    ],
)
def test_the_property_path_is_told_apart_from_the_problem(message: str, path: str | None) -> None:
    [fault] = _judged(_fault("data.close", message=message)).violations
    assert fault.path == (message.partition(": ")[0] if path is None else path)


def test_code_scanning_gets_each_fault_with_its_rule() -> None:
    judged = _judged(_fault("data.close", "critical"), _fault("data.shut", "medium", "advisory"), END)
    document = json.loads(report.sarif(judged, "environments/Pulumi.aws-prod.yaml"))
    [run] = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["data.close", "data.shut"]
    first, second = run["results"]
    assert first["message"]["text"] == "lake.acl: is 'public-read': everybody reads it"
    assert (first["level"], second["level"]) == ("error", "note"), "what stops nothing is a note"
    [where] = first["locations"]
    assert where["physicalLocation"]["artifactLocation"]["uri"] == "environments/Pulumi.aws-prod.yaml"
    assert where["logicalLocations"][0]["fullyQualifiedName"] == BUCKET
    assert first["partialFingerprints"] != second["partialFingerprints"], "another policy is another alert"
    assert first["partialFingerprints"].keys() == {"primaryLocationLineHash"}, (
        "the upload fills it from line 1 where it is missing, and all violations of a policy become one alert"
    )


def _cases(judged: Judgement, file: Path) -> dict[str, Any]:
    report.junit(judged, "aws-prod", file)
    # Our own file, written a line above.
    return {str(case.get("name")): case for case in ElementTree.parse(file).iter("testcase")}  # noqa: S314


def test_a_test_view_gets_a_case_a_policy(tmp_path: Path) -> None:
    judged = _judged(
        WAITS,
        _passed("data.a_b", "data.good"),
        _fault("data.close"),
        _fault("data.shut", "low", "advisory"),
        END,
    )
    cases = _cases(judged, tmp_path / "report.xml")
    assert set(cases) == {"data.a_b", "data.good", "identity.c_d", "data.close", "data.shut"}
    assert "everybody reads it" in cases["data.close"].findtext("failure")
    assert cases["data.shut"].find("failure") is None, "an advisory fault is told, and fails nothing"
    assert "everybody reads it" in cases["data.shut"].findtext("system-out")
    assert cases["identity.c_d"].find("skipped") is not None, (
        "it has judged nothing yet, so it has not passed"
    )
    assert "33 judgement(s) wait for `up`" in cases["data.a_b"].findtext("system-out")
    assert len(cases["data.good"]) == 0


def test_a_preview_that_broke_off_is_an_error_in_the_test_view(tmp_path: Path) -> None:
    cases = _cases(_judged(_said("the pack has gone", "error")), tmp_path / "report.xml")
    assert "the pack has gone" in cases["preview"].findtext("error")
