"""What EKS looks up in other services before it says yes: roles, subnets, keys, templates."""

from __future__ import annotations

from typing import Any

from twin.aws.services.eks.operations.errors import invalid


def role(eks: Any, arn: str) -> Any | None:
    """moto's role of that arn, or None."""
    with eks.moto.lock:
        return next((role for role in eks.moto.backend("iam").roles.values() if role.arn == arn), None)


def principal_exists(eks: Any, arn: str) -> bool:
    """Whether an IAM role or user has that arn."""
    with eks.moto.lock:
        iam = eks.moto.backend("iam")
        return any(role.arn == arn for role in [*iam.roles.values(), *iam.users.values()])


def subnets(eks: Any, ids: list[str], region: str) -> list[Any]:
    """moto's subnets, or EKS's refusal of one that does not exist."""
    subnets: list[Any] = []
    with eks.moto.lock:
        zones = eks.moto.backend("ec2", region).subnets
        for subnet_id in ids:
            subnet = next((zone[subnet_id] for zone in zones.values() if subnet_id in zone), None)
            if subnet is None:
                raise invalid(
                    f"The subnet ID '{subnet_id}' does not exist (Service: AmazonEC2; Status Code: 400; "
                    f"Error Code: InvalidSubnetID.NotFound)"
                )
            subnets.append(subnet)
    return subnets


def zone_id(eks: Any, zone: str) -> str:
    """`usw2-az1` of `us-west-2a`."""
    with eks.moto.lock:
        zones = eks.moto.backend("ec2").describe_availability_zones()
    return next((subnet.zone_id for subnet in zones if subnet.name == zone), zone)


def security_groups(eks: Any, ids: list[str], vpc_id: str) -> None:
    """Refuse groups that do not exist or are of another VPC."""
    with eks.moto.lock:
        groups_by_id = {k: v for groups in eks.moto.backend("ec2").groups.values() for k, v in groups.items()}
    for group_id in ids:
        if group_id not in groups_by_id:
            raise invalid(
                f"The security group '{group_id}' does not exist (Service: AmazonEC2; Status Code: 400; "
                f"Error Code: InvalidGroup.NotFound)"
            )
        if groups_by_id[group_id].vpc_id != vpc_id:
            raise invalid(f"Security group {group_id} is not in the VPC {vpc_id} of the subnets")


def key_exists(eks: Any, arn: str) -> bool:
    """Whether an enabled symmetric KMS key has that arn."""
    with eks.moto.lock:
        keys = eks.moto.backend("kms").keys
    key = keys.get(arn.rsplit("/", 1)[-1])
    return key is not None and key.enabled and key.key_spec == "SYMMETRIC_DEFAULT"
