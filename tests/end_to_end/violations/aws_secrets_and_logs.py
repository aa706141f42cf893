"""More of the plain pulumi_aws program: secrets, administrators and logs, with compliant resources."""

from __future__ import annotations

from typing import Final

import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS

_SCRIPT: Final = "#!/bin/sh\nexport DB_PASSWORD={}\n./serve\n"


def program(violates: Violations) -> None:
    """Declare everything."""
    _parameters(violates)
    _administrators(violates)
    _networks(violates)


def _parameters(violates: Violations) -> None:
    aws.ssm.Parameter(
        "right-parameter",
        name="/shop/database/password",
        type="SecureString",
        key_id=KEY,
        value="vR7#kq2LmZx94TnB",
        tags=TAGS,
    )
    aws.ssm.Parameter("right-host", name="/shop/database/host", type="String", value="db.internal", tags=TAGS)
    aws.ssm.Parameter(
        violates("password-in-a-parameter", "identity.forbid_plain_secrets"),
        name="/shop/database/admin-password",
        type="String",
        value="vR7#kq2LmZx94TnB",
        tags=TAGS,
    )
    for name, password in (
        ("right-script", "$(aws secretsmanager get-secret-value --secret-id db)"),
        (violates("password-in-a-script", "identity.forbid_plain_secrets"), "hunter2"),
    ):
        aws.ec2.LaunchConfiguration(
            name,
            image_id="ami-0123456789abcdef0",
            instance_type="m7i.large",
            metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
            root_block_device={"encrypted": True},
            user_data=_SCRIPT.format(password),
        )


def _administrators(violates: Violations) -> None:
    for name, role in (
        ("right-administrator", "platform-admin"),
        (violates("builds-administer-the-cluster", "kubernetes.forbid_cluster_admin"), "builds"),
    ):
        aws.eks.AccessPolicyAssociation(
            name,
            cluster_name="shop",
            principal_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            policy_arn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope={"type": "cluster"},
        )


def _networks(violates: Violations) -> None:
    for name, network in (
        ("right-networks", "192.0.2.0/24"),
        (violates("networks-of-everyone", "network.restrict_ingress"), "0.0.0.0/0"),
    ):
        entry = {"cidr": network, "description": "offices"}
        aws.ec2.ManagedPrefixList(
            name, name=name, address_family="IPv4", max_entries=5, entries=[entry], tags=TAGS
        )
