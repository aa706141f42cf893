"""What EKS looks up in other services before it says yes: roles, subnets, keys, templates."""

from __future__ import annotations

from typing import Any

from twin.aws.services.eks.operations.errors import invalid


def role(eks: Any, arn: str) -> Any | None:
    """moto's role of that arn, or None."""
    with eks.moto.lock:
        return next((each for each in eks.moto.backend("iam").roles.values() if each.arn == arn), None)


def principal_exists(eks: Any, arn: str) -> bool:
    """Whether an IAM role or user has that arn."""
    with eks.moto.lock:
        iam = eks.moto.backend("iam")
        return any(each.arn == arn for each in [*iam.roles.values(), *iam.users.values()])


def subnets(eks: Any, ids: list[str], region: str) -> list[Any]:
    """moto's subnets, or EKS's refusal of one that does not exist."""
    found: list[Any] = []
    with eks.moto.lock:
        held = eks.moto.backend("ec2", region).subnets
        for subnet_id in ids:
            subnet = next((zone[subnet_id] for zone in held.values() if subnet_id in zone), None)
            if subnet is None:
                raise invalid(
                    f"The subnet ID '{subnet_id}' does not exist (Service: AmazonEC2; Status Code: 400; "
                    f"Error Code: InvalidSubnetID.NotFound)"
                )
            found.append(subnet)
    return found


def zone_id(eks: Any, zone: str) -> str:
    """`usw2-az1` of `us-west-2a`."""
    with eks.moto.lock:
        zones = eks.moto.backend("ec2").describe_availability_zones()
    return next((each.zone_id for each in zones if each.name == zone), zone)


def security_groups(eks: Any, ids: list[str], vpc_id: str) -> None:
    """Refuse groups that do not exist or are of another VPC."""
    with eks.moto.lock:
        held = {k: v for groups in eks.moto.backend("ec2").groups.values() for k, v in groups.items()}
    for group_id in ids:
        if group_id not in held:
            raise invalid(
                f"The security group '{group_id}' does not exist (Service: AmazonEC2; Status Code: 400; "
                f"Error Code: InvalidGroup.NotFound)"
            )
        if held[group_id].vpc_id != vpc_id:
            raise invalid(f"Security group {group_id} is not in the VPC {vpc_id} of the subnets")


def key_exists(eks: Any, arn: str) -> bool:
    """Whether an enabled symmetric KMS key has that arn."""
    with eks.moto.lock:
        keys = eks.moto.backend("kms").keys
    found = keys.get(arn.rsplit("/", 1)[-1])
    return found is not None and found.enabled and found.key_spec == "SYMMETRIC_DEFAULT"
