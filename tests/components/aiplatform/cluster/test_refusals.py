"""What a cluster's arguments refuse. Nothing is registered: reading them is all that happens."""

from datetime import date
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.kubernetes.pools import architecture
from aiplatform.cluster import Cluster
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.aws.versions import VERSIONS, out_of_support
from tests.components.aiplatform.cluster.test_cluster import ADMIN, ARGS, NETWORK
from tests.components.recording import record


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as refused:
        read(ClusterSettings, {**ARGS, **arguments}, "ClusterArgs")
    return [str(problem) for problem in refused.value.problems]


def test_the_component_itself_refuses_before_it_registers():
    with pytest.raises(ArgumentError, match=r"ClusterArgs\.versoin: unknown key; did you mean 'version'\?"):
        record(lambda: Cluster("cluster", {**ARGS, "versoin": "1.35"}))  # type: ignore[typeddict-unknown-key]


def test_an_instance_type_that_no_zone_offers_is_refused():
    arguments: Any = {**ARGS, "system_nodes": {"instance_types": ["m7i.large", "m7i.lrage"]}}
    offered = {"instanceTypes": ["m7i.large"], "locations": ["usw2-az1"], "locationTypes": [], "id": "x"}
    answers = {"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": lambda _: offered}
    with pytest.raises(ArgumentError, match=r"instance_types\[1\]: got 'm7i.lrage', which no zone"):
        record(lambda: Cluster("cluster", arguments), answers=answers)


@pytest.mark.parametrize(
    "cidrs", [["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["192.52.193.0/24", "64.0.0.0/2"]]
)
def test_the_api_is_never_open_to_the_world(cidrs: list[str]):
    (problem,) = _problems(api_access={"mode": "cidrs", "cidrs": cidrs})
    assert problem.startswith("ClusterArgs.api_access.cidrs")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"api_access": {"mode": "cidrs"}}, "ClusterArgs.api_access.cidrs: got 0; expected 1 to 40"),
        (
            {"api_access": {"mode": "in_vpc", "cidrs": ["192.52.193.0/24"]}},
            "no public endpoint; expected mode: cidrs",
        ),
        (
            {
                "api_access": {
                    "mode": "cidrs",
                    "cidrs": ["192.52.193.0/24"],
                    "security_group_id": "sg-4u22e4",
                }
            },
            "ClusterArgs.api_access.security_group_id: got one with mode cidrs",
        ),
        ({"api_access": {"security_group_id": "runner"}}, "expected a security group's id"),
        ({"api_access": {"mode": "public"}}, "expected one of in_vpc, cidrs"),
        (
            {"api_access": {"mode": "cidrs", "cidrs": ["10.0.0.0/8"]}},
            "which is reserved and not routed on the internet",
        ),
        ({"api_access": {"mode": "cidrs", "cidrs": ["192.52.193.7/24"]}}, "did you mean '192.52.193.0/24'?"),
        ({"api_access": {"mod": "cidrs"}}, "ClusterArgs.api_access.mod: unknown key; did you mean 'mode'?"),
        ({"version": "1.29"}, "ClusterArgs.version: got '1.29'; expected a version in support: 1.36, 1.35"),
        ({"version": "1.99"}, "expected a version in support"),
        ({"version": 1.35}, "ClusterArgs.version: got 1.35; expected a string"),
        ({"eks": {"service_cidr": "10.16.128.0/20"}}, "expected a range outside the network's 10.16.0.0/16"),
        ({"eks": {"service_cidr": "100.64.0.0/16"}}, "expected a private range"),
        ({"eks": {"service_cidr": "172.20.0.0/28"}}, "expected a range of /12 (largest) to /24 (smallest)"),
        (
            {"system_nodes": {"min": 4, "max": 3}},
            "ClusterArgs.system_nodes.min: got 4; expected at most max, which is 3",
        ),
        ({"system_nodes": {"min": 0}}, "expected 1 to 450 nodes"),
        (
            {"system_nodes": {"instance_types": ["m7i.large", "m7g.large"]}},
            "expected one processor architecture",
        ),
        ({"system_nodes": {"instance_types": ["large"]}}, "an instance type such as m7i.large"),
        (
            {"system_nodes": {"disk": 20}},
            "ClusterArgs.system_nodes.disk: unknown key; did you mean 'disk_gib'?",
        ),
        ({"admins": ["arn:aws:sts::111122223333:assumed-role/a/b"]}, "expected an IAM role's arn"),
        ({"admins": [ADMIN, ADMIN]}, "expected no duplicates"),
        ({"admins": ["arn:aws:iam::111122223333:role/*"]}, "expected an IAM role's arn, without *"),
        ({"eks": {"addons": {"corends": {}}}}, "ClusterArgs.eks.addons.corends: unknown add-on"),
        ({"eks": {"addons": {"corends": {}}}}, "did you mean 'coredns'?"),
        (
            {"eks": {"addons": {"coredns": {"version": "1.13"}}}},
            "ClusterArgs.eks.addons.coredns.version: got '1.13'",
        ),
        ({"eks": {"addons": {"coredns": {"versoin": "v1.13.2-eksbuild.4"}}}}, "did you mean 'version'?"),
        ({"log_retention_days": 45}, "30 is the nearest"),
        ({"log_retention_days": 0}, "ClusterArgs.log_retention_days: got 0"),
        ({"eks": {"support": "extende"}}, "did you mean 'extended'?"),
        ({"prefix": "a" * 30}, "expected at most 29 characters"),
        ({"network": {**NETWORK, "intra_subnet_ids": ["subnet-1"]}}, "expected subnets in 2 zones at least"),
        ({"network": {**NETWORK, "intra_subnets": []}}, "did you mean 'intra_subnet_ids'?"),
        ({"network": {"vpc_id": "vpc-1"}}, "ClusterArgs.network.cidr: missing"),
    ],
)
def test_bad_input_is_refused_with_its_path(arguments: dict[str, Any], problem: str):
    problems = _problems(**arguments)
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("service_cidr", "172.20.0.0/16", "eks.service_cidr"), ("gcs_fuse", True, "gke.gcs_fuse")],
)
def test_an_option_of_one_cloud_outside_its_block_is_refused_with_its_place(
    option: str, value: Any, key: str
):
    assert _problems(**{option: value}) == [f"ClusterArgs.{option}: unknown key; did you mean '{key}'?"]


def test_without_intra_subnets_the_private_ones_serve():
    settings = read(
        ClusterSettings, {**ARGS, "network": {**NETWORK, "intra_subnet_ids": None}}, "ClusterArgs"
    )
    assert settings.control_plane_subnets == ["subnet-p1", "subnet-p2"]


def test_a_version_is_in_support_until_its_last_day():
    end = VERSIONS["1.34"].standard
    assert out_of_support("1.34", "standard", end) is None
    reason = out_of_support("1.34", "standard", date(2026, 12, 3))
    assert reason == (
        "expected a version in support: 1.36, 1.35; standard support of 1.34 ended on 2026-12-02, "
        "support 'extended' keeps it"
    )
    assert out_of_support("1.34", "extended", date(2026, 12, 3)) is None
    assert "1.33" in str(out_of_support("1.31", "extended", date(2027, 1, 1))), (
        "names those in extended support"
    )


@pytest.mark.parametrize(
    ("instance_type", "arm"),
    [
        ("m7g.large", True),
        ("c7gn.xlarge", True),
        ("x2gd.large", True),
        ("is4gen.large", True),
        ("a1.large", True),
        ("m7i.large", False),
        ("m7i-flex.large", False),
        ("g5.xlarge", False),
        ("g5g.xlarge", True),
        ("p4d.24xlarge", False),
        ("u-6tb1.metal", False),
    ],
)
def test_graviton_follows_from_the_letter_after_the_generation(instance_type: str, arm: bool):
    assert (architecture(instance_type) == "arm64") is arm
