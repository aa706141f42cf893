"""The topic `training`: what an environment supplies, and runtimes that are refused by file, line and key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.images import images
from stacks import arguments, team_arguments
from stacks.images import of_users, repositories, without_digests
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.stacks.environments import STACKS, built, settings_of
from tests.stacks.test_google_files import changed, problems

RUNTIME = "kubernetes:trainer.kubeflow.org/v1alpha1:ClusterTrainingRuntime"
DOWNLOAD = {"kinds": ["model"], "storage_gib": 100}


def runtime(**keys: Any) -> dict[str, Any]:
    """A further runtime, `mine`."""
    return {"training/runtimes/mine": keys}


def addons(settings: Settings) -> Any:
    return arguments.addons(settings, placeholders.of(settings).cluster)


def training(settings: Settings) -> Any:
    return arguments.training(settings, {}, [], [])


@pytest.mark.parametrize("stack", STACKS)
def test_each_pool_with_accelerators_has_a_runtime_in_every_environment(stack: str) -> None:
    registered = {entry.inputs["metadata"]["name"] for entry in built(stack).recording.all(RUNTIME)}
    pools = settings_of(stack).gpu_pools
    kinds = {name: "jax" if pool.accelerator.startswith("tpu") else "torch" for name, pool in pools.items()}
    assert registered == {"torch-cpu", *(f"{kind}-{name}" for name, kind in kinds.items())}


@pytest.mark.parametrize(
    ("change", "stack", "key", "reason"),
    [
        (runtime(pool="none"), "gcp-dev", "pool", "no pool"),
        (runtime(pool="training", image="acme/torch:1"), "gcp-prod", "image", "without a digest"),
        (runtime(pool="training", processes_per_node=16), "gcp-prod", "processes_per_node", "1 to 8"),
        (runtime(pool="serving", interconnect="required"), "gcp-prod", "interconnect", "no network"),
        (runtime(pool="batch", framework="torch"), "gcp-prod", "framework", "expected jax"),
        (runtime(pool="training", framework="jax"), "gcp-prod", "framework", "expected torch"),
    ],
)
def test_a_wrong_runtime_is_reported_with_its_line(
    tmp_path: Path, change: dict[str, Any], stack: str, key: str, reason: str
) -> None:
    [problem] = problems(tmp_path, change, stack)
    assert re.search(rf"Pulumi\.{stack}\.yaml:\d+: training\.runtimes\.mine\.{key}: ", problem), problem
    assert reason in problem


def test_a_runtime_with_the_name_of_a_default_one_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, {"training/runtimes/torch-training": {"pool": "training"}}, "gcp-prod")
    assert "training.runtimes.torch-training: " in problem
    assert "by default" in problem


def test_an_unknown_framework_is_refused_by_the_shape_of_the_file(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, runtime(pool="general", framework="tensorflow"))
    assert "training.runtimes.mine.framework" in problem


def test_training_without_addons_is_refused(tmp_path: Path) -> None:
    disabled = {"addons/options": {"jobset": {"enabled": False}}}
    [problem] = problems(tmp_path, disabled)
    assert "addons.options.jobset.enabled: got false" in problem


@pytest.mark.parametrize(
    ("stack", "minutes", "expected"), [("gcp-dev", 90, 120), ("gcp-prod", 90, 120), ("gcp-prod", 10, 60)]
)
def test_kueue_waits_longer_than_the_longest_download(
    tmp_path: Path, stack: str, minutes: int, expected: int
) -> None:
    download = runtime(pool="general", initializers={**DOWNLOAD, "timeout_minutes": minutes})
    assert addons(load_file(changed(tmp_path, download, stack)))["pods_ready"]["timeout_minutes"] == expected


@pytest.mark.parametrize(
    ("stack", "stated", "expected"),
    [("gcp-dev", None, 120), ("gcp-prod", None, 120), ("gcp-prod", 600, 600), ("gcp-prod", 0, 0)],
)
def test_a_restart_has_the_time_to_download_again(
    tmp_path: Path, stack: str, stated: int | None, expected: int
) -> None:
    change = runtime(pool="general", initializers={**DOWNLOAD, "timeout_minutes": 90})
    if stated is not None:
        change["addons/pods_ready"] = {"recovery_minutes": stated}
    pods_ready = addons(load_file(changed(tmp_path, change, stack)))["pods_ready"]
    assert pods_ready["recovery_minutes"] == expected, "a JobSet that restarts runs its initializers again"


def test_without_downloads_the_time_to_start_is_that_of_the_file() -> None:
    assert "timeout_minutes" not in addons(settings_of("aws-dev"))["pods_ready"]


def test_ray_reaches_kueue_and_the_network_policies_of_teams(tmp_path: Path) -> None:
    assert addons(settings_of("gcp-dev"))["ray"] is False
    team = {"owners": ["group:vision@acme.example"]}
    change = {"training/ray": True, "teams/vision": team}
    change["cluster/gke/google_groups"] = "gke-security-groups@acme.example"
    settings = load_file(changed(tmp_path, change))
    assert addons(settings)["ray"] is True
    offered = placeholders.offered_to_teams(settings, placeholders.of(settings))
    teams: Any = team_arguments.teams(settings, offered)
    assert teams["teams"]["vision"]["clients"] == {"ray-system": [8000, 8265]}
    assert teams["cluster_roles"] == ["ai-platform-training-runtimes"], "members read the runtimes"


def test_on_pools_that_share_accelerators_a_process_has_one_part() -> None:
    args = training(settings_of("aws-staging"))
    assert "l4" not in args["default_runtimes"]
    assert args["runtimes"]["torch-l4"] == {"pool": "l4", "processes_per_node": 1}
    assert "default_runtimes" not in training(settings_of("gcp-dev")), "all pools have one"


def test_pods_of_runtimes_have_the_identity_of_their_team() -> None:
    assert training(settings_of("aws-prod"))["service_account"] == "workloads"


def test_images_of_runtimes_are_admitted_and_exempt_only_where_none_is_published() -> None:
    settings = settings_of("gcp-prod")
    known = images()
    expected = {"training-jax-tpu", "training-torch", "training-torch-tcpx"}
    assert {known[name].reference for name in expected} <= set(of_users(settings).values())
    exempt = without_digests(settings)
    assert known["training-jax-tpu"].reference in exempt
    assert known["training-torch"].repository not in exempt, "an image of the same repository has a digest"
    assert known["training-torch-efa"].repository not in repositories(settings), "no pool with EFA"
    assert known["training-torch-efa"].reference in of_users(settings_of("aws-prod")).values()
