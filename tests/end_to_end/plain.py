"""A twin with a network and a cluster of a plain pulumi_aws program, and further stacks that tests define.

Programs are functions in the test's process; the engine, the provider and the cloud are those of the twin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes
import pulumi
import pulumi_aws as aws
from pulumi import automation

from tests.end_to_end.harness import Twin
from twin import environment

Program = Callable[[], None]


@dataclass(frozen=True)
class Base:
    """Outputs of the base stack."""

    vpc_id: str
    subnet_ids: list[str]
    zone_names: list[str]
    zone_ids: list[str]
    """The zones of the subnets."""
    cluster: str
    cluster_role: str
    node_role_arn: str


def trust(service: str) -> str:
    """Return a trust policy for a service."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )


class Plain(Twin):
    """A twin, `plain` by default, and programs on it. The base stack is for AWS.

    options: of `twin start`. checkpoints: as of `Twin`. images: a table of images whose Pods run as
    processes.
    """

    def __init__(
        self,
        home: Path,
        name: str = "plain",
        *options: str,
        checkpoints: bool = False,
        images: str = "",
        cloud: str = "aws",
    ) -> None:
        super().__init__(name, home, checkpoints=checkpoints)
        if images:
            folder = home / "twins" / name
            folder.mkdir(parents=True)
            (folder / "images.toml").write_text(images)
        self.cli("twin", "start", "--name", name, "--cloud", cloud, *options)
        self._stacks: dict[str, automation.Stack] = {}

    def kubernetes(self) -> kubernetes.client.ApiClient:
        """Return the administrator's client: no stack of this twin has a kubeconfig."""
        return kubernetes.config.new_client_from_config(str(self.instance.kubeconfig))

    def stack(self, name: str, program: Program) -> automation.Stack:
        """Return a stack of this twin with this program."""
        if name not in self._stacks:
            folder = self.home / f"project-{self.environment}-{name}"
            folder.mkdir()
            self._stacks[name] = automation.create_or_select_stack(
                name,
                "plain",
                program,
                opts=automation.LocalWorkspaceOptions(
                    work_dir=str(folder),
                    env_vars=environment.environment(self.instance) | self.engine_variables,
                    pulumi_command=automation.PulumiCommand(
                        root=str(self.instance.folder), skip_version_check=True
                    ),
                ),
            )
        stack = self._stacks[name]
        stack.workspace.program = program
        return stack

    def deployed(self, name: str) -> automation.Stack:
        """Return a stack that there is, with its program."""
        return self._stacks[name]

    def base(self) -> Base:
        """Deploy the base stack."""
        outputs = self.stack("base", self._base).up().outputs
        return Base(**{name: output.value for name, output in outputs.items()})

    def end(self) -> None:
        """Destroy the base stack, and assert that the cloud is empty."""
        self._stacks["base"].destroy()
        assert self.inventory() == {}, "destroy deletes all of the base stack"

    def _base(self) -> None:
        zones = aws.get_availability_zones(state="available")
        vpc = aws.ec2.Vpc("base", cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
        subnets = [
            aws.ec2.Subnet(
                f"base-{index}", vpc_id=vpc.id, cidr_block=f"10.0.{index}.0/24", availability_zone=zone
            )
            for index, zone in enumerate(zones.names[:2])
        ]
        role = aws.iam.Role("cluster", assume_role_policy=trust("eks.amazonaws.com"))
        attached = aws.iam.RolePolicyAttachment(
            "cluster", role=role.name, policy_arn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
        )
        node = aws.iam.Role("node", assume_role_policy=trust("ec2.amazonaws.com"))
        for policy in (
            "AmazonEKSWorkerNodePolicy",
            "AmazonEC2ContainerRegistryPullOnly",
            "AmazonEKS_CNI_Policy",
        ):
            aws.iam.RolePolicyAttachment(
                policy, role=node.name, policy_arn=f"arn:aws:iam::aws:policy/{policy}"
            )
        cluster = aws.eks.Cluster(
            "base",
            role_arn=role.arn,
            vpc_config=aws.eks.ClusterVpcConfigArgs(subnet_ids=[subnet.id for subnet in subnets]),
            access_config=aws.eks.ClusterAccessConfigArgs(authentication_mode="API_AND_CONFIG_MAP"),
            opts=pulumi.ResourceOptions(depends_on=[attached]),
        )
        exported: dict[str, Any] = {
            "vpc_id": vpc.id,
            "subnet_ids": [subnet.id for subnet in subnets],
            "zone_names": zones.names[:2],
            "zone_ids": zones.zone_ids[:2],
            "cluster": cluster.name,
            "cluster_role": role.name,
            "node_role_arn": node.arn,
        }
        for name, value in exported.items():
            pulumi.export(name, value)


def location(base: Base) -> dict[str, Any]:
    """Return the arguments `cluster` and `network` of a pool of nodes there. Only in a program."""
    kinds = ("private", "public", "intra")
    zones: list[Any] = [
        {"id": id, "name": name, **{f"{kind}_subnet_id": subnet for kind in kinds}}
        for id, name, subnet in zip(base.zone_ids, base.zone_names, base.subnet_ids, strict=True)
    ]
    cluster = aws.eks.get_cluster(name=base.cluster)
    return {
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
    }
