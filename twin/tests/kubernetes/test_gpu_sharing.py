"""How cards are shared, by the NVIDIA device plugin's own configuration."""

from __future__ import annotations

from typing import Any

import pytest

from twin.kubernetes.gpu_sharing import SharingError, advertised, chosen, slices, source

SLICED = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}\n"
PLAIN = "version: v1\nflags: {migStrategy: none}\n"


def plugin(*, manager: bool = True, **env: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "nvidia-device-plugin",
        "image": "nvcr.io/nvidia/k8s-device-plugin:v0.18.0",
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "volumeMounts": [{"name": "configs", "mountPath": "/available-configs"}],
    }
    sidecar = {
        "name": "config-manager",
        "image": container["image"],
        "command": ["config-manager"],
        "env": [
            {"name": "CONFIG_FILE_SRCDIR", "value": "/available-configs"},
            {"name": "DEFAULT_CONFIG", "value": "plain"},
        ],
        "volumeMounts": [{"name": "configs", "mountPath": "/available-configs"}],
    }
    return {
        "metadata": {"name": "p", "namespace": "kube-system"},
        "spec": {
            "containers": [container, sidecar] if manager else [container],
            "volumes": [{"name": "configs", "configMap": {"name": "plugin-configs"}}],
        },
    }


def test_the_nodes_label_picks_the_configuration() -> None:
    picked = source(plugin(), plugin()["spec"]["containers"][0])
    assert (picked.config_map, picked.key, picked.default) == ("plugin-configs", None, "plain")
    data = {"plain": PLAIN, "sliced": SLICED}
    labels = {"nvidia.com/device-plugin.config": "sliced"}
    assert "sharing" in chosen(picked, data, labels)
    assert "sharing" not in chosen(picked, data, {}), "without the label the default counts"


def test_a_label_that_names_no_configuration_is_an_error_that_lists_those_there_are() -> None:
    picked = source(plugin(), plugin()["spec"]["containers"][0])
    with pytest.raises(SharingError, match=r"'slicd' is not in ConfigMap plugin-configs .*plain, sliced"):
        chosen(picked, {"plain": PLAIN, "sliced": SLICED}, {"nvidia.com/device-plugin.config": "slicd"})


def test_one_file_named_by_flag_or_environment_is_read() -> None:
    one = plugin(manager=False, CONFIG_FILE="/available-configs/sliced", MIG_STRATEGY="single")
    picked = source(one, one["spec"]["containers"][0])
    assert (picked.config_map, picked.key, picked.mig_strategy) == ("plugin-configs", "sliced", "single")
    one["spec"]["containers"][0]["args"] = [
        "--config-file",
        "/available-configs/plain",
        "--mig-strategy=mixed",
    ]
    picked = source(one, one["spec"]["containers"][0])
    assert (picked.key, picked.mig_strategy) == ("plain", "mixed")


def test_a_plugin_without_configuration_advertises_whole_cards() -> None:
    bare = {"metadata": {}, "spec": {"containers": [{"name": "plugin", "image": "k8s-device-plugin"}]}}
    picked = source(bare, bare["spec"]["containers"][0])
    assert advertised(8, chosen(picked, {}, {}), {}) == {"nvidia.com/gpu": 8}


def test_time_slicing_multiplies_and_renames_where_asked() -> None:
    sharing: dict[str, Any] = {"resources": [{"name": "nvidia.com/gpu", "replicas": 4}]}
    assert advertised(2, {"sharing": {"timeSlicing": sharing}}, {}) == {"nvidia.com/gpu": 8}
    sharing["renameByDefault"] = True
    assert advertised(2, {"sharing": {"timeSlicing": sharing}}, {}) == {"nvidia.com/gpu.shared": 8}


def test_fewer_than_two_replicas_are_refused_as_by_the_plugin() -> None:
    sharing = {"timeSlicing": {"resources": [{"name": "nvidia.com/gpu", "replicas": 1}]}}
    with pytest.raises(SharingError, match="2 or more is right"):
        advertised(2, {"sharing": sharing}, {})


@pytest.mark.parametrize(
    ("profile", "small", "expected"),
    [
        ("1g.10gb", False, 7),
        ("1g.10gb", True, 4),
        ("1g.5gb", True, 7),
        ("1g.20gb", False, 4),
        ("2g.20gb", False, 3),
        ("3g.40gb", False, 2),
        ("4g.40gb", False, 1),
        ("7g.80gb", False, 1),
        ("1g.18gb", False, 7),
        ("1g.10gb+me", False, 1),
    ],
)
def test_a_card_holds_as_many_instances_as_nvidia_says(profile: str, small: bool, expected: int) -> None:
    assert slices(profile, small_card=small) == expected


def test_mig_needs_someone_to_partition_and_a_strategy() -> None:
    labels = {"nvidia.com/mig.config": "all-1g.10gb"}
    assert advertised(8, {}, labels, mig_strategy="single") == {"nvidia.com/gpu": 8}
    assert advertised(8, {}, labels, mig_manager=True) == {"nvidia.com/gpu": 8}
    assert advertised(8, {}, labels, mig_strategy="single", mig_manager=True) == {"nvidia.com/gpu": 56}
    mixed = {"flags": {"migStrategy": "mixed"}}
    assert advertised(8, mixed, labels, mig_manager=True) == {"nvidia.com/mig-1g.10gb": 56}


@pytest.mark.parametrize("profile", ["1g", "5g.40gb", "big"])
def test_a_profile_that_no_card_has_is_refused(profile: str) -> None:
    with pytest.raises(SharingError, match="profile"):
        slices(profile)
