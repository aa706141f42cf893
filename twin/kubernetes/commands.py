"""The command lines of etcd, the API server, the controllers, the scheduler and kwok."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Final

from twin.instances import Instance
from twin.kubernetes import kwok
from twin.kubernetes.certificates import Pki, write_kubeconfig
from twin.kubernetes.processes import images

LINES: Final = Path(__file__).with_name("command_lines.toml")


@dataclass(frozen=True)
class Settings:
    """What a cluster decides about its API server.

    service_cidr: where Services get their addresses (EKS: 10.100.0.0/16 or 172.20.0.0/16).
    issuer: the `iss` of service account tokens (EKS: the cluster's OIDC issuer).
    """

    service_cidr: str = "172.20.0.0/16"
    issuer: str = "https://kubernetes.default.svc"


def command_lines(instance: Instance, pki: Pki, settings: Settings) -> dict[str, list[str]]:
    """Return the five command lines of command_lines.toml, by process name; writes the kubeconfigs that they
    name."""
    folder = instance.folder / "kubernetes"
    common = {
        "settings": LINES.with_name("settings"),
        "pki": pki.folder,
        "data": etcd_data(instance),
        "etcd": instance.url("etcd", "https"),
        "peer": instance.url("etcd-peer", "https"),
        "stages": kwok.stages(folder, images.load(instance).selector),
        **asdict(settings),
    }
    lines: dict[str, list[str]] = {}
    for name, words in tomllib.loads(LINES.read_text("utf-8")).items():
        values = {**common, "port": instance.ports[name]}
        if "--kubeconfig=$kubeconfig" in words:
            file = folder / f"{name}.kubeconfig"
            values["kubeconfig"] = write_kubeconfig(pki, name, instance.url("kube-apiserver", "https"), file)
        lines[name] = [name, *(Template(word).substitute(values) for word in words)]
    return lines


def etcd_data(instance: Instance) -> Path:
    """Where etcd keeps the cluster."""
    return instance.folder / "kubernetes" / "etcd"
