"""More of the plain pulumi_aws program: secrets, administrators and logs, with compliant resources."""

from __future__ import annotations

from typing import Any, Final

import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS
from tests.end_to_end.violations.aws_services import GROUP, SUBNETS

_CERTIFICATE: Final = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/01234567-0123-0123-0123-012345678901"
_SCRIPT: Final = "#!/bin/sh\nexport DB_PASSWORD={}\n./serve\n"


def program(violates: Violations) -> None:
    """Declare everything."""
    _parameters(violates)
    _administrators(violates)
    _networks(violates)
    _logs(violates)
    _budgets(violates)


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
        entry: Any = {"cidr": network, "description": "offices"}
        aws.ec2.ManagedPrefixList(
            name, name=name, address_family="IPv4", max_entries=5, entries=[entry], tags=TAGS
        )


def _logs(violates: Violations) -> None:
    for name, everywhere in (
        ("right-trail", True),
        (violates("trail-of-one-region", "identity.log_api_calls"), False),
    ):
        aws.cloudtrail.Trail(
            name,
            s3_bucket_name="acme-trails",
            is_multi_region_trail=everywhere,
            enable_log_file_validation=True,
            kms_key_id=KEY,
            tags=TAGS,
        )
    for name, enabled in (
        ("right-logged-balancer", True),
        (violates("balancer-without-a-log", "network.log_load_balancers"), False),
    ):
        balancer = aws.lb.LoadBalancer(
            name,
            internal=True,
            load_balancer_type="application",
            subnets=list(SUBNETS),
            security_groups=[GROUP],
            drop_invalid_header_fields=True,
            enable_deletion_protection=True,
            access_logs={"bucket": "acme-logs", "enabled": enabled},
            tags=TAGS,
        )
        aws.lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            certificate_arn=_CERTIFICATE,
            default_actions=[{"type": "fixed-response", "fixed_response": {"content_type": "text/plain"}}],
            tags=TAGS,
        )


def _budgets(violates: Violations) -> None:
    notification: Any = {
        "notification_type": "ACTUAL",
        "comparison_operator": "GREATER_THAN",
        "threshold": 80,
        "threshold_type": "PERCENTAGE",
        "subscriber_email_addresses": ["ml@acme.example"],
    }
    budget: dict[str, Any] = {
        "budget_type": "COST",
        "time_unit": "MONTHLY",
        "limit_amount": "1000",
        "limit_unit": "USD",
        "tags": TAGS,
    }
    aws.budgets.Budget("right-budget", notifications=[notification], **budget)
    aws.budgets.Budget(violates("silent-budget", "cost.notify_budgets"), **budget)
