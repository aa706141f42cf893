"""What Bottlerocket's own NVIDIA device plugin advertises: its settings come as TOML in the user data.

Source: bottlerocket.dev, `settings.kubelet-device-plugins.nvidia.*`, and the template that makes the plugin's
configuration of them (bottlerocket-core-kit, packages/nvidia-k8s-device-plugin).
"""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

GPU: Final = "nvidia.com/gpu"
_DEFAULT_REPLICAS: Final = 2
_MIG_MODEL: Final = re.compile(r"([a-z0-9]+)\.(\d+)gb")


class SettingsError(Exception):
    """The node would not start with these settings; the text says why."""


def settings(user_data: str) -> dict[str, Any]:
    """The `settings` of base64 user data; empty where there are none. SettingsError: it is not TOML."""
    try:
        text = base64.b64decode(user_data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SettingsError(f"the user data is no base64 of text: {error}") from error
    try:
        return tomllib.loads(text).get("settings") or {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the user data is not valid TOML: {error}") from error


def advertised(user_data: str, info: Mapping[str, Any], gpus: int) -> dict[str, int]:
    """Resource -> count, for so many whole cards of an instance type (EC2's description of it)."""
    from twin.kubernetes import gpu_sharing

    plugin = (settings(user_data).get("kubelet-device-plugins") or {}).get("nvidia") or {}
    config: dict[str, Any] = {"version": "v1", "flags": {"migStrategy": "none"}, "sharing": {}}
    labels: dict[str, str] = {}
    profile = _profile(plugin, info)
    if profile:
        config["flags"]["migStrategy"] = "single"
        labels[gpu_sharing.MIG_LABEL] = f"all-{profile}"
    strategy = plugin.get("device-sharing-strategy", "none")
    for name, key in (("time-slicing", "timeSlicing"), ("mps", "mps")):
        if strategy == name:
            sharing_settings = plugin.get(name) or {}
            config["sharing"][key] = {
                "renameByDefault": sharing_settings.get("rename-by-default", True),
                "resources": [{"name": GPU, "replicas": sharing_settings.get("replicas", _DEFAULT_REPLICAS)}],
            }
    try:
        return gpu_sharing.advertised(
            gpus, config, labels, mig_manager=True, small_card=_memory_gb(info) in range(38, 44)
        )
    except gpu_sharing.SharingError as error:
        raise SettingsError(str(error)) from error


def _profile(plugin: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    # The profile of the card's model (`h100.80gb`); a model that is not named stays whole.
    if plugin.get("device-partitioning-strategy", "none") != "mig":
        return ""
    name, memory = _name(info), _memory_gb(info)
    for model, profile in ((plugin.get("mig") or {}).get("profile") or {}).items():
        match = _MIG_MODEL.fullmatch(model)
        if not match:
            raise SettingsError(f"mig.profile: {model!r} is no model of card; a100.40gb or h100.80gb is one")
        # A card of 80 GB has 80 or 81 GiB by EC2's account, one of 141 GB has 141.
        if match[1] == name and abs(int(match[2]) - memory) <= 2:
            return str(profile)
    return ""


def _card(info: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter((info.get("GpuInfo") or {}).get("Gpus") or []), {})


def _name(info: Mapping[str, Any]) -> str:
    return str(_card(info).get("Name", "")).lower()


def _memory_gb(info: Mapping[str, Any]) -> int:
    return round((_card(info).get("MemoryInfo") or {}).get("SizeInMiB", 0) / 1024)
