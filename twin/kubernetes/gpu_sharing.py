"""How the NVIDIA device plugin shares a card: time-slicing, MPS and MIG, by the plugin's own configuration.

Read as the plugin reads it: a ConfigMap of named configurations, one of which the config-manager sidecar
picks by the node's label `nvidia.com/device-plugin.config`; or one file named by CONFIG_FILE; flags by
environment.
Source of the format: github.com/NVIDIA/k8s-device-plugin, api/config/v1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

GPU: Final = "nvidia.com/gpu"
CONFIG_LABEL: Final = "nvidia.com/device-plugin.config"
MIG_LABEL: Final = "nvidia.com/mig.config"
PROFILE: Final = re.compile(r"(\d)g\.(\d+)gb(?:\+me)?")


class SharingError(Exception):
    """The plugin would refuse its configuration and exit; the text says why."""


@dataclass(frozen=True)
class Source:
    """Where a Pod's plugin has its configuration from.

    config_map: its name, in the Pod's namespace; empty: built-in defaults. key: the one to use; None: picked
    by the node's label, else `default`, as by the config-manager.
    """

    config_map: str
    key: str | None
    default: str = ""
    mig_strategy: str = "none"


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable.get("value") or "" for variable in container.get("env") or ()}


def source(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Source:
    """How the plugin container of a Pod is configured."""
    environment = _environment(container)
    arguments = [*(container.get("command") or ()), *(container.get("args") or ())]
    strategy = environment.get("MIG_STRATEGY", "none")
    file = environment.get("CONFIG_FILE", "")
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        flag, _, value = argument.partition("=")
        if flag == "--mig-strategy":
            strategy = value or following
        if flag == "--config-file":
            file = value or following
    manager = _manager(pod)
    if manager is not None:
        folder = manager.get("CONFIG_FILE_SRCDIR", "")
        return Source(_config_map(pod, folder, None), None, manager.get("DEFAULT_CONFIG", ""), strategy)
    if not file:
        return Source("", None, mig_strategy=strategy)
    target = PurePosixPath(file)
    return Source(_config_map(pod, str(target.parent), container), target.name, mig_strategy=strategy)


def _manager(pod: Mapping[str, Any]) -> dict[str, str] | None:
    for container in pod["spec"].get("containers") or ():
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        if any("config-manager" in word for word in words) or "config-manager" in container["name"]:
            environment = _environment(container)
            if environment.get("ONESHOT", "false") != "true":
                return environment
    return None


def _config_map(pod: Mapping[str, Any], folder: str, container: Mapping[str, Any] | None) -> str:
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for mounting in [container] if container else pod["spec"].get("containers") or ():
        for mount in mounting.get("volumeMounts") or ():
            volume = volumes.get(mount["name"], {})
            if mount["mountPath"].rstrip("/") == folder.rstrip("/") and "configMap" in volume:
                return volume["configMap"].get("name", "")
    return ""


def chosen(source: Source, data: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, Any]:
    """The configuration of one node, parsed; `SharingError` where the plugin would fail."""
    if not source.config_map:
        return {}
    key = source.key
    if key is None:
        key = labels.get(CONFIG_LABEL) or source.default or _fallback(data)
        if not key:
            return {}
    if key not in data:
        known = ", ".join(sorted(data)) or "none"
        raise SharingError(
            f"configuration {key!r} is not in ConfigMap {source.config_map} (it has: {known}); "
            f"the node's label {CONFIG_LABEL} must name one of them"
        )
    try:
        parsed = yaml.safe_load(data[key])
    except yaml.YAMLError as error:
        raise SharingError(f"ConfigMap {source.config_map}, key {key}: {error}") from error
    if not isinstance(parsed, dict) or parsed.get("version") != "v1":
        raise SharingError(f"ConfigMap {source.config_map}, key {key}: it must begin with `version: v1`")
    return parsed


def _fallback(data: Mapping[str, str]) -> str:
    # The config-manager's fallback strategies, in its order: named, single, empty.
    if "default" in data:
        return "default"
    return next(iter(data)) if len(data) == 1 else ""


def advertised(
    gpus: int,
    config: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    mig_strategy: str = "none",
    mig_manager: bool = False,
    small_card: bool = False,
) -> dict[str, int]:
    """What the plugin advertises for so many cards.

    mig_manager: something on the node partitions the cards as the label `nvidia.com/mig.config` says; without
    it they stay whole, whatever the strategy. small_card: 40 GB cards, whose `1g.10gb` is a double slice.
    """
    strategy = (config.get("flags") or {}).get("migStrategy") or mig_strategy
    wanted = labels.get(MIG_LABEL, "")
    resources = {GPU: gpus}
    if mig_manager and wanted.startswith("all-") and wanted != "all-disabled" and strategy != "none":
        profile = wanted.removeprefix("all-")
        instances = gpus * slices(profile, small_card=small_card)
        name = GPU if strategy == "single" else f"nvidia.com/mig-{profile.replace('+', '.')}"
        resources = {name: instances}
    return _shared(resources, config.get("sharing") or {})


def slices(profile: str, *, small_card: bool = False) -> int:
    """How many MIG instances of a profile one card holds: at most seven compute and eight memory slices.

    Source: NVIDIA's MIG user guide, the table of supported profiles (A100, H100, H200, B200).
    """
    match = PROFILE.fullmatch(profile)
    if not match:
        raise SharingError(f"{profile!r} is no MIG profile; write it as 1g.10gb, 2g.20gb, 3g.40gb or 7g.80gb")
    if profile.endswith("+me"):
        return 1  # one card has its media engines once
    compute, memory = int(match[1]), int(match[2])
    double = compute == 1 and (memory in {20, 35, 45} or (memory == 10 and small_card))
    counts = {1: 4 if double else 7, 2: 3, 3: 2, 4: 1, 7: 1}
    if compute not in counts:
        raise SharingError(
            f"{profile!r}: no card has a profile of {compute} compute slices; 1, 2, 3, 4, 7 exist"
        )
    return counts[compute]


def _shared(resources: Mapping[str, int], sharing: Mapping[str, Any]) -> dict[str, int]:
    shared = dict(resources)
    for kind in ("timeSlicing", "mps"):
        section = sharing.get(kind) or {}
        for entry in section.get("resources") or ():
            name, replicas = entry.get("name"), entry.get("replicas")
            if not isinstance(replicas, int) or replicas < 2:
                raise SharingError(
                    f"sharing.{kind}.resources: replicas of {name} is {replicas}; 2 or more is right"
                )
            if name not in shared:
                continue
            fresh = entry.get("rename") or (f"{name}.shared" if section.get("renameByDefault") else name)
            shared[fresh] = shared.pop(name) * replicas
    return shared
