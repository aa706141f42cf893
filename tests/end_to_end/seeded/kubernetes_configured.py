"""A program in plain pulumi_kubernetes for policies that a configuration of their own makes stricter."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from tests.end_to_end.seeded import Seeds
from tests.end_to_end.seeded.aws_configured import FOREIGN
from tests.end_to_end.seeded.aws_right import ACCOUNT
from tests.end_to_end.seeded.kubernetes import OWN


def program(seed: Seeds, rendered: Path) -> None:
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
    account(seed("role-of-another", "environment.separate_accounts"), FOREIGN)
