"""The tests of GPUs in an environment: the queues from which they borrow, and their namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiplatform import accelerators
from aiplatform._shared.images import images as known_images
from stacks import arguments, fabrics, gpu_check_queues, images
from stacks.loading import SettingsError, load_file
from stacks.settings import Settings
from tests.stacks.environments import built
from tests.stacks.test_google_files import changed

GROUP = "group:search@acme.example"
QUOTAS = [{"pool": "t4", "accelerators": 4}, {"pool": "general", "cpu": 8}]


def settings_of(folder: Path, stack: str = "aws-dev", **change: Any) -> Settings:
    return load_file(changed(folder, change, stack))


def queues(settings: Settings) -> dict[str, dict[str, Any]]:
    args: Any = arguments.queues(settings, [], [])
    return {queue["name"]: queue for queue in args["queues"]}


def test_a_test_has_no_quota_and_evicts_nothing(tmp_path: Path) -> None:
    tests = queues(settings_of(tmp_path))["gpu-check-t4"]
    assert tests["quotas"] == [{"pool": "t4", "accelerators": 0}]
    assert set(tests["preemption"].values()) == {"Never"}
    assert tests["weight"] == 0, "with fair sharing it is the first that is evicted"
    assert tests["namespaces"] == ["gpu-check"], "no LocalQueue of a team may refer to it"


def test_queues_that_share_nothing_lend_to_tests_and_not_to_each_other(tmp_path: Path) -> None:
    half = [{"pool": "t4", "accelerators": 2}]
    more = [{"pool": "t4", "accelerators": 1}, {"pool": "general", "cpu": 8}]
    change: dict[str, Any] = {"queues/queues": [{"name": "a", "quotas": half}, {"name": "b", "quotas": more}]}
    known = queues(settings_of(tmp_path, **change))
    assert known["a"]["cohort"] == known["gpu-check-t4"]["cohort"] == "gpu-check-a", "it has the most"
    assert "cohort" not in known["b"]


def test_tests_join_the_cohort_that_lends(tmp_path: Path) -> None:
    known = queues(load_file(changed(tmp_path, {}, "aws-prod")))
    assert known["gpu-check-training"]["cohort"] == known["training"]["cohort"] == "company"


@pytest.mark.parametrize(
    "change",
    [
        {"queues/queues": [{"name": "a", "quotas": [{"pool": "general", "cpu": 8}]}]},
        {
            "queues/cohorts": [{"name": "c"}],
            "queues/queues": [
                {"name": "a", "cohort": "c", "quotas": [{"pool": "t4", "accelerators": 4, "lend": 0}]}
            ],
        },
        {"gpu_pools/t4/accelerator": "inferentia2", "queues/queues": []},
    ],
    ids=["no quota", "lends nothing", "no GPU of NVIDIA"],
)
def test_without_gpus_that_can_be_borrowed_there_is_no_namespace(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    settings = settings_of(tmp_path, **change)
    assert arguments.gpu_checks(settings) is None
    args: Any = arguments.queues(settings, [], [])
    assert not [queue for queue in args["queues"] if queue["name"].startswith("gpu-check")]
    assert "priorities" not in args


@pytest.mark.parametrize(
    ("queue", "problem"),
    [
        ({"cohort": "zzz"}, "queues.queues[0].cohort: got 'zzz', which is no cohort"),
        (
            {"quotas": [{"pool": "t4", "accelerators": 4, "borrow": 2}]},
            "queues.queues[0].quotas[0].borrow: got 2; expected none without a cohort",
        ),
        (
            {"quotas": [{"pool": "t4", "accelerators": 4, "lend": 0}]},
            "queues.queues[0].quotas[0].lend: got 0; expected none without a cohort",
        ),
    ],
    ids=["unknown cohort", "borrows from none", "lends to none"],
)
def test_cohorts_of_tests_hide_no_problem_of_the_file(
    tmp_path: Path, queue: dict[str, Any], problem: str
) -> None:
    quotas = [{"pool": "t4", "accelerators": 4}]
    change: dict[str, Any] = {"queues/queues": [{"name": "a", "quotas": quotas, **queue}]}
    with pytest.raises(SettingsError) as refused:
        settings_of(tmp_path, **change)
    assert problem in str(refused.value)
    assert "1 error" in str(refused.value), "no queue that the file does not have is named"


def test_without_fair_sharing_tests_have_no_weight(tmp_path: Path) -> None:
    change: dict[str, Any] = {"queues/fair_sharing": False}
    settings = settings_of(tmp_path, **change)
    assert "weight" not in queues(settings)["gpu-check-t4"]


def test_class_of_tests_is_below_all_others(tmp_path: Path) -> None:
    args: Any = arguments.queues(settings_of(tmp_path), [], [])
    values = {entry["name"]: entry["value"] for entry in args["priorities"]}
    assert values.pop(gpu_check_queues.PRIORITY) < min(values.values())
    assert "serving" in values, "the component's own classes stay"
    change: dict[str, Any] = {"queues/priorities": [{"name": "batch", "value": -(10**9)}]}
    args = arguments.queues(settings_of(tmp_path, **change), [], [])
    assert [entry["value"] for entry in args["priorities"]] == [-(10**9)] * 2, "none is lower"


@pytest.mark.parametrize(
    ("stack", "level"),
    [("aws-dev", "restricted"), ("gcp-dev", "baseline"), ("gcp-prod", "privileged")],
)
def test_every_environment_with_gpus_has_the_namespace(stack: str, level: str) -> None:
    recorded = built(stack).recording
    labels = recorded.one("kubernetes:core/v1:Namespace", "gpu-check-namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == level


def test_what_tests_use_of_nodes_with_gpudirect_is_listed(tmp_path: Path) -> None:
    entry = fabrics.namespaces(load_file(changed(tmp_path, {}, "gcp-prod")))["gpu-check"]
    assert (entry["pools"], entry["capabilities"]) == (["training"], ["IPC_LOCK", "NET_ADMIN"])


def test_images_of_tests_may_run_in_prod(tmp_path: Path) -> None:
    args: Any = arguments.guardrails(load_file(changed(tmp_path, {}, "gcp-prod")))
    known = known_images()
    tests = {known[name].reference for name in ("gpu-test-dcgm", "gpu-test-pytorch-tcpx")}
    assert tests <= {*args["digest_exceptions"]}
    aws = images.of_tests(load_file(changed(tmp_path, {}, "aws-prod")))
    assert "public.ecr.aws/deep-learning-containers" in aws["the test of GPUs (gpu-test-pytorch)"]
    assert not [name for name in aws if "dcgm)" in name and "test" in name], "no engine is started there"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_image_of_tests_has_code_for_every_gpu_of_its_cloud(cloud: Any) -> None:
    """The test of TCPX is for one machine type, with H100."""
    references = {image.reference: image for image in known_images().values()}
    general = references[images.of_gpu_tests(cloud)[images.PYTORCH]]
    for key in accelerators.offered(cloud):
        card = accelerators.CARDS[key]
        if card.vendor == "nvidia":
            assert card.least_cuda, f"{key} has no version of CUDA"
            assert _version(card.least_cuda) <= _version(general.cuda), key
    tcpx = known_images()[images.pytorch_of("tcpx")]
    assert _version(accelerators.CARDS["h100"].least_cuda) <= _version(tcpx.cuda)


# Teams with a network between accelerators.
TEAM: dict[str, Any] = {"owners": [GROUP], "queue": "training", "fabric": ["training"]}
STATED: dict[str, Any] = {
    "cluster/gke": {"google_groups": "gke-security-groups@acme.example"},
    "guardrails/policies": {"accelerators": "deny"},
}


def with_team(folder: Path, stack: str = "gcp-prod", change: Any = None, **team: Any) -> Settings:
    known = {**TEAM, **team}
    return load_file(changed(folder, {"teams": {"search": known}, **STATED, **(change or {})}, stack))


def test_entry_of_a_team_with_fabric_is_derived_from_its_pools(tmp_path: Path) -> None:
    settings = with_team(tmp_path, namespace="search-ml")
    args: Any = arguments.guardrails(settings)
    entry = args["fabric_namespaces"]["search-ml"]
    assert (entry["pools"], entry["host_paths"]) == (["training"], ["/proc/sys", "/sys"])


@pytest.mark.parametrize(
    ("team", "change", "problem"),
    [
        (
            {"fabric": ["trainig"]},
            {},
            "teams.search.fabric[0]: got 'trainig', which is no GPU pool of the file; expected one of "
            "training; did you mean 'training'?",
        ),
        (
            {"fabric": ["serving"]},
            {},
            "teams.search.fabric[0]: got 'serving', whose nodes have no GPUDirect; expected one of training",
        ),
        (
            {},
            {"gpu_pools/training/gpudirect": False},
            "teams.search.fabric[0]: got 'training', whose nodes have no GPUDirect; no pool of the file",
        ),
        ({"queue": None}, {}, "teams.search.queue: missing, and a Pod that uses the network"),
        (
            {},
            {"guardrails/policies": {"host-access": "warn"}},
            "guardrails.fabric_namespaces: only the policy host-access limits",
        ),
        (
            {"fabric": []},
            {"guardrails/fabric_namespaces": {"search": {"capabilities": ["IPC_LOCK"]}}},
            "guardrails.fabric_namespaces.search: the namespace of the team search, whose level",
        ),
        (
            {},
            {"guardrails/fabric_namespaces": {"gpu-check": {"capabilities": ["IPC_LOCK"]}}},
            "guardrails.fabric_namespaces.gpu-check: the platform derives it from the pools",
        ),
    ],
)
def test_wrong_fabric_of_a_team_is_refused_with_its_key(
    tmp_path: Path, team: dict[str, Any], change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        with_team(tmp_path, change=change, **team)
    assert problem in "\n".join(refused.value.problems)


def test_fabric_without_guardrails_is_refused(tmp_path: Path) -> None:
    document = json.loads(changed(tmp_path, {"teams": {"search": TEAM}, **STATED}, "gcp-prod").read_text())
    del document["config"]["ai-platform:guardrails"]
    file = tmp_path / "Pulumi.gcp-prod.yaml"
    file.write_text(json.dumps(document))
    with pytest.raises(SettingsError) as refused:
        load_file(file)
    assert "teams.search.fabric: got ['training'] without the topic guardrails" in "\n".join(
        refused.value.problems
    )


def test_namespace_of_tests_is_no_teams(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        with_team(tmp_path, namespace="gpu-check")
    assert "teams.search.namespace: got 'gpu-check', which belongs to" in "\n".join(refused.value.problems)
