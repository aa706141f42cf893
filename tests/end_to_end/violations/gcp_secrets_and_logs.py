"""More of the plain pulumi_gcp program: secrets in clear text, with compliant resources."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.gcp import LABELS, PROJECT, REGION


def program(violates: Violations) -> None:
    """Declare everything."""
    _services(violates)


def _services(violates: Violations) -> None:
    from pulumi_gcp import cloudrunv2

    secret = {"secret_key_ref": {"secret": "database", "version": "1"}}
    for name, variable in (
        ("right-variable", {"name": "DB_PASSWORD", "value_source": secret}),
        (
            violates("password-in-a-variable", "identity.forbid_plain_secrets"),
            {"name": "DB_PASSWORD", "value": "hunter2"},
        ),
    ):
        image = f"{REGION}-docker.pkg.dev/{PROJECT}/images/shop@sha256:{'0f' * 32}"
        container: dict[str, Any] = {"image": image, "envs": [variable]}
        cloudrunv2.Service(
            name,
            location=REGION,
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            template={
                "containers": [container],
                "service_account": f"shop@{PROJECT}.iam.gserviceaccount.com",
            },
            deletion_protection=True,
            labels=LABELS,
        )
