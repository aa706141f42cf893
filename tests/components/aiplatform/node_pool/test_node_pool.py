"""A node pool: resources and refused arguments."""

import gzip
import json
from pathlib import Path
from typing import Any

import moto
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform._shared.kubernetes.pools import architecture
from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import CLUSTER, NETWORK, Answers, offering
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import Recording, record

RECORDED = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"


def pool(answers: Answers | None = None, **more: Any) -> Recording:
    """A pool named `cpu` with these arguments."""
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "general",
        "cluster": CLUSTER,
        "network": NETWORK,
        "instance_types": ["m7i.2xlarge"],
        **more,
    }
    return record(lambda: NodePool("cpu", arguments), answers=answers)


def problems(answers: Answers | None = None, **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        pool(answers, **more)
    return [str(problem) for problem in caught.value.problems]


def test_the_logical_names_are_a_contract() -> None:
    assert pool(capacity=["spot", "on_demand"]).names() == [
        "aiplatform:index:NodePool cpu",
        "aws:autoscaling/tag:Tag cpu-on-demand-ephemeral-storage",
        "aws:autoscaling/tag:Tag cpu-spot-ephemeral-storage",
        "aws:ec2/launchTemplate:LaunchTemplate cpu-on-demand",
        "aws:ec2/launchTemplate:LaunchTemplate cpu-spot",
        "aws:eks/nodeGroup:NodeGroup cpu-on-demand",
        "aws:eks/nodeGroup:NodeGroup cpu-spot",
        "aws:iam/role:Role cpu-node",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cpu-node-AmazonEC2ContainerRegistryPullOnly",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cpu-node-AmazonEKSWorkerNodePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment cpu-node-AmazonEKS_CNI_Policy",
    ]


def test_node_groups_have_the_stated_release() -> None:
    recorded = pool(capacity=["spot", "on_demand"], image_version="1.35.8-20260930")
    for group in recorded.all("aws:eks/nodeGroup:NodeGroup"):
        assert (group.inputs["releaseVersion"], group.inputs["version"]) == ("1.35.8-20260930", "1.35")
    (problem,) = problems(image_version="1.37.0-20260930")
    assert "image_version: got '1.37.0-20260930'; expected a release of Kubernetes 1.33 to 1.36" in problem


def test_it_is_documented() -> None:
    assert undocumented(NodePool) == []


def test_the_autoscaler_scales_a_pool_in_the_order_of_its_capacity() -> None:
    recorded = pool(capacity=["spot", "on_demand"], min=1, max=5, labels={"team": "web"})
    component = recorded.one("aiplatform:index:NodePool")
    spot = recorded.one("aws:eks/nodeGroup:NodeGroup", "cpu-spot")
    on_demand = recorded.one("aws:eks/nodeGroup:NodeGroup", "cpu-on-demand")
    assert spot.inputs["capacityType"] == "SPOT"
    assert on_demand.inputs["capacityType"] == "ON_DEMAND"
    assert spot.inputs["scalingConfig"] == {"minSize": 1, "maxSize": 5, "desiredSize": 1}
    assert on_demand.inputs["scalingConfig"] == {"minSize": 0, "maxSize": 5, "desiredSize": 0}
    assert spot.ignore_changes == ("scalingConfig.desiredSize",)
    assert spot.inputs["labels"] == {
        "ai-platform/pool": "general",
        "ai-platform/capacity": "spot",
        "team": "web",
    }
    assert component.outputs is not None
    priorities = [(g["capacity"], g["priority"]) for g in component.outputs["node_groups"]]
    assert priorities == [("spot", 100), ("on_demand", 90)]
    assert {r.parent for r in recorded.resources if r is not component} == {component.urn}


@pytest.mark.parametrize(
    ("type_", "image", "expected"),
    [
        ("m7i.2xlarge", "al2023", "AL2023_x86_64_STANDARD"),
        ("m7g.2xlarge", "al2023", "AL2023_ARM_64_STANDARD"),
        ("c7gn.xlarge", "bottlerocket", "BOTTLEROCKET_ARM_64"),
        ("c7a.xlarge", "bottlerocket", "BOTTLEROCKET_x86_64"),
    ],
)
def test_the_image_fits_the_architecture(type_: str, image: str, expected: str) -> None:
    recorded = pool(instance_types=[type_], image=image)
    assert recorded.one("aws:eks/nodeGroup:NodeGroup").inputs["amiType"] == expected


def test_the_architecture_follows_from_the_name_of_every_ec2_type() -> None:
    types: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    wrong = [
        name
        for name, facts in types.items()
        if not name.startswith("mac")
        and architecture(name) not in facts["ProcessorInfo"]["SupportedArchitectures"]
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"min": 4, "max": 3}, "NodePoolArgs.min: got 4; expected at most max, which is 3"),
        (
            {"instance_types": ["m7i.large", "m7g.large"]},
            "NodePoolArgs.instance_types[1]: got 'm7g.large', which is arm64 while m7i.large is x86_64",
        ),
        (
            {"instance_types": ["g5.xlarge"]},
            "which has 1 a10g; expected a type without accelerators, or a GPU pool",
        ),
        ({"instance_types": ["m7i"]}, "expected an instance type such as m7i.2xlarge"),
        ({"instance_types": []}, "of length 0; expected 1 to 20 instance types"),
        ({"capacity": ["reserved"]}, "NodePoolArgs.capacity[0]: got 'reserved'"),
        ({"capacity": ["spot", "spot"]}, "which repeats spot; expected no duplicates"),
        ({"zones": ["euc1-az7"]}, "NodePoolArgs.zones[0]: got 'euc1-az7'"),
        ({"labels": {"node.kubernetes.io/role": ""}}, "EKS accepts no empty one"),
        ({"instance_type": "m7i.large"}, "did you mean 'instance_types'?"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_expected_value(
    arguments: dict[str, Any], expected: str
) -> None:
    result = problems(**arguments)
    assert any(expected in problem for problem in result), "\n".join(result)


def test_architectures_are_compared_only_for_valid_types() -> None:
    assert len(problems(instance_types=["m7g.large", "m7i"])) == 1, (
        "a type without a size has no architecture"
    )


def test_a_zone_without_the_types_is_refused_with_those_that_have_them() -> None:
    answers = offering(m7i__2xlarge=("euc1-az2",))
    assert problems(answers, zones=["euc1-az1"]) == [
        "NodePoolArgs.zones[0]: got 'euc1-az1', which does not offer m7i.2xlarge; zone ids that do: euc1-az2"
    ]


def test_nodes_are_only_in_zones_that_offer_all_types() -> None:
    answers = offering(m7i__2xlarge=("euc1-az2", "euc1-az1"), m6i__2xlarge=("euc1-az2", "euc1-az3"))
    recorded = pool(answers, instance_types=["m7i.2xlarge", "m6i.2xlarge"])
    assert recorded.one("aws:eks/nodeGroup:NodeGroup").inputs["subnetIds"] == ["subnet-euc1-az2"]


def test_a_type_that_the_region_does_not_know_is_refused() -> None:
    (problem,) = problems(offering(), instance_types=["m99i.large"])
    assert problem.startswith(
        "NodePoolArgs.instance_types[0]: got 'm99i.large', which no zone of this region"
    )
