"""`aiplatform plan`: what was approved is what is done, and every other difference is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.output import CommandError
from cli.plan import comparing, reading
from cli.plan.command import app

URN = "urn:pulumi:aws-prod::ai-platform::aws:s3/bucket:Bucket::lake"
END = {"summaryEvent": {"result": "succeeded", "resourceChanges": {}}}
JUDGED = {"policyAnalyzeSummaryEvent": {"resourceUrn": URN, "passed": ["data.block_public_buckets"]}}
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


def _fault(level: str = "mandatory") -> dict[str, Any]:
    return {
        "policyEvent": {
            "resourceUrn": URN,
            "message": "acl: public\nTo fix it: close it. (docs/policies.md#x)",
            "policyName": "data.block_public_buckets",
            "enforcementLevel": level,
            "severity": "high",
        }
    }


def _plan(*told: dict[str, Any]) -> reading.Plan:
    return reading.read(json.dumps(each) for each in (*told, END))


def _difference(*, approved: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    return "\n".join(comparing.differences(_plan(*approved), _plan(*now)))


def test_the_same_preview_is_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    steps = [_step(), _step("create", f"{URN}-2"), JUDGED, _fault("advisory")]
    one, other = tmp_path / "one", tmp_path / "other"
    reading.write(_plan(*steps), one)
    reading.write(_plan(*reversed(steps)), other)
    assert one.read_bytes() == other.read_bytes()
    assert reading.load(one) == _plan(*steps), "and it is read as it was written"


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_what_changes_nothing_is_no_operation(op: str) -> None:
    assert _plan(_step(op)).operations == ()


def test_an_operation_that_was_not_approved_is_told() -> None:
    told = _difference(approved=[_step()], now=[_step(), _step("delete", f"{URN}-2")])
    assert told == f"{URN}-2: `delete` was not approved"


def test_an_operation_that_is_no_more_is_told() -> None:
    assert "was approved, and would not be done now" in _difference(approved=[_step()], now=[])


def test_an_update_that_has_become_a_replacement_is_told() -> None:
    told = _difference(approved=[_step()], now=[_step("replace")])
    assert "`replace` was not approved" in told
    assert "`update` was approved" in told


def test_another_kind_of_diff_is_told_by_its_path() -> None:
    now = _step(detailed={"tags.a": {"diffKind": "add-replace", "inputDiff": True}})
    assert "tags.a: add was approved, now it is add-replace" in _difference(approved=[_step()], now=[now])


def test_a_provider_without_detailed_diffs_still_names_properties() -> None:
    plain = _step(detailed=None, diffs=["tags"])
    assert "tags: no change was approved, now it is changes" in _difference(
        approved=[_step(detailed=None)], now=[plain]
    )


def test_another_value_of_the_same_property_is_told_without_the_value() -> None:
    told = _difference(
        approved=[_step(inputs={"image": "one"})], now=[_step(inputs={"image": "unseen-value"})]
    )
    assert told == f"{URN}: update: image: not the value that was approved"


def test_no_value_is_written(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    reading.write(_plan(_step(inputs={"password": "hunter2"})), file)
    assert "hunter2" not in file.read_text()
    assert "password" in file.read_text()


def test_an_asset_is_its_content_and_not_its_place() -> None:
    def asset(path: str, content: str) -> dict[str, Any]:
        return _step(
            inputs={"source": {"4dabf18193072939515e22adb298388d": ASSET, "hash": content, "path": path}}
        )

    assert not _difference(approved=[asset("/here/a", "1")], now=[asset("/there/a", "1")])
    assert _difference(approved=[asset("/here/a", "1")], now=[asset("/here/a", "2")])


def test_a_name_that_every_preview_draws_anew_is_no_difference() -> None:
    def made(name: str, more: str = "") -> list[dict[str, Any]]:
        inputs = {"name": name, "__defaults": ["name"], "description": more}
        user = _step("create", f"{URN}-2", inputs={"pools": [{"in": f"zones/a/{name}"}]})
        return [_step("create", inputs=inputs), user]

    assert not _difference(approved=made("t4-spot-0294136"), now=made("t4-spot-452cff0"))
    assert "name" in _difference(approved=made("t4-spot-0294136"), now=made("t4-other-452cff0"))
    assert "description" in _difference(
        approved=made("a-0294136", "v-1234567"), now=made("a-0294136", "v-7654321")
    )


def test_a_name_of_what_is_there_is_compared_as_it_is() -> None:
    assert "name" in _difference(
        approved=[_step(inputs={"name": "t4-0294136"})], now=[_step(inputs={"name": "t4-452cff0"})]
    )


def test_policy_results_are_compared_one_by_one() -> None:
    assert _difference(approved=[], now=[_fault()]).startswith("new: mandatory data.block_public_buckets")
    assert _difference(approved=[_fault()], now=[]).startswith("gone: mandatory")
    lowered = _difference(approved=[_fault()], now=[_fault("advisory")])
    assert "new: advisory" in lowered, "a fault that stops no more is another result"


def test_a_plan_that_a_policy_no_longer_judges_is_another_plan() -> None:
    told = _difference(approved=[JUDGED], now=[])
    assert told == "judged before, and not now, by: data.block_public_buckets"


def test_a_stream_that_breaks_off_is_no_plan() -> None:
    with pytest.raises(CommandError, match="has no end"):
        reading.read([json.dumps(_step())])


def test_a_preview_that_failed_is_no_plan() -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "no credentials"}}
    with pytest.raises(CommandError, match="no credentials"):
        _plan(error)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2}'])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan"
    file.write_text(text)
    with pytest.raises(CommandError, match="plan save"):
        reading.load(file)


def _run(*words: str, given: list[dict[str, Any]] | None = None) -> tuple[int, str]:
    text = "\n".join(json.dumps(each) for each in given or [])
    done = CliRunner().invoke(app, list(words), input=text)
    return done.exit_code, done.output


def test_the_commands_answer_by_their_exit_code(tmp_path: Path) -> None:
    one, other, none = (str(tmp_path / name) for name in ("one", "other", "none"))
    assert _run("save", one, given=[_step(), _fault(), END])[0] == 0
    assert _run("save", other, given=[_step("replace"), END])[0] == 0
    assert _run("save", none, given=[END])[0] == 0
    assert _run("compare", one, one) == (0, "the same as approved\n")
    code, told = _run("compare", one, other)
    assert (code, told.splitlines()[0]) == (1, "3 difference(s) from what was approved:")
    assert _run("show", "--expect-no-changes", none)[0] == 0
    assert _run("show", "--expect-no-changes", one)[0] == 1
    assert _run("show", "--refuse-faults", one)[0] == 1
    assert _run("show", "--refuse-faults", other)[0] == 0
