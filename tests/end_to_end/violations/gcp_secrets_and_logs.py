"""More of the plain pulumi_gcp program: secrets in clear text, with compliant resources."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.gcp import LABELS, PROJECT, REGION


def program(violates: Violations) -> None:
    """Declare everything."""
    _services(violates)
    _logs(violates)
    _networks(violates)


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
        container: Any = {"image": image, "envs": [variable]}
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


def _logs(violates: Violations) -> None:
    from pulumi_gcp import billing, projects

    for name, service, members in (
        ("right-audit", "storage.googleapis.com", []),
        (
            violates("member-that-is-not-logged", "identity.log_api_calls"),
            "bigquery.googleapis.com",
            ["user:anna@acme.example"],
        ),
    ):
        config: Any = {"log_type": "DATA_READ", "exempted_members": members}
        projects.IAMAuditConfig(name, project=PROJECT, service=service, audit_log_configs=[config])
    amount: Any = {"specified_amount": {"currency_code": "USD", "units": "1000"}}
    threshold: Any = {"threshold_percent": 0.8}
    for name, thresholds in (
        ("right-budget", [threshold]),
        (violates("silent-budget", "cost.notify_budgets"), []),
    ):
        billing.Budget(
            name, billing_account="000000-0000000-0000000", amount=amount, threshold_rules=thresholds
        )


def _networks(violates: Violations) -> None:
    from pulumi_gcp import compute, networksecurity

    logged: Any = {"enable": True, "sample_rate": 1}
    unlogged: Any = {"enable": False}
    for name, logs in (
        ("right-logged-backend", logged),
        (violates("backend-without-a-log", "network.log_load_balancers"), unlogged),
    ):
        compute.BackendService(
            name,
            load_balancing_scheme="INTERNAL_SELF_MANAGED",
            backends=[{"group": f"projects/{PROJECT}/zones/{REGION}-a/instanceGroups/shop"}],
            log_config=logs,
        )
    for name, network in (
        ("right-addresses", "192.0.2.0/24"),
        (violates("addresses-of-everyone", "network.restrict_ingress"), "0.0.0.0/0"),
    ):
        networksecurity.AddressGroup(
            name,
            name=name,
            parent=f"projects/{PROJECT}",
            location=REGION,
            type="IPV4",
            capacity=10,
            items=[network],
            labels=LABELS,
        )
