"""The command lines of etcd, the API server, the controllers, the scheduler and kwok."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Final

from twin.instances import Instance
from twin.kubernetes import egress, kwok
from twin.kubernetes.certificates import Pki, write_context, write_kubeconfig
from twin.kubernetes.processes import images
from twin.private_files import write_private

LINES: Final = Path(__file__).with_name("command_lines.toml")
# As EKS: anonymous requests may ask for the health, and nothing else.
ANONYMOUS: Final = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AuthenticationConfiguration",
    "anonymous": {
        "enabled": True,
        "conditions": [{"path": path} for path in ("/livez", "/readyz", "/healthz")],
    },
}


@dataclass(frozen=True)
class Settings:
    """What a cluster decides about its API server.

    service_cidr: where Services get their addresses (EKS: 10.100.0.0/16 or 172.20.0.0/16).
    issuer: the `iss` of service account tokens (EKS: the cluster's OIDC issuer).
    """

    service_cidr: str = "172.20.0.0/16"
    issuer: str = "https://kubernetes.default.svc"


def command_lines(instance: Instance, pki: Pki, settings: Settings) -> dict[str, list[str]]:
    """Return the five command lines of command_lines.toml, by process name; writes the small files that they
    name."""
    folder = instance.folder / "kubernetes"
    write_private(folder / "authentication.json", json.dumps(ANONYMOUS))
    write_private(folder / "egress.json", json.dumps(egress.configuration()))
    _webhook(instance)
    common = {
        "folder": folder,
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
            values["kubeconfig"] = _kubeconfig(instance, pki, name)
        lines[name] = [name, *(Template(word).substitute(values) for word in words)]
    return lines


def etcd_data(instance: Instance) -> Path:
    """Where etcd keeps the cluster."""
    return instance.folder / "kubernetes" / "etcd"


def _kubeconfig(instance: Instance, pki: Pki, subject: str) -> Path:
    target = instance.folder / "kubernetes" / f"{subject}.kubeconfig"
    return write_kubeconfig(pki, subject, instance.url("kube-apiserver", "https"), target)


def _webhook(instance: Instance) -> None:
    # Through the relay's socket, which no other user reaches: a stranger who listened on a port in its place
    # would get each token, and decide whose it is.
    host, port = egress.TOKEN_WEBHOOK
    cluster = {"server": f"http://{host}:{port}/authenticate"}
    write_context(
        instance.folder / "kubernetes" / "webhook.kubeconfig", "webhook", cluster, "kube-apiserver", {}
    )
