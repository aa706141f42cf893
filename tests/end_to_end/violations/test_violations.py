"""The policy pack reports the violations of programs without the platform's components, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pulumi import automation
from pulumi.automation.events import EngineEvent

from tests.end_to_end.plain import Plain
from tests.end_to_end.test_gcp_provider import Place, front, place
from tests.end_to_end.test_policies import PACK
from tests.end_to_end.violations import Violations
from twin.toolchain import build

__all__ = ["front", "place"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
COMPLIANT = 12
"""How many resources of each program are compliant, at least."""

Reported = dict[str, dict[str, str]]
"""Resource -> policy -> its message."""


def _preview(stack: automation.Stack, config: str | None) -> tuple[set[str], Reported]:
    """Return the resources of a program, and what the pack reports in profile prod. config: a file."""
    resources: set[str] = set()
    reported: Reported = {}
    errors: list[str] = []

    def on_event(event: EngineEvent) -> None:
        if event.policy_event is not None:
            name = (event.policy_event.resource_urn or "").rpartition("::")[2]
            reported.setdefault(name, {})[event.policy_event.policy_name] = event.policy_event.message
        if event.resource_pre_event is not None:
            resources.add(event.resource_pre_event.metadata.urn.rpartition("::")[2])
        diagnostic = event.diagnostic_event
        if diagnostic is None or diagnostic.severity != "error":
            return
        if diagnostic.message.strip() != "preview failed":
            errors.append(diagnostic.message)

    configs = [config] if config else None
    with pytest.raises(automation.errors.CommandError) as stopped:
        stack.preview(policy_packs=[PACK], policy_pack_configs=configs, on_event=on_event)
    assert errors == [], "only the policies stop the program"
    assert "in profile prod (the default)" in str(stopped.value)
    return resources, reported


def _check(
    stack: automation.Stack,
    violations: Violations,
    at_least: int,
    *,
    compliant: int = COMPLIANT,
    config: str | None = None,
) -> None:
    """Every violation is reported, and no compliant resource is."""
    resources, reported = _preview(stack, config)
    assert sum(map(len, violations.policies.values())) >= at_least
    assert len(resources - set(violations.policies)) >= compliant
    missed = [
        f"{name}: {policy}"
        for name, policies in violations.policies.items()
        for policy in policies
        if policy not in reported.get(name, {})
    ]
    assert missed == [], "violations that the pack does not report"
    wrong = {name: messages for name, messages in reported.items() if name not in violations.policies}
    assert wrong == {}, "compliant resources that the pack reports"


def test_violations_of_an_amazon_and_kubernetes_program_are_reported(plain: Plain, tmp_path: Path) -> None:
    from tests.end_to_end.violations import (
        aws,
        aws_capacity,
        aws_compliant,
        aws_secrets_and_logs,
        aws_services,
        charts,
        kubernetes,
        kubernetes_open,
    )

    violations = Violations()

    (tmp_path / "charts").mkdir()
    with charts.serving(tmp_path / "charts") as served:

        def program() -> None:
            aws.program(violations)
            aws_capacity.program(violations)
            aws_secrets_and_logs.program(violations)
            later = aws_services.program(violations)
            kubernetes.program(violations, tmp_path, served, later)
            kubernetes_open.program(violations, tmp_path)

        stack = plain.stack("violations", program)
        # A default provider without an account is a violation as well.
        stack.set_config("aws:allowedAccountIds", automation.ConfigValue(f'["{aws_compliant.ACCOUNT}"]'))
        stack.set_config("aws:region", automation.ConfigValue("us-east-1"))
        _check(stack, violations, 128)


def test_violations_of_configured_policies_are_reported(plain: Plain, tmp_path: Path) -> None:
    from tests.end_to_end.violations import aws_compliant, aws_configured, kubernetes_configured

    violations = Violations()

    def program() -> None:
        aws_configured.program(violations)
        kubernetes_configured.program(violations, tmp_path)

    stack = plain.stack("configured", program)
    stack.set_config("aws:allowedAccountIds", automation.ConfigValue(f'["{aws_compliant.ACCOUNT}"]'))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(aws_configured.CONFIG))
    _check(stack, violations, 6, compliant=5, config=str(config))


def test_violations_of_a_google_program_are_reported(place: Place) -> None:
    from tests.end_to_end.violations import gcp, gcp_secrets_and_logs, gcp_services

    violations = Violations()

    def program() -> None:
        gcp.program(violations)
        gcp_services.program(violations)
        gcp_secrets_and_logs.program(violations)

    stack = place.stack(program)
    stack.set_config("gcp:project", automation.ConfigValue(gcp.PROJECT))
    stack.set_config("gcp:region", automation.ConfigValue(gcp.REGION))
    _check(stack, violations, 87)
