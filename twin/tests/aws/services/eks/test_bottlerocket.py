"""Bottlerocket's own device plugin, by its settings in the user data."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from twin.aws.services.autoscaling.capacity import instance_type_info
from twin.aws.services.eks.operations.bottlerocket import SettingsError, advertised


def _advertised(kind: str, lines: list[str]) -> dict[str, int]:
    info: dict[str, Any] = instance_type_info(kind) or {}
    gpus = info["GpuInfo"]["Gpus"][0]["Count"]
    return advertised(base64.b64encode("\n".join(lines).encode()).decode(), info, gpus)


NVIDIA = "[settings.kubelet-device-plugins.nvidia]"
SLICED = [NVIDIA, 'device-sharing-strategy = "time-slicing"']
CUT = [NVIDIA, 'device-partitioning-strategy = "mig"', "[settings.kubelet-device-plugins.nvidia.mig.profile]"]


@pytest.mark.parametrize(
    ("kind", "lines", "counts"),
    [
        ("g5.xlarge", [], {"nvidia.com/gpu": 1}),
        ("g5.12xlarge", ["[settings.host-containers.admin]", "enabled = true"], {"nvidia.com/gpu": 4}),
        (
            "g5.12xlarge",
            [
                *SLICED,
                "[settings.kubelet-device-plugins.nvidia.time-slicing]",
                "replicas = 8",
                "rename-by-default = false",
            ],
            {"nvidia.com/gpu": 32},
        ),
        ("g5.xlarge", SLICED, {"nvidia.com/gpu.shared": 2}),
        ("p5.48xlarge", [*CUT, '"h100.80gb" = "1g.10gb"'], {"nvidia.com/gpu": 56}),
        ("p5.48xlarge", [*CUT, '"a100.80gb" = "1g.10gb"'], {"nvidia.com/gpu": 8}),
        ("p4d.24xlarge", [*CUT, '"a100.40gb" = "1g.10gb"'], {"nvidia.com/gpu": 32}),
        (
            "p4de.24xlarge",
            [*CUT, '"a100.40gb" = "1g.5gb"', '"a100.80gb" = "3g.40gb"'],
            {"nvidia.com/gpu": 16},
        ),
        ("p5en.48xlarge", [*CUT, '"h200.141gb" = "1g.35gb"'], {"nvidia.com/gpu": 32}),
    ],
)
def test_cards_are_multiplied_as_the_settings_say(
    kind: str, lines: list[str], counts: dict[str, int]
) -> None:
    assert _advertised(kind, lines) == counts, json.dumps(lines)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["settings = ["], "not valid TOML"),
        ([*SLICED, "[settings.kubelet-device-plugins.nvidia.time-slicing]", "replicas = 1"], "2 or more"),
        ([*CUT, '"h100" = "1g.10gb"'], "no model of card"),
        ([*CUT, '"h100.80gb" = "half"'], "no MIG profile"),
    ],
)
def test_settings_that_bottlerocket_would_not_take_are_reported(lines: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        _advertised("p5.48xlarge", lines)
