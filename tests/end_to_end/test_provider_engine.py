"""The provider core with the real engine, on a fake cloud in one file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from pulumi import automation

from tests.end_to_end.inline import ROOT, Program, Workplace
from twin.tests.fake_cloud import BUCKET, SUBNET, VPC
from twin.tests.waiting import eventually
from twin.toolchain import build

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def network(cidr: str = "10.0.0.0/16", **tags: str) -> Program:
    return [
        {"token": VPC, "name": "main", "props": {"cidrBlock": cidr, "tags": tags}},
        {"token": SUBNET, "name": "a", "props": {"vpcId": {"ref": "main"}, "cidrBlock": "10.0.1.0/24"}},
        {"token": BUCKET, "name": "data", "props": {}},
    ]


def changes(result: Any) -> dict[str, int]:
    """Return the changes of an operation, without `same`."""
    summary = result.change_summary if hasattr(result, "change_summary") else result.summary.resource_changes
    return {
        str(getattr(op, "value", op)): n
        for op, n in summary.items()
        if str(getattr(op, "value", op)) != "same"
    }


def test_a_stack_is_created_previewed_without_changes_and_destroyed(place: Workplace) -> None:
    stack = place.stack(network(owner="me"))
    assert changes(stack.preview())["create"] == 4
    assert not place.backend.things(), "a preview creates nothing"
    up = stack.up()
    things = place.backend.things()
    assert {output.value for output in up.outputs.values()} == set(things)
    assert things[up.outputs["a"].value]["vpcId"] == up.outputs["main"].value
    assert not changes(stack.preview(refresh=True)), "nothing changed, nothing drifted"
    stack.destroy()
    assert not place.backend.things()


def test_drift_is_found_and_repaired(place: Workplace) -> None:
    stack = place.stack(network(owner="me"))
    vpc = stack.up().outputs["main"].value
    props = place.backend.things()[vpc]
    place.backend.put(vpc, VPC, {**props, "tags": {"owner": "else"}, "tagsAll": {"owner": "else"}})
    assert changes(stack.preview(refresh=True)) == {"update": 1}
    stack.up(refresh=True)
    assert place.backend.things()[vpc]["tags"] == {"owner": "me"}
    place.backend.drop(vpc)
    assert changes(stack.preview(refresh=True)).get("create") == 1, "a deleted resource is created again"


def test_any_text_is_the_same_after_it_was_saved_exported_and_imported(place: Workplace) -> None:
    texts = {"markup": "<a href='x'>&</a>", "control": "\x00\x1f\t\n", "separators": "\u2028\u2029"}
    texts |= {
        "quoted": '{"a": ["\\\\"]}',
        "other planes": "\U0001f600 \U0010fffd",
        "number": "1e400",
        "empty": "",
    }
    stack = place.stack(network(**texts))
    stack.up()
    file = place.folder / "state" / ".pulumi" / "stacks" / "proj" / "dev.json"
    resources = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
    saved = next(resource for resource in resources if resource["type"] == VPC)
    assert saved["inputs"]["tags"] == texts, "the file is JSON as any other program reads it"
    before = stack.export_stack()
    stack.import_stack(before)
    assert stack.export_stack().deployment == before.deployment
    assert not changes(stack.preview(refresh=True))


def test_an_immutable_change_replaces_the_resource_and_its_dependents(place: Workplace) -> None:
    before = place.stack(network()).up().outputs
    changed = place.stack(network("10.1.0.0/16"))
    assert changes(changed.preview()) == {"replace": 2}
    after = changed.up().outputs
    assert after["main"].value != before["main"].value
    assert after["a"].value != before["a"].value
    assert after["data"].value == before["data"].value
    assert set(place.backend.things()) == {output.value for output in after.values()}, (
        "the replaced resources are deleted"
    )


def test_an_existing_resource_is_imported(place: Workplace) -> None:
    place.backend.put("subnet-9", SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    props = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2a"}
    stack = place.stack([{"token": SUBNET, "name": "a", "props": props, "import": "subnet-9"}])
    assert changes(stack.up()) == {"create": 1, "import": 1}
    assert not changes(stack.preview())
    assert list(place.backend.things()) == ["subnet-9"]


def test_a_refused_resource_is_not_created(place: Workplace) -> None:
    program = network()
    program[0]["props"]["cidrBlok"] = "10.0.0.0/16"
    with pytest.raises(automation.CommandError, match="did you mean 'cidrBlock'"):
        place.stack(program[:1]).up()
    assert not place.backend.things()


def test_a_type_without_entry_is_previewed_with_a_warning_and_refused_in_an_update(place: Workplace) -> None:
    stack = place.stack([{"token": "aws:sqs/queue:Queue", "name": n, "props": {}} for n in ("a", "b")])
    diagnostics = stack.preview().stdout.partition("Diagnostics:")[2]
    assert diagnostics.count("warning: the twin has no entry for aws:sqs/queue:Queue") == 1, (
        "one warning for each type"
    )
    with pytest.raises(automation.CommandError, match=r"aws:sqs/queue:Queue.*twin/tests/fake_cloud\.py"):
        stack.up()


def test_a_resource_whose_create_failed_midway_is_repaired_in_place(place: Workplace) -> None:
    with pytest.raises(automation.CommandError, match="never became ready"):
        place.stack(network(failure="half")[:1]).up()
    (left,) = place.backend.things()
    assert place.stack(network()[:1]).up().outputs["main"].value == left


@pytest.mark.parametrize("victims", ["everything", "engine", "provider", "none"])
def test_a_kill_in_the_middle_leaves_no_duplicate(place: Workplace, victims: str) -> None:
    program: Program = [
        {"token": VPC, "name": f"v{i}", "props": {"cidrBlock": f"10.{i}.0.0/16"}} for i in range(6)
    ]
    program.append({"token": BUCKET, "name": "data", "props": {}})
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.inline", str(place.folder), json.dumps(program)],
        cwd=ROOT,
        env={**os.environ, "FAKE_DELAY_AFTER": "20"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually("the first resources exist", lambda: len(place.backend.things()) >= 4, 60)
    family = psutil.Process(running.pid).children(recursive=True)
    for process in family:
        is_engine = process.name() == "pulumi"
        if victims == "none" and is_engine:
            process.send_signal(signal.SIGINT)  # Ctrl-C
        elif victims == "everything" or victims == ("engine" if is_engine else "provider"):
            process.kill()
    if victims == "everything":
        running.kill()
    running.wait(60)
    psutil.wait_procs(family, timeout=30)
    assert not [process for process in family if process.is_running()], "no process outlives the engine"

    stack = place.stack(program)
    stack.cancel()
    up = stack.up()
    assert set(place.backend.things()) == {output.value for output in up.outputs.values()}
    assert len(place.backend.things()) == 7
    stack.destroy()
    assert not place.backend.things()
