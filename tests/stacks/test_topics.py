"""Topics of an environment file are the arguments of components: same keys, same defaults, same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.args import keys
from aiplatform.cluster.args import ClusterSettings
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.network.args import NetworkSettings
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.runner.args import RunnerSettings
from stacks import arguments
from stacks.loading import SettingsError, load_file
from stacks.settings import Cluster, GpuPool, Network, NodePool, Runner
from stacks.settings.generated import BY_PLATFORM, ComponentTopic, stated
from stacks.settings.runner import ENVIRONMENT_KEYS
from tests.stacks.files import changed

NETWORK = "config/ai-platform:network"
CLUSTER = "config/ai-platform:cluster"


def _problems(folder: Path, change: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(folder, change))
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("topic", "model", "by_platform"),
    [
        (Network, NetworkSettings, ()),
        (Cluster, ClusterSettings, ()),
        (NodePool, NodePoolSettings, ("name",)),
        (GpuPool, GpuPoolSettings, ("name",)),
        (Runner, RunnerSettings, ()),
    ],
)
def test_a_topic_has_every_argument_that_the_platform_does_not_set(
    topic: type[ComponentTopic], model: type, by_platform: tuple[str, ...]
) -> None:
    expected = keys(model) - BY_PLATFORM - set(by_platform)
    # A network that exists is no argument of the component that creates one.
    assert set(topic.model_fields) - {*ENVIRONMENT_KEYS, "existing"} == expected


def test_a_key_that_no_file_states_has_the_default_of_the_component(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path))
    assert settings.network.gcp.pods_per_node == NetworkSettings("a", "10.0.0.0/16").gcp.pods_per_node
    assert settings.cluster.eks.service_cidr == "172.20.0.0/16"
    assert settings.gpu_pools["t4"].min == 0
    assert "gcp" not in stated(settings.network), "the component has its own defaults"
    assert "eks" not in stated(settings.cluster)


def test_an_argument_that_the_platform_sets_is_refused_in_a_block(tmp_path: Path) -> None:
    change = {
        f"{NETWORK}/gcp": {"project": "acme-ml"},
        f"{NETWORK}/aws": {"prefix_delegation": True},
        f"{CLUSTER}/eks": {"creator_is_admin": True},
    }
    problems = _problems(tmp_path, change)
    for key in ("network.gcp.project", "network.aws.prefix_delegation", "cluster.eks.creator_is_admin"):
        assert any(f"{key}: unknown key" in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        (f"{NETWORK}/zones", 2, "zone_count (how many) or zone_ids (which)"),
        (f"{NETWORK}/flow_logs", {"retention_days": 7}, "flow_log_retention_days"),
        (f"{NETWORK}/endpoints", ["sts"], "aws.endpoints"),
        (f"{NETWORK}/pods_per_node", 64, "gcp.pods_per_node"),
        (f"{CLUSTER}/addons", {"coredns": "v1"}, "eks.addons"),
        (f"{CLUSTER}/release_channel", "stable", "gke.release_channel"),
        (f"{CLUSTER}/autoscaling", {"replicas": 2}, "the topic ai-platform:cluster_autoscaler"),
        (
            "config/ai-platform:cluster_autoscaler/scale_down_unneeded_minutes",
            5,
            "scale_down_after_minutes",
        ),
    ],
)
def test_a_key_of_an_earlier_version_is_refused_with_what_replaces_it(
    tmp_path: Path, key: str, value: Any, instead: str
) -> None:
    [problem] = _problems(tmp_path, {key: value})
    dotted = key.removeprefix("config/ai-platform:").replace("/", ".")
    assert f"{dotted}: unknown key; expected {instead}" in problem


def test_zones_of_the_file_replace_the_number_of_the_profile(tmp_path: Path) -> None:
    zones = ["usw2-az1", "usw2-az2", "usw2-az3"]
    settings = load_file(changed(tmp_path, {f"{NETWORK}/zone_ids": zones}))
    args = arguments.network(settings)
    assert args.get("zone_ids") == zones
    assert "zone_count" not in args, "a component takes one of the two"


def test_a_number_of_zones_beside_their_ids_is_refused(tmp_path: Path) -> None:
    change = {f"{NETWORK}/zone_ids": ["usw2-az1", "usw2-az2"], f"{NETWORK}/zone_count": 3}
    assert any("network.zone_count: got 3" in problem for problem in _problems(tmp_path, change))


def test_a_word_that_an_argument_does_not_accept_is_refused_with_the_nearest(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path, {f"{CLUSTER}/eks/support": "extende"})
    assert "cluster.eks.support: got 'extende'" in problem
    assert "did you mean 'extended'?" in problem


def test_add_ons_of_a_file_have_the_shape_of_the_component(tmp_path: Path) -> None:
    addons = {"coredns": {"version": "v1.13.2-eksbuild.4", "configuration": {"replicaCount": 3}}}
    settings = load_file(changed(tmp_path, {f"{CLUSTER}/eks/addons": addons}))
    network: Any = {"vpc_id": "vpc-1", "cidr": "10.16.0.0/16", "private_subnet_ids": ["a", "b"]}
    assert arguments.cluster(settings, network).get("eks", {}).get("addons") == addons
