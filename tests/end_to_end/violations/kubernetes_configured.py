"""A program in plain pulumi_kubernetes for policies that are configured to be stricter."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT
from tests.end_to_end.violations.aws_configured import FOREIGN
from tests.end_to_end.violations.kubernetes import OWN


def program(violates: Violations, rendered: Path) -> None:
    """Declare everything. rendered: a folder; the provider needs no cluster where it renders files."""
    provider = k8s.Provider("cluster", render_yaml_to_directory=str(rendered))

    def account(resource: str, of: str) -> None:
        role = {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{of}:role/shop"}
        k8s.core.v1.ServiceAccount(
            resource,
            metadata={"name": resource, "namespace": OWN, "annotations": role},
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(provider=provider),
        )

    account("right-account", ACCOUNT)
    account(violates("role-of-another", "environment.separate_accounts"), FOREIGN)
