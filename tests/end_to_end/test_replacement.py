"""A node group and a security group replaced: the new one stands before the old one goes, under another name.

The program is a network and a cluster of plain resources, and the components' node pool in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation

from aiplatform.node_pool import NodePool
from tests.end_to_end.plain import Base, Plain

pytestmark = pytest.mark.end_to_end

STACK: Final = "replacement"


def program(base: Base, *, types: list[str], disk: int, description: str) -> Callable[[], None]:
    """A pool, and a security group that a network interface holds on to."""

    def registered() -> None:
        kinds = ("private", "public", "intra")
        zones: list[Any] = [
            {"id": id, "name": name, **{f"{kind}_subnet_id": subnet for kind in kinds}}
            for id, name, subnet in zip(base.zone_ids, base.zone_names, base.subnet_ids, strict=True)
        ]
        cluster = aws.eks.get_cluster(name=base.cluster)
        NodePool(
            "workers",
            {
                "prefix": "acme-test",
                "name": "workers",
                "cluster": {
                    "name": base.cluster,
                    "version": cluster.version,
                    "security_group_id": cluster.vpc_config.cluster_security_group_id,
                    "endpoint": cluster.endpoint,
                    "certificate_authority": cluster.certificate_authorities[0].data,
                    "service_cidr": "172.20.0.0/16",
                },
                "network": {
                    "vpc_id": base.vpc_id,
                    "cidr": "10.0.0.0/16",
                    "private_subnet_ids": base.subnet_ids,
                    "intra_subnet_ids": base.subnet_ids,
                    "zones": zones,
                },
                "instance_types": types,
                "disk_gib": disk,
                "min": 1,
                "max": 2,
            },
        )
        group = aws.ec2.SecurityGroup(
            "endpoints", name_prefix="acme-test-", description=description, vpc_id=base.vpc_id
        )
        endpoint = aws.ec2.VpcEndpoint(
            "sts",
            vpc_id=base.vpc_id,
            service_name="com.amazonaws.us-west-2.sts",
            vpc_endpoint_type="Interface",
            subnet_ids=base.subnet_ids,
            security_group_ids=[group.id],
        )
        pulumi.export("group", group.id)
        pulumi.export("endpoint", endpoint.id)

    return registered


class Shown:
    """What the cloud has of it."""

    def __init__(self, plain: Plain, base: Base, up: Any) -> None:
        eks, ec2 = plain.aws("eks"), plain.aws("ec2")
        [name] = eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]
        self.node_group = eks.describe_nodegroup(clusterName=base.cluster, nodegroupName=name)["nodegroup"]
        self.group = up.outputs["group"].value
        [endpoint] = ec2.describe_vpc_endpoints(VpcEndpointIds=[up.outputs["endpoint"].value])["VpcEndpoints"]
        self.of_endpoint = [group["GroupId"] for group in endpoint["Groups"]]
        named = {"Filters": [{"Name": "group-name", "Values": ["acme-test-*"]}]}
        self.groups = [group["GroupId"] for group in ec2.describe_security_groups(**named)["SecurityGroups"]]

    @property
    def name(self) -> str:
        """The node group's."""
        return self.node_group["nodegroupName"]


FIRST: Final[dict[str, Any]] = {"types": ["m6i.large"], "disk": 30, "description": "endpoints"}


@pytest.fixture(scope="module")
def before(plain: Plain, base: Base) -> Iterator[Shown]:
    """The first state; all of it is destroyed at the end."""
    yield Shown(plain, base, plain.stack(STACK, program(base, **FIRST)).up())
    plain.stack(STACK, program(base, **FIRST)).destroy()


def order(up: automation.UpResult, name: str) -> list[str]:
    """What was done to a resource, in the order in which it ended."""
    lines = [line.split() for line in up.stdout.splitlines() if f" {name} " in line]
    return [
        word for words in lines for word in words if word in ("created", "updated", "replaced", "deleted")
    ]


def test_a_larger_disk_rolls_the_nodes_of_the_same_group(plain: Plain, base: Base, before: Shown) -> None:
    up = plain.stack(STACK, program(base, **{**FIRST, "disk": 40})).up()
    shown = Shown(plain, base, up)
    assert shown.name == before.name, "a launch template's new version is no new group"
    assert int(shown.node_group["launchTemplate"]["version"]) > int(
        before.node_group["launchTemplate"]["version"]
    )
    nodes = plain.aws("ec2").describe_instances(
        Filters=[
            {"Name": "tag:eks:nodegroup-name", "Values": [shown.name]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )
    assert len(nodes["Reservations"]) == 1, "the old node is gone when the update has ended"


def test_what_cannot_change_is_replaced_without_a_clash(plain: Plain, base: Base, before: Shown) -> None:
    changed = {"types": ["m6i.xlarge", "m5.xlarge"], "disk": 40, "description": "interface endpoints"}
    up = plain.stack(STACK, program(base, **changed)).up()
    shown = Shown(plain, base, up)
    assert shown.name != before.name, "both names stood at once"
    assert shown.node_group["instanceTypes"] == ["m6i.xlarge", "m5.xlarge"]
    assert shown.node_group["status"] == "ACTIVE"
    assert order(up, "workers-on-demand")[-1] == "deleted", "the old one goes last"
    assert shown.group != before.group
    assert shown.groups == [shown.group], "the old group is gone"
    assert shown.of_endpoint == [shown.group], "who used the old group was moved before it went"
    assert not up.summary.resource_changes or "same" in up.summary.resource_changes
    assert not changes(plain.stack(STACK, program(base, **changed)).preview(refresh=True))


def changes(preview: automation.PreviewResult) -> dict[str, int]:
    """What a preview would do."""
    return {
        str(getattr(op, "value", op)): count
        for op, count in preview.change_summary.items()
        if str(getattr(op, "value", op)) != "same"
    }
