"""More of the plain pulumi_aws program: load balancers, spot machines, jobs and a registry's scanning."""

from __future__ import annotations

from typing import Any, Final

import pulumi_aws as aws

from tests.end_to_end.violations import Violations, aws_models
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS

SUBNETS: Final = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
GROUP: Final = "sg-0123456789abcdef0"


def program(violates: Violations) -> None:
    """Declare everything."""
    _balancers(violates)
    _spot(violates)
    _jobs(violates)
    _scanning(violates)
    aws_models.program(violates)


def _balancers(violates: Violations) -> None:
    target = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:targetgroup/front/6d0ecf831eec9f09"
    certificate = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
    forward = {"type": "forward", "target_group_arn": target}
    to_secure = {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}
    redirect = {"type": "redirect", "redirect": to_secure}
    secure: dict[str, Any] = {"port": 443, "protocol": "HTTPS", "certificate_arn": certificate}
    inner: dict[str, Any] = {
        "internal": True,
        "load_balancer_type": "application",
        "subnets": list(SUBNETS),
        "security_groups": [GROUP],
        "access_logs": {"bucket": "acme-logs", "enabled": True},
        "tags": TAGS,
    }
    balancer = aws.lb.LoadBalancer("right-balancer", **inner)
    aws.lb.LoadBalancer(violates("idle-balancer", "cost.use_load_balancers"), **inner)

    def listener(name: str, action: Any, **options: Any) -> None:
        aws.lb.Listener(name, load_balancer_arn=balancer.arn, default_actions=[action], tags=TAGS, **options)

    listener("right-redirect", redirect, port=80, protocol="HTTP")
    listener("right-listener", forward, ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06", **secure)
    listener(violates("in-the-clear", "encryption.encrypt_transport"), forward, port=80, protocol="HTTP")
    listener(
        violates("tls-of-old", "encryption.encrypt_transport"),
        forward,
        ssl_policy="ELBSecurityPolicy-2016-08",
        **secure,
    )


def _spot(violates: Violations) -> None:
    request: dict[str, Any] = {
        "ami": "ami-0123456789abcdef0",
        "instance_type": "g5.xlarge",
        "subnet_id": SUBNETS[0],
        "tags": TAGS,
    }
    aws.ec2.SpotInstanceRequest("right-request", spot_price="0.50", **request)
    aws.ec2.SpotInstanceRequest(violates("any-price", "gpu.cap_spot_prices"), **request)
    aws.ec2.LaunchTemplate(
        violates("high-price", "gpu.cap_spot_prices"),
        instance_type="p5.48xlarge",
        instance_market_options={"market_type": "spot", "spot_options": {"max_price": "98.32"}},
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
        tags=TAGS,
    )


def _jobs(violates: Violations) -> None:
    def encryption(logs: str) -> Any:
        return {
            "cloudwatch_encryption": {"cloudwatch_encryption_mode": logs, "kms_key_arn": KEY},
            "job_bookmarks_encryption": {"job_bookmarks_encryption_mode": "CSE-KMS", "kms_key_arn": KEY},
            "s3_encryption": {"s3_encryption_mode": "SSE-KMS", "kms_key_arn": KEY},
        }

    job: dict[str, Any] = {
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/jobs",
        "command": {"script_location": "s3://acme-orders/jobs/quality.py"},
        "tags": TAGS,
    }
    encrypted = aws.glue.SecurityConfiguration(
        "right-configuration", encryption_configuration=encryption("SSE-KMS")
    )
    aws.glue.SecurityConfiguration(
        violates("logs-in-the-clear", "encryption.encrypt_catalogs"),
        encryption_configuration=encryption("DISABLED"),
    )
    aws.glue.Job("right-quality", security_configuration=encrypted.name, **job)
    aws.glue.Job(violates("job-in-the-clear", "encryption.encrypt_catalogs"), **job)
    aws.glue.DataCatalogEncryptionSettings(
        violates("catalog-in-the-clear", "encryption.encrypt_catalogs"),
        data_catalog_encryption_settings={
            "encryption_at_rest": {"catalog_encryption_mode": "DISABLED"},
            "connection_password_encryption": {"return_connection_password_encrypted": False},
        },
    )


def _scanning(violates: Violations) -> None:
    def rules(often: str) -> Any:
        few = [{"filter": "acme-*", "filter_type": "WILDCARD"}]
        return [{"scan_frequency": often, "repository_filters": few}]

    aws.ecr.RegistryScanningConfiguration(
        "right-scanning", scan_type="ENHANCED", rules=rules("CONTINUOUS_SCAN")
    )
    aws.ecr.RegistryScanningConfiguration(
        violates("scanning-of-old", "supply_chain.scan_packages"),
        scan_type="BASIC",
        rules=rules("SCAN_ON_PUSH"),
    )
