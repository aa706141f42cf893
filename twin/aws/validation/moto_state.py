"""moto's state, as the rules read it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from twin.aws.api_server.request import Refusal


class MotoState:
    """One account and region of moto."""

    def __init__(self, moto: Any, region: str, caller: Callable[[], str] = str) -> None:
        self.moto = moto
        self.region = region
        self._caller = caller
        self.account = moto.account

    @property
    def caller(self) -> str:
        """The arn of the role or user who asks; empty where an AWS service or no one in particular does."""
        return self._caller()

    @property
    def ec2(self) -> Any:
        """moto's EC2 backend of the region."""
        return self.moto.backend("ec2", self.region)

    @property
    def iam(self) -> Any:
        """moto's IAM backend."""
        return self.moto.backend("iam")

    @property
    def kms(self) -> Any:
        """moto's KMS backend of the region."""
        return self.moto.backend("kms", self.region)

    @property
    def s3(self) -> Any:
        """moto's S3 backend, which is one for all regions."""
        return self.moto.backend("s3")

    @property
    def logs(self) -> Any:
        """moto's CloudWatch Logs backend of the region."""
        return self.moto.backend("logs", self.region)

    @property
    def autoscaling(self) -> Any:
        """moto's Auto Scaling backend of the region."""
        return self.moto.backend("autoscaling", self.region)

    def subnet(self, subnet_id: str) -> Any:
        """A subnet, or EC2's refusal."""
        for zone in self.ec2.subnets.values():
            if subnet_id in zone:
                return zone[subnet_id]
        raise Refusal("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")

    def vpc(self, vpc_id: str) -> Any:
        """A VPC, or EC2's refusal."""
        vpc = self.ec2.vpcs.get(vpc_id)
        if vpc is None:
            raise Refusal("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
        return vpc

    def load_balancers(self) -> Iterator[tuple[str, set[str], set[str]]]:
        """Yield name, ids of subnets and ids of security groups of each load balancer, classic ones too: moto
        has no network interfaces of them."""
        for service in ("elb", "elbv2"):
            for balancer in self.moto.backend(service, self.region).load_balancers.values():
                subnets = {getattr(subnet, "id", subnet) for subnet in balancer.subnets}
                yield balancer.name, subnets, set(balancer.security_groups or ())

    def groups(self) -> dict[str, Any]:
        """All security groups by id."""
        return {key: group for groups in self.ec2.groups.values() for key, group in groups.items()}

    def group(self, group_id: str) -> Any:
        """A security group, or EC2's refusal."""
        group = self.groups().get(group_id)
        if group is None:
            raise Refusal("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        return group

    def roles(self) -> Iterable[Any]:
        """All IAM roles."""
        return self.iam.roles.values()

    def role(self, name: str) -> Any:
        """A role by name, or IAM's refusal."""
        for role in self.roles():
            if role.name == name:
                return role
        raise Refusal("NoSuchEntity", f"The role with name {name} cannot be found.", 404)

    def unknown_principals(self, arns: Iterable[str]) -> Iterator[str]:
        """Those that would be roles or users of this account, and are not there."""
        known = {one.arn for one in [*self.roles(), *self.iam.users.values()]}
        of_account = re.compile(rf"arn:[^:]*:iam:[^:]*:{self.account}:(?!root$)[^:]*")
        return (arn for arn in arns if of_account.fullmatch(arn) and arn not in known)

    def key(self, named: str) -> Any | None:
        """A KMS key by id, arn or alias, or None."""
        name = named.rsplit(":", 1)[-1]
        if name.startswith("alias/"):
            for key in self.kms.keys.values():
                if name in key.aliases:
                    return key
            return None
        return self.kms.keys.get(name.removeprefix("key/"))


def absent(what: str) -> Callable[[Any, MotoState], None]:
    """A rule for an operation that moto would answer without AWS's checks, and that the twin lacks."""

    def refuse(_: Any, __: MotoState) -> None:
        raise NotImplementedError(what)

    return refuse


def network_of(text: str, what: str) -> Any:
    """The network of a CIDR block, or EC2's refusal."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            fixed = ipaddress.ip_network(text, strict=False)
            raise Refusal(
                "InvalidParameterValue", f"The {what} {text} is not canonical: {fixed} is"
            ) from error
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({text}) for parameter {what} is invalid. This is not a valid CIDR block.",
        ) from error
