"""What EKS looks up in other services before it says yes: roles, subnets, keys, templates."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.request import Refusal
from twin.aws.iam import principals
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.validation.moto_state import MotoState


def role(eks: Any, arn: str) -> Any | None:
    """moto's role of that arn, or None."""
    with eks.moto.lock:
        return principals.role_of(eks.moto, arn)


def principal_exists(eks: Any, arn: str) -> bool:
    """Whether an IAM role or user has that arn."""
    with eks.moto.lock:
        iam = eks.moto.backend("iam")
        return any(role.arn == arn for role in [*iam.roles.values(), *iam.users.values()])


def subnets(eks: Any, ids: list[str]) -> list[Any]:
    """moto's subnets, or EKS's refusal of one that does not exist."""
    try:
        with eks.moto.lock:
            return [_state(eks).subnet(subnet_id) for subnet_id in ids]
    except Refusal as error:
        raise _of_ec2(error) from None


def zone_id(eks: Any, zone: str) -> str:
    """`usw2-az1` of `us-west-2a`."""
    with eks.moto.lock:
        zones = eks.moto.backend("ec2").describe_availability_zones()
    return next((subnet.zone_id for subnet in zones if subnet.name == zone), zone)


def security_groups(eks: Any, ids: list[str], vpc_id: str) -> None:
    """Refuse groups that do not exist or are of another VPC."""
    for group_id in ids:
        try:
            with eks.moto.lock:
                group = _state(eks).group(group_id)
        except Refusal as error:
            raise _of_ec2(error) from None
        if group.vpc_id != vpc_id:
            raise invalid(f"Security group {group_id} is not in the VPC {vpc_id} of the subnets")


def key_exists(eks: Any, arn: str) -> bool:
    """Whether an enabled symmetric KMS key has that arn."""
    with eks.moto.lock:
        key = _state(eks).kms.keys.get(arn.rsplit("/", 1)[-1])
    return key is not None and key.enabled and key.key_spec == "SYMMETRIC_DEFAULT"


def _state(eks: Any) -> MotoState:
    return MotoState(eks.moto, eks.instance.region)


def _of_ec2(error: Refusal) -> Refusal:
    """A refusal of EC2 as EKS reports it."""
    return invalid(f"{error.message} (Service: AmazonEC2; Status Code: 400; Error Code: {error.code})")
