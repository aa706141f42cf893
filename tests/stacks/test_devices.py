"""Device software of an environment: device plugins, claims, and one DCGM engine on a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks import arguments, devices, team_arguments
from stacks.loading import SettingsError, load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.components.recording import ACCOUNT
from tests.stacks.test_google_files import Change, changed

DRIVER = "dra-driver-nvidia-gpu"
AGENT = "cluster/eks/addons/eks-node-monitoring-agent"
POOL: dict[str, Any] = {
    "accelerator": "l4",
    "count": 4,
    "capacity": ["on_demand"],
    "device_allocation": "dra",
    "min": 2,
    "max": 2,
}
CLAIMS: Change = {"gpu_pools/claims": POOL}
TEAM: Change = {"teams": {"search": {"owners": [f"arn:aws:iam::{ACCOUNT}:role/search-owners"]}}}


def settings(folder: Path, change: Change) -> Settings:
    return load_file(changed(folder, change, "aws-dev"))


def problems(folder: Path, change: Change) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings(folder, change)
    return list(refused.value.problems)


def options(loaded: Settings) -> Any:
    return arguments.addons(loaded, placeholders.of(loaded).cluster).get("options", {})


def test_a_pool_with_claims_brings_what_they_need(tmp_path: Path) -> None:
    loaded = settings(tmp_path, {**CLAIMS, **TEAM})
    assert options(loaded)[DRIVER] == {"enabled": True}
    assert arguments.guardrails(loaded).get("device_claims") is True
    offered = placeholders.offered_to_teams(loaded, placeholders.of(loaded))
    assert team_arguments.teams(loaded, offered).get("claimed_gpus") == [1, 2, 4]


def test_an_environment_without_claims_has_nothing_of_them(tmp_path: Path) -> None:
    loaded = settings(tmp_path, TEAM)
    assert DRIVER not in options(loaded)
    assert "device_claims" not in arguments.guardrails(loaded)
    offered = placeholders.offered_to_teams(loaded, placeholders.of(loaded))
    assert "claimed_gpus" not in team_arguments.teams(loaded, offered)


def test_a_pod_may_claim_every_gpu_of_a_node_with_another_number_than_a_power_of_two(tmp_path: Path) -> None:
    loaded = settings(tmp_path, {"gpu_pools/claims": {**POOL, "count": 8, "accelerator": "a100"}})
    assert devices.claimed(loaded) == [1, 2, 4, 8]


def test_options_of_the_driver_stay_as_the_file_states_them(tmp_path: Path) -> None:
    loaded = settings(tmp_path, {**CLAIMS, f"addons/options/{DRIVER}": {"values": {"logVerbosity": "2"}}})
    assert options(loaded)[DRIVER] == {"values": {"logVerbosity": "2"}, "enabled": True}


def test_the_operator_replaces_the_device_plugin_of_nvidia_alone(tmp_path: Path) -> None:
    plugins = {"nvidia", "neuron", "image", "dra"}
    assert devices.installed_plugins(settings(tmp_path, {}), plugins) == {"nvidia", "neuron"}
    operator = settings(tmp_path, {"addons/options/gpu-operator": {"enabled": True}})
    assert devices.installed_plugins(operator, plugins) == {"neuron"}
    assert devices.installed_plugins(operator, {"nvidia"}) == set(), "two would both register the devices"


REFUSED: dict[str, tuple[Change, str]] = {
    "claims without their driver": (
        {**CLAIMS, f"addons/options/{DRIVER}": {"enabled": False}},
        f"addons.options.{DRIVER}.enabled: got false, and Pods claim the accelerators of claims; expected "
        "true",
    ),
    "claims on a Kubernetes without their API": (
        {**CLAIMS, "cluster/version": "1.33"},
        "cluster.version: got '1.33', and Pods claim the accelerators of claims; expected 1.34 or later",
    ),
    "an agent with an engine that the exporter cannot use": (
        {AGENT: {"version": "v1.4.2-eksbuild.1"}},
        "cluster.eks.addons.eks-node-monitoring-agent.version: got 'v1.4.2-eksbuild.1', whose DCGM engine "
        "may be too old for the add-on dcgm-exporter; expected v1.5.2 or later",
    ),
    "an agent without its engine": (
        {AGENT: {"configuration": {"dcgmAgent": {"enabled": False}}}},
        "cluster.eks.addons.eks-node-monitoring-agent.configuration.dcgmAgent.enabled: got false, and the "
        "add-on dcgm-exporter uses this DCGM engine; expected true",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_leaves_accelerators_without_software_is_refused(tmp_path: Path, case: str) -> None:
    change, expected = REFUSED[case]
    assert expected in "\n".join(problems(tmp_path, change))


def test_an_agent_without_an_engine_is_accepted_without_the_exporter(tmp_path: Path) -> None:
    settings(
        tmp_path,
        {
            AGENT: {"version": "v1.4.2-eksbuild.1", "configuration": {"dcgmAgent": {"enabled": False}}},
            "addons/options/dcgm-exporter": {"enabled": False},
        },
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"addons/options/dcgm-exporter": {"enabled": False}}, False),
        ({"observability": None}, None),
    ],
)
def test_on_google_cloud_the_exporter_is_installed_where_prometheus_scrapes_it(
    tmp_path: Path, change: Change, expected: bool | None
) -> None:
    loaded = load_file(changed(tmp_path, change, "gcp-dev"))
    assert options(loaded).get("dcgm-exporter", {}).get("enabled") is expected


def test_a_pod_gets_the_adapters_of_a_node_by_the_share_of_its_accelerators(tmp_path: Path) -> None:
    pool = {"accelerator": "h100", "count": 8, "capacity": ["on_demand"], "max": 2}
    loaded = settings(tmp_path, {"gpu_pools/large": pool, "gpu_pools/plain": {**pool, "efa": False}})
    assert arguments.guardrails(loaded).get("adapters") == {"large": 4}
    assert "adapters" not in arguments.guardrails(settings(tmp_path, {}))
