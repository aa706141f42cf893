"""Drills of docs/operations/disaster-recovery.md with the real engine: the state is lost, is older than the
cloud, or names resources that are lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.inline import Program, Workplace
from tests.end_to_end.test_provider_engine import changes
from twin.tests.fake_cloud import BUCKET, CLUSTER, VPC
from twin.toolchain import build

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]

NETWORK: Program = [{"token": VPC, "name": "main", "props": {"cidrBlock": "10.0.0.0/16"}}]
TABLES: Program = [{"token": BUCKET, "name": "tables", "props": {}}]
ROLE = "arn:aws:iam::123456789012:role/cluster"
PLATFORM: Program = [
    {
        "token": CLUSTER,
        "name": "cluster",
        "props": {"roleArn": ROLE, "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}},
    }
]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_state_that_is_lost_is_imported_from_its_copy_and_nothing_changes(place: Workplace) -> None:
    program = [*NETWORK, *TABLES]
    stack = place.stack(program)
    stack.up()
    copy, before = stack.export_stack(), place.backend.things()
    shutil.rmtree(place.folder / "state")
    (place.folder / "state").mkdir()
    again = place.stack(program)
    assert changes(again.preview())["create"] == 3, "without the copy all would be created again"
    again.import_stack(copy)
    again.refresh()
    assert not changes(again.preview())
    assert place.backend.things() == before
    again.destroy()
    assert not place.backend.things(), "the imported state deletes what the lost one created"


def test_former_version_of_the_state_shows_what_came_later_which_is_imported(place: Workplace) -> None:
    place.stack(NETWORK).up()
    file = next((place.folder / "state").rglob("dev.json"))
    former = file.read_bytes()
    bucket = place.stack([*NETWORK, *TABLES]).up().outputs["tables"].value
    file.write_bytes(former)
    stack = place.stack([*NETWORK, *TABLES])
    stack.refresh()
    assert changes(stack.preview())["create"] == 1, "the bucket exists, and the state does not have it"
    name = place.backend.things()[bucket]["bucket"]
    imported = [{**TABLES[0], "props": {"bucket": name}, "import": bucket}]
    assert changes(place.stack([*NETWORK, *imported]).up()) == {"import": 1}
    assert [*place.backend.things(BUCKET)] == [bucket], "it is not created twice"


def test_cluster_that_is_lost_is_created_again_and_data_stays(place: Workplace) -> None:
    program = [*NETWORK, *TABLES, *PLATFORM]
    stack = place.stack(program)
    outputs = stack.up().outputs
    cluster, data = outputs["cluster"].value, outputs["tables"].value
    place.backend.drop(cluster)
    stack.refresh()
    assert changes(stack.preview())["create"] == 1, "the cluster alone"
    created = stack.up().outputs
    assert created["tables"].value == data
    assert created["cluster"].value in place.backend.things(CLUSTER)
    assert not changes(stack.preview())
