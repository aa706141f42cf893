"""Compute Engine's quotas are compared with what an environment asks for, before anything is registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from stacks import foundation
from stacks.loading import SettingsError
from stacks.settings import Settings
from tests.components.cloud_answers import RefusedError
from tests.components.recording import record
from tests.stacks.environments import problems_before_components, settings_of

QUOTA = "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo"
GPUS = "GPUS-ALL-REGIONS-per-project"
DISKS = "SSD-TOTAL-GB-per-project-region"
N2 = "N2-CPUS-per-project-region"
MUCH = 10**6


def _info(value: int, locations: list[str], **dimensions: str) -> dict[str, Any]:
    return {"applicableLocations": locations, "details": [{"value": str(value)}], "dimensions": dimensions}


def _quotas(**limits: int) -> Any:
    """Answers of Cloud Quotas: these limits (`_` in an id is a hyphen), and a high one for others."""
    known = {name.replace("_", "-"): limit for name, limit in limits.items()}

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        assert arguments["parent"] == "projects/acme-ml-prod"
        assert arguments["service"] == "compute.googleapis.com"
        places = ["global"] if arguments["quotaId"] == GPUS else ["europe-west4", "us-central1"]
        return {
            **arguments,
            "id": "x",
            "dimensionsInfos": [_info(known.get(arguments["quotaId"], MUCH), places)],
        }

    return {QUOTA: answer}


def _warm(least: int) -> Settings:
    settings = settings_of("gcp-prod")
    serving = settings.gpu_pools["serving"].model_copy(update={"min": least})
    return settings.model_copy(update={"gpu_pools": {**settings.gpu_pools, "serving": serving}})


def _problems(settings: Settings, answers: Any) -> list[str]:
    def program() -> list[str]:
        with pytest.raises(SettingsError) as error:
            foundation.build(settings)
        return list(error.value.problems)

    recorded = record(program, answers=answers, stack="gcp-prod")
    assert recorded.names() == ["pulumi:providers:gcp gcp"], "no network is left behind"
    return recorded.result


def test_first_nodes_over_the_quota_of_gpus_are_reported_at_the_minimum_of_the_pool() -> None:
    (problem,) = _problems(_warm(1), _quotas(GPUS_ALL_REGIONS_per_project=2))
    assert ": gpu_pools.serving.min: the first nodes need 3 (gpu_pools.serving 3)" in problem, (
        "one in each of three zones"
    )
    assert f"expected at most 2: the quota {GPUS} of acme-ml-prod is 2; lower `min`, or request" in problem


def test_first_nodes_over_the_quota_of_disks_are_reported_at_the_largest_part() -> None:
    (problem,) = _problems(settings_of("gcp-prod"), _quotas(SSD_TOTAL_GB_per_project_region=400))
    assert ": node_pools.general.min: the first nodes need 450" in problem
    assert "(cluster.system_nodes 150, node_pools.general 300)" in problem
    assert f"the quota {DISKS} of acme-ml-prod in us-central1 is 400" in problem


def test_first_nodes_over_the_quota_of_a_familys_vcpus_are_reported() -> None:
    (problem,) = _problems(settings_of("gcp-prod"), _quotas(N2_CPUS_per_project_region=24))
    assert "the first nodes need 36 (cluster.system_nodes 12, node_pools.general 24)" in problem
    assert f"the quota {N2} of acme-ml-prod" in problem


def _warnings(monkeypatch: pytest.MonkeyPatch, answers: Any) -> list[str]:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    settings = settings_of("gcp-prod")
    recorded = record(lambda: problems_before_components(settings), answers=answers, stack="gcp-prod")
    assert not recorded.result
    return warnings


def test_what_pools_may_grow_beyond_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    (warning,) = _warnings(monkeypatch, _quotas(GPUS_ALL_REGIONS_per_project=4))
    assert warning == (
        f"gpu_pools.serving may grow to 12, but the quota {GPUS} of acme-ml-prod is 4, where they stop"
    )


def test_a_quota_that_suffices_or_is_unlimited_gives_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _warnings(monkeypatch, _quotas(GPUS_ALL_REGIONS_per_project=-1))


def test_the_regions_own_value_comes_before_that_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        infos = [
            _info(0, ["us-central1"], region="us-central1", zone_type="ai"),
            _info(MUCH, ["us-central1"], region="us-central1"),
            _info(0, ["europe-west4"], region="europe-west4"),
            _info(0, ["us-central1", "global"]),
        ]
        return {**arguments, "id": "x", "dimensionsInfos": infos}

    assert not _warnings(monkeypatch, {QUOTA: answer})


def test_without_the_cloud_quotas_api_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _warnings(monkeypatch, {})


def test_a_principal_that_may_not_read_quotas_gets_one_warning_and_applies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("Error 403: Permission 'cloudquotas.quotas.get' denied")

    (warning,) = _warnings(monkeypatch, {QUOTA: refused})
    assert "are not checked" in warning
    assert "cloudquotas.quotas.get" in warning
