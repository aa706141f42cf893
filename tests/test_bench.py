"""What `make bench` prints, without measuring."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bench_flat
from tests.bench import Operation, Program, Result, alone
from tests.bench_growth import Measured, by_process, summary
from tests.bench_policies import Compared, Policies, Spent, largest, ran, starts
from tests.bench_processes import Sampler, Usage, kind_of

RESULT = Result(
    "aws-dev", Program(1.0, 0.5, 98), [Operation("preview", 6.0, 2.0), Operation("up", 20.0, 4.0)]
)


def test_ratios_and_the_programs_share_are_reported_as_json() -> None:
    document = RESULT.document()
    assert [operation["ratio"] for operation in document["operations"]] == [3.0, 5.0]
    assert document["program"]["share_of_preview"] == 0.25


def test_a_person_reads_a_row_for_each_operation() -> None:
    table = RESULT.table()
    assert table.row_count == 2
    assert "25%" in str(table.caption)


def compared(*evaluated: tuple[float, float]) -> Compared:
    """Previews of 10 s, 8 s of CPU without the pack."""
    return Compared("aws-dev", 98, [Spent(10.0, 8.0)] * len(evaluated), [Spent(*pair) for pair in evaluated])


def test_what_the_pack_adds_is_the_median_of_the_pairs() -> None:
    document = compared((11.0, 8.4), (10.5, 8.8), (30.0, 8.8)).document()
    assert document["added"] == 0.1, "one preview that the machine was busy in changes nothing"
    assert document["added_cpu"] == 0.1
    assert document["pairs"] == 3
    assert document["with"] == {"seconds": 11.0, "cpu_seconds": 8.8}


@pytest.mark.parametrize(("evaluated", "holds"), [((11.5, 9.6), True), ((11.6, 8.8), False)])
def test_the_limit_is_of_what_a_user_waits_for(evaluated: tuple[float, float], holds: bool) -> None:
    assert compared(evaluated).holds is holds


def test_a_person_reads_whether_the_pack_keeps_to_its_limits() -> None:
    policies = Policies([compared((11.0, 8.8)), compared((12.0, 9.6))], Spent(0.3, 0.2), Spent(2.1, 1.1))
    table = policies.table()
    assert list(table.columns[-1].cells) == ["met", "exceeded"]
    assert list(table.columns[4].cells) == ["+10%", "+20%"]
    assert "limit 2 s: exceeded" in str(table.caption)
    assert policies.document()["starts_in_time"] is False


def test_the_largest_environment_is_one_of_ours() -> None:
    assert (Path(__file__).parents[1] / "environments" / f"Pulumi.{largest()}.yaml").is_file()


def test_a_command_s_children_count_with_it() -> None:
    busy = "(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done) & wait"
    assert ran(["sh", "-c", busy], {}).cpu_seconds > 0.05
    assert ran(["sh", "-c", "sleep 0.2"], {}).cpu_seconds < 0.1, "and waiting costs none"


GROWTH = [
    Measured(1, 320, "preview", 6.0, {"engine": Usage(2.0, 100 * 2**20)}),
    Measured(4, 1280, "preview", 15.0, {"engine": Usage(9.0, 300 * 2**20), "program": Usage(8.0)}),
]


def test_growth_is_the_ratio_of_neighbouring_sizes() -> None:
    table = summary(GROWTH)
    assert [list(column.cells) for column in table.columns] == [["preview"], ["6.0"], ["15.0"], ["2.5"]]
    assert [str(column.header) for column in table.columns[1:]] == ["1x (320)", "4x (1280)", "4x / 1x"]


def test_usage_is_listed_by_process_with_zero_where_a_process_did_not_run() -> None:
    table = by_process(GROWTH, "preview")
    rows = list(zip(*(list(column.cells) for column in table.columns), strict=True))
    assert rows == [("engine", "2.0", "100", "9.0", "300"), ("program", "0.0", "0", "8.0", "0")]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("/twins/aws-dev/bin/pulumi preview --stack aws-dev", "engine"),
        ("python program_start.py pulumi-language-python-exec --monitor 127.0.0.1:1", "program"),
        ("python -P -m twin.gcp.provider 127.0.0.1:1", "provider gcp"),
        ("controlplane etcd --name=twin", "etcd"),
        ("aiplatform-controlplane kube-apiserver", "kube-apiserver"),
        ("less pulumi.log", None),
    ],
)
def test_a_process_is_known_by_its_command_line(command: str, kind: str | None) -> None:
    assert kind_of(command) == kind


def test_only_marked_processes_are_sampled(tmp_path: Path) -> None:
    busy = ["sh", "-c", "# twin.aws.server\ni=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]
    for mark, sampled in (("mine", True), ("other", False)):
        with Sampler({"AIPLATFORM_TWIN": "mine"}, tmp_path).running() as usage:
            ran(busy, {"AIPLATFORM_TWIN": mark})
        assert ("cloud API" in usage) is sampled
        assert not sampled or usage["cloud API"].cpu_seconds > 0.1


@pytest.mark.end_to_end
def test_a_pack_that_python_has_not_compiled_starts_later() -> None:
    start, first = starts(1)
    assert 0 < start.cpu_seconds < first.cpu_seconds


@pytest.mark.end_to_end
def test_the_program_alone_registers_a_whole_environment() -> None:
    program = alone("aws-dev")
    assert program.resources > 50
    assert program.import_seconds > 0
    assert program.register_seconds > 0


URN = "urn:pulumi:dev::ai-platform::aiplatform:index:Cluster$aws:eks/cluster:Cluster::cluster"


def test_the_flat_program_waits_as_long_as_the_cloud_took() -> None:
    vpc = URN.replace("eks/cluster:Cluster", "ec2/vpc:Vpc")
    waits = {URN: {"create": 4.5, "delete": 1.0}}
    state = [
        {
            "urn": "urn:pulumi:dev::ai-platform::pulumi:pulumi:Stack::s",
            "type": "pulumi:pulumi:Stack",
            "custom": False,
        },
        {"urn": vpc, "type": "aws:ec2/vpc:Vpc", "custom": True, "inputs": {"cidr": "10.0.0.0/16"}},
        {"urn": URN, "type": "aws:eks/cluster:Cluster", "custom": True, "dependencies": [vpc]},
    ]
    network, cluster = bench_flat.recorded(state, waits, {URN: 9.0, vpc: 2.0})
    assert (cluster["create"], cluster["delete"]) == (4.5, 1.0), "without the work of our provider"
    assert network["create"] == 0.0, "a step that only our own provider worked in waits for nothing"
    assert cluster["dependencies"] == [vpc]
    assert network["type"] == "flat:index:aws_ec2_vpc_Vpc", "the engine asks the flat provider for it"


def test_a_kubernetes_resource_takes_as_long_as_its_step() -> None:
    deployment = {"urn": URN, "type": "kubernetes:apps/v1:Deployment", "custom": True}
    (resource,) = bench_flat.recorded([deployment], {}, {URN: 3.0})
    assert resource["create"] == 3.0


def test_secrets_are_plain_in_the_flat_program() -> None:
    secret = {bench_flat.SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    assert bench_flat.plain({"password": secret, "__defaults": []}) == {"password": "secret"}
