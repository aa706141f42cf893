"""EC2's quotas of the account, before anything is registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pytest

from stacks.settings import Settings
from stacks.settings.cost import Cost
from stacks.validation.availability import aws_quotas
from stacks.validation.availability.aws_quotas import code_of
from tests.components.cloud_answers import RefusedError
from tests.components.recording import Recording, record
from tests.stacks.environments import ROOT, STACKS, problems_before_components, settings_of

TOKEN = "aws:servicequotas/getServiceQuota:getServiceQuota"
NEW_ACCOUNT = {"L-1216C47A": 5.0, "L-34B43A08": 5.0}
"""All others are 0 (EC2 user guide)."""


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings of the program."""
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    return warnings


def _built(settings: Settings, quotas: Mapping[str, float | None] | None, rest: float = 0.0) -> Recording:
    """The foundation, up to its first component, in an account with these quotas; None: one whose quotas the
    caller may not read. A quota that is None is one that the region does not list.

    The result holds the problems.
    """

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if quotas is None:
            raise RefusedError(
                "AccessDeniedException: not authorized to perform: servicequotas:GetServiceQuota"
            )
        assert arguments["serviceCode"] == "ec2"
        if quotas.get(arguments["quotaCode"], rest) is None:
            raise RefusedError("NoSuchResourceException: The request failed because the quota does not exist")
        return {**arguments, "quotaName": "vCPUs", "value": quotas.get(arguments["quotaCode"], rest)}

    clusters = {"aws:eks/getClusters:getClusters": lambda _: {"id": "us-west-2", "names": []}}
    return record(
        lambda: problems_before_components(settings), answers={TOKEN: answer, **clusters}, stack="aws-prod"
    )


def test_a_new_account_is_refused_for_what_always_runs_with_nothing_but_the_provider_registered() -> None:
    recorded = _built(settings_of("aws-prod"), NEW_ACCOUNT)
    assert recorded.names() == ["pulumi:providers:aws aws"]
    (problem,) = recorded.result
    assert "node_pools.general.min: nodes that always run need 28 vCPUs" in problem
    assert "(cluster.system_nodes 12, node_pools.general 16)" in problem, "3 m7i.xlarge and 2 m7i.2xlarge"
    assert "quota L-1216C47A (vCPUs) in us-west-2 is 5" in problem
    assert "--quota-code L-1216C47A --region us-west-2 --desired-value 28" in problem


def test_a_new_account_runs_dev_and_is_warned_of_what_never_grows(warned: list[str]) -> None:
    recorded = _built(settings_of("aws-dev"), NEW_ACCOUNT)
    assert not recorded.result, "two t4g.medium are four vCPUs"
    assert len(warned) == 4, warned
    assert "cluster.system_nodes and node_pools.general may grow to 14 vCPUs" in warned[0]
    assert "node_pools.general may grow to 8 vCPUs, but the quota L-34B43A08" in warned[1], "spot"
    assert "gpu_pools.t4 may grow to 16 vCPUs, but the quota L-3819A6DF" in warned[2], "spot"
    assert "gpu_pools.t4 may grow to 16 vCPUs, but the quota L-DB2E81BA" in warned[3], "on demand"


def test_an_accelerator_that_always_runs_needs_the_quota_of_its_family() -> None:
    settings = settings_of("aws-prod")
    serving = settings.gpu_pools["serving"].model_copy(update={"min": 2})
    settings = settings.model_copy(update={"gpu_pools": {"serving": serving}, "queues": None, "cost": Cost()})
    (problem,) = _built(settings, {"L-1216C47A": 1000.0}).result
    assert "gpu_pools.serving.min: nodes that always run need 8 vCPUs (gpu_pools.serving 8)" in problem
    assert "L-DB2E81BA" in problem
    assert not _built(settings, {"L-1216C47A": 1000.0, "L-DB2E81BA": 48.0}).result


def test_a_quota_that_suffices_to_the_vcpu_passes() -> None:
    settings = settings_of("aws-prod")
    assert not _built(settings, {"L-1216C47A": 28.0}).result
    assert _built(settings, {"L-1216C47A": 27.0}).result


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.startswith("aws-")])
def test_a_caller_that_may_not_read_quotas_applies_with_one_warning(stack: str, warned: list[str]) -> None:
    recorded = _built(settings_of(stack), None)
    assert not recorded.result
    (warning,) = warned
    assert "EC2's quotas are not checked" in warning
    assert "servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota" in warning


def test_a_quota_that_the_region_does_not_list_leaves_the_others_checked(warned: list[str]) -> None:
    quotas = {**NEW_ACCOUNT, "L-1216C47A": None}
    settings = settings_of("aws-prod")
    serving = settings.gpu_pools["serving"].model_copy(update={"min": 2})
    (problem,) = _built(
        settings.model_copy(update={"gpu_pools": {"serving": serving}, "queues": None, "cost": Cost()}),
        quotas,
    ).result
    assert "gpu_pools.serving.min" in problem
    assert any("EC2's quota L-1216C47A is not checked" in warning for warning in warned), warned


def test_the_readme_names_the_quotas_of_the_sample_files(monkeypatch: pytest.MonkeyPatch) -> None:
    needed: dict[str, dict[str, str]] = {}
    stacks = ("aws-dev", "aws-staging", "aws-prod")
    for stack in stacks:
        demands: list[aws_quotas.Demand] = []

        def spy(of_quota: Sequence[aws_quotas.Demand], *_: Any, every: Any = demands) -> list[Any]:
            every.extend(of_quota)
            return []

        monkeypatch.setattr(aws_quotas, "_exceeded", spy)
        _built(settings_of(stack), {})
        for code in {demand.code for demand in demands}:
            of_code = [demand for demand in demands if demand.code == code]
            sums = (sum(demand.minimum for demand in of_code), sum(demand.maximum for demand in of_code))
            needed.setdefault(code, {})[stack] = ", ".join(map(str, sums))
    page = (ROOT / "docs" / "operations" / "aws-quotas.md").read_text()
    for code, by_stack in needed.items():
        row = " | ".join(by_stack.get(stack, "") for stack in stacks).replace("|  |", "| |")
        assert f"| {code} | {row} |".replace("  ", " ") in page, f"{code} is wrong on the page"


def test_bootstrap_starts_no_node_and_asks_for_no_quota() -> None:
    recorded = _built(settings_of("aws-prod", bootstrap=True), NEW_ACCOUNT)
    assert not recorded.result
    assert not [call for call in recorded.calls if call.token == TOKEN]


@pytest.mark.parametrize(
    ("type_", "on_demand", "spot"),
    [
        ("m7i.large", "L-1216C47A", "L-34B43A08"),
        ("im4gn.xlarge", "L-1216C47A", "L-34B43A08"),
        ("g4dn.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("p4d.24xlarge", "L-417A185B", "L-7212CCBC"),
        ("p5en.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("p6-b200.48xlarge", "L-417A185B", None),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1n.32xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("hpc7g.16xlarge", None, None),
    ],
)
def test_an_instance_type_counts_against_the_quota_of_its_family(
    type_: str, on_demand: str | None, spot: str | None
) -> None:
    assert (code_of(type_, spot=False), code_of(type_, spot=True)) == (on_demand, spot)
