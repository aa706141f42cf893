"""`aiplatform plan`: a plan equals the approved one, or every difference is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.output import CommandError
from cli.plan.command import app
from cli.plan.diff import differences
from cli.plan.load import Plan, load_plan, read_events, write_plan

URN = "urn:pulumi:aws-prod::ai-platform::aws:s3/bucket:Bucket::lake"
END = {"summaryEvent": {"result": "succeeded", "resourceChanges": {}}}
EVALUATED = {"policyAnalyzeSummaryEvent": {"resourceUrn": URN, "passed": ["data.block_public_buckets"]}}
ASSET = "c44067f5952c0a294b673a41bacd8c17"


def _step(op: str = "update", urn: str = URN, **more: Any) -> dict[str, Any]:
    inputs = more.pop("inputs", {"bucket": "acme-lake"})
    return {
        "resourcePreEvent": {
            "metadata": {
                "op": op,
                "urn": urn,
                "new": None if op == "delete" else {"inputs": inputs},
                "detailedDiff": more.pop("detailed", {"tags.a": {"diffKind": "add", "inputDiff": True}}),
                **more,
            },
            "planning": True,
        }
    }


def _violation(level: str = "mandatory") -> dict[str, Any]:
    return {
        "policyEvent": {
            "resourceUrn": URN,
            "message": "acl: public\nTo fix it: close it. (docs/policies/data/x.md)",
            "policyName": "data.block_public_buckets",
            "enforcementLevel": level,
            "severity": "high",
        }
    }


def _plan(*events: dict[str, Any]) -> Plan:
    return read_events(json.dumps(event) for event in (*events, END))


def _difference(*, approved: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    return "\n".join(differences(_plan(*approved), _plan(*now)))


def test_plan_is_the_same_file_for_events_in_another_order(tmp_path: Path) -> None:
    steps = [_step(), _step("create", f"{URN}-2"), EVALUATED, _violation("advisory")]
    one, other = tmp_path / "one", tmp_path / "other"
    write_plan(_plan(*steps), one)
    write_plan(_plan(*reversed(steps)), other)
    assert one.read_bytes() == other.read_bytes()
    assert load_plan(one) == _plan(*steps), "loading returns the plan that was written"


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_step_without_a_change_is_not_an_operation(op: str) -> None:
    assert _plan(_step(op)).operations == ()


def test_operation_that_was_not_approved_is_reported() -> None:
    report = _difference(approved=[_step()], now=[_step(), _step("delete", f"{URN}-2")])
    assert report == f"{URN}-2: `delete` was not approved"


def test_approved_operation_that_is_not_planned_any_more_is_reported() -> None:
    assert "was approved, and is not planned now" in _difference(approved=[_step()], now=[])


def test_update_that_became_a_replacement_is_reported() -> None:
    report = _difference(approved=[_step()], now=[_step("replace")])
    assert "`replace` was not approved" in report
    assert "`update` was approved" in report


def test_another_kind_of_diff_is_reported_with_its_path() -> None:
    now = _step(detailed={"tags.a": {"diffKind": "add-replace", "inputDiff": True}})
    assert "tags.a: add was approved, add-replace is planned now" in _difference(
        approved=[_step()], now=[now]
    )


def test_properties_are_named_for_a_provider_without_detailed_diffs() -> None:
    plain = _step(detailed=None, diffs=["tags"])
    assert "tags: no change was approved, changes is planned now" in _difference(
        approved=[_step(detailed=None)], now=[plain]
    )


def test_another_value_of_a_property_is_reported_without_the_value() -> None:
    report = _difference(
        approved=[_step(inputs={"image": "one"})], now=[_step(inputs={"image": "unseen-value"})]
    )
    assert report == f"{URN}: update: image: another value than approved"


def test_plan_contains_no_values(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    write_plan(_plan(_step(inputs={"password": "hunter2"})), file)
    assert "hunter2" not in file.read_text()
    assert "password" in file.read_text()


def test_asset_is_compared_by_content_and_not_by_path() -> None:
    def asset(path: str, content: str) -> dict[str, Any]:
        return _step(
            inputs={"source": {"4dabf18193072939515e22adb298388d": ASSET, "hash": content, "path": path}}
        )

    assert not _difference(approved=[asset("/here/a", "1")], now=[asset("/there/a", "1")])
    assert _difference(approved=[asset("/here/a", "1")], now=[asset("/here/a", "2")])


def test_random_name_of_a_resource_to_create_is_not_a_difference() -> None:
    def steps(name: str, more: str = "") -> list[dict[str, Any]]:
        inputs = {"name": name, "__defaults": ["name"], "description": more}
        user = _step("create", f"{URN}-2", inputs={"pools": [{"in": f"zones/a/{name}"}]})
        return [_step("create", inputs=inputs), user]

    assert not _difference(approved=steps("t4-spot-0294136"), now=steps("t4-spot-452cff0"))
    assert "name" in _difference(approved=steps("t4-spot-0294136"), now=steps("t4-other-452cff0"))
    assert "description" in _difference(
        approved=steps("a-0294136", "v-1234567"), now=steps("a-0294136", "v-7654321")
    )


def test_name_of_an_existing_resource_is_compared_exactly() -> None:
    assert "name" in _difference(
        approved=[_step(inputs={"name": "t4-0294136"})], now=[_step(inputs={"name": "t4-452cff0"})]
    )


def test_violations_are_compared_one_by_one() -> None:
    assert _difference(approved=[], now=[_violation()]).startswith("new: mandatory data.block_public_buckets")
    assert _difference(approved=[_violation()], now=[]).startswith("gone: mandatory")
    lowered = _difference(approved=[_violation()], now=[_violation("advisory")])
    assert "new: advisory" in lowered, "a violation that became advisory is another result"


def test_plan_without_the_evaluation_of_a_policy_is_another_plan() -> None:
    report = _difference(approved=[EVALUATED], now=[])
    assert report == "evaluated before, and not now, by: data.block_public_buckets"


def test_incomplete_stream_is_refused() -> None:
    with pytest.raises(CommandError, match="is incomplete"):
        read_events([json.dumps(_step())])


def test_failed_preview_is_refused() -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "no credentials"}}
    with pytest.raises(CommandError, match="no credentials"):
        _plan(error)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2}'])
def test_file_that_is_not_a_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan"
    file.write_text(text)
    with pytest.raises(CommandError, match="plan save"):
        load_plan(file)


def _run(*words: str, events: list[dict[str, Any]] | None = None) -> tuple[int, str]:
    text = "\n".join(json.dumps(event) for event in events or [])
    done = CliRunner().invoke(app, list(words), input=text)
    return done.exit_code, done.output


def test_commands_report_by_their_exit_code(tmp_path: Path) -> None:
    one, other, none = (str(tmp_path / name) for name in ("one", "other", "none"))
    assert _run("save", one, events=[_step(), _violation(), END])[0] == 0
    assert _run("save", other, events=[_step("replace"), END])[0] == 0
    assert _run("save", none, events=[END])[0] == 0
    assert _run("compare", one, one) == (0, "the plan is the approved one\n")
    code, report = _run("compare", one, other)
    assert (code, report.splitlines()[0]) == (1, "3 difference(s) from the approved plan:")
    assert _run("show", "--expect-no-changes", none)[0] == 0
    assert _run("show", "--expect-no-changes", one)[0] == 1
    assert _run("show", "--refuse-violations", one)[0] == 1
    assert _run("show", "--refuse-faults", one)[0] == 1, "the former name of the option still works"
    assert _run("show", "--refuse-violations", other)[0] == 0
