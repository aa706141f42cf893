"""What EKS finds of a node group only after it took it: the group is made, and fails with an issue.

Codes: botocore's NodegroupIssueCode. Words: those that EKS gives, but for Bottlerocket's user data.
"""

from __future__ import annotations

import base64
import binascii
from email import message_from_bytes
from typing import Any

from twin.aws.services.eks.operations import bottlerocket, references
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import AMI_TYPES

Issue = dict[str, Any]


def issues(eks: Any, group: Thing) -> list[Issue]:
    """The issues with which the creation fails; empty where machines can be launched."""
    reasons = [*_user_data(group), *_public_subnets(eks, group)]
    return [
        {"code": code, "message": message, "resourceIds": resources} for code, message, resources in reasons
    ]


def _user_data(group: Thing) -> list[tuple[str, str, list[str]]]:
    user_data, kind = group.internal["data"].get("UserData") or "", AMI_TYPES[group.description["amiType"]]
    if not user_data or not kind.image or kind.windows:
        return []  # with a custom image, or none, EKS adds nothing and looks at nothing
    template = [group.description["launchTemplate"]["id"]]
    code = "Ec2LaunchTemplateInvalidConfiguration"
    if kind.bottlerocket:
        try:
            bottlerocket.settings(user_data)
        except bottlerocket.SettingsError as error:
            return [(code, f"User data was not in the TOML format. ({error})", template)]
        return []
    try:
        message = message_from_bytes(base64.b64decode(user_data, validate=True))
    except binascii.Error:
        message = None
    if message is None or not message.is_multipart():
        return [(code, "User data was not in the MIME multipart format.", template)]
    return []


def _public_subnets(eks: Any, group: Thing) -> list[tuple[str, str, list[str]]]:
    """Nodes of a public subnet need public addresses to reach the cluster."""
    cards = group.internal["data"].get("NetworkInterfaces") or []
    if any(str(card.get("AssociatePublicIpAddress")).lower() == "true" for card in cards):
        return []
    with eks.moto.lock:
        ec2 = eks.moto.backend("ec2")
        bare = [
            subnet.id
            for subnet in references.subnets(eks, group.description["subnets"])
            if str(subnet.map_public_ip_on_launch).lower() != "true" and _leads_out(ec2, subnet)
        ]
    if not bare:
        return []
    text = (
        f"One or more Amazon EC2 Subnets of [{', '.join(bare)}] for node group {group.name} does not "
        f"automatically assign public IP addresses to instances launched into it. If you want your instances "
        f"to be assigned a public IP address, then you need to enable auto-assign public IP address for the "
        f"subnet."
    )
    return [("Ec2SubnetInvalidConfiguration", text, bare)]


def _leads_out(ec2: Any, subnet: Any) -> bool:
    tables = [route_table for route_table in ec2.route_tables.values() if route_table.vpc_id == subnet.vpc_id]
    associated = [
        table
        for table in tables
        if subnet.id
        in [association.get("SubnetId") or association.get("subnetId") for association in table.associations]
    ]
    for table in associated or [route_table for route_table in tables if route_table.main_association_id]:
        for route in table.routes:
            if str(getattr(route.gateway, "id", "")).startswith("igw-"):
                return True
    return False
