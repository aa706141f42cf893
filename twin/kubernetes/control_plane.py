"""An instance's Kubernetes control plane: etcd, API server, controllers, scheduler and kwok.

Start, stop and wipe are safe at any moment and may be called from several processes at once: they take
turns by a lock of the instance's. What they do is repeated without harm, so a kill in the middle of one is
repaired by the next.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from twin import instances, processes
from twin.instances import Instance
from twin.kubernetes import certificates, commands
from twin.kubernetes.certificates import Pki
from twin.kubernetes.commands import Settings
from twin.locks import OwnedLock
from twin.processes import Daemon, ProcessError
from twin.toolchain import build

PROCESSES: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
READY_SECONDS: Final = 90.0
# Without these a process does not become ready, however long it is waited for; of the others, the first two.
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {"etcd": (), "kube-apiserver": ("etcd",)}
# Go's collector lets a heap grow to twice what lives (100 %); half of that keeps the four small ones under
# 0.6 GiB. The API server has Go's default: of the definitions of all add-ons 0.5 GiB live. 150 % used half a
# GiB more and saved 5 % of its CPU time; 75 % saved 40 MiB and used a fifth more CPU time.
# The limits are soft: a process that needs more gets it, and collects more often. The API server's is far
# above what it needs: near it, it would collect all the time, and clients give up.
MEMORY: Final[Mapping[str, tuple[int, str]]] = {
    "etcd": (50, "120MiB"),
    "kube-apiserver": (100, "2500MiB"),
    "kube-controller-manager": (50, "180MiB"),
    "kube-scheduler": (50, "120MiB"),
    "kwok": (50, "120MiB"),
}


def daemons(instance: Instance) -> dict[str, Daemon]:
    """The five processes, by name."""
    return {name: Daemon(instance.folder, name) for name in PROCESSES}


def endpoint(instance: Instance) -> str:
    """The API server's URL."""
    return instance.url("kube-apiserver", "https")


def certificate_authority(instance: Instance) -> str:
    """Base64 of the PEM of the authority that signs the API server's certificate."""
    return _pki(instance).authority_base64()


def start(instance: Instance, binary: Path | None = None, given_up: threading.Event | None = None) -> None:
    """Start what does not run, and wait until the API server answers and the others are healthy.

    binary: the control plane's multi-call binary; by default the toolchain's. given_up: set by who no longer
    wants it. Raises ProcessError with the end of the log of what failed.
    """
    with _lock(instance):
        _start(instance, binary, given_up)


def restart(instance: Instance, name: str) -> bool:
    """Start one of the five that ended by itself, and wait until all are ready again.

    False where it was stopped or started meanwhile. Raises ProcessError as `start` does.
    """
    with _lock(instance):
        if not daemons(instance)[name].ended:
            return False
        _start(instance, None)
        return True


def stop(instance: Instance, *, kill: bool = False) -> None:
    """Stop all five; what they know stays. kill: none gets time to end in order."""
    with _lock(instance):
        # A kill loses nothing (see etcd's flags), so there is no wait for connections to end by themselves.
        processes.stop(daemons(instance).values(), grace_seconds=0 if kill else 1)


def wipe(instance: Instance, *, settings: Settings | None = None, binary: Path | None = None) -> None:
    """Give an empty cluster: stop, forget everything, start.

    settings: of the new cluster; by default as before. The certificates stay, so kubeconfigs keep working.
    """
    with _lock(instance):
        # etcd goes first and for good: with its data gone, what the others still hold in memory is nothing.
        processes.stop(daemons(instance).values(), grace_seconds=0)
        _forget(commands.etcd_data(instance))
        if settings is not None:
            certificates.write_private(_settings_file(instance), json.dumps(asdict(settings)) + "\n")
        _start(instance, binary)


def settings_of(instance: Instance) -> Settings:
    """The settings of the present cluster."""
    try:
        return Settings(**json.loads(_settings_file(instance).read_text()))
    except (OSError, ValueError, TypeError):
        return Settings()


def ready(instance: Instance) -> bool:
    """Whether the API server answers that it is ready."""
    return _healthy(_pki(instance), instance.ports["kube-apiserver"], "/readyz")


def _start(instance: Instance, binary: Path | None, given_up: threading.Event | None = None) -> None:
    pki = _pki(instance)
    binary = binary or build.ensure(["controlplane"])["controlplane"]
    lines = commands.command_lines(instance, pki, settings_of(instance))
    certificates.write_kubeconfig(
        pki, "admin", endpoint(instance), instance.kubeconfig, name=f"twin-{instance.name}"
    )
    commands.etcd_data(instance).mkdir(parents=True, exist_ok=True, mode=0o700)
    five = daemons(instance)
    commanded = {name: [str(binary), *line] for name, line in lines.items()}
    # A process of before a change of its flags would run on without them.
    old = [five[name] for name in PROCESSES if five[name].alive and five[name].command != commanded[name]]
    processes.stop(old, grace_seconds=1)
    # The API server waits for etcd by itself; the others give up when it is not there.
    for group in (("etcd", "kube-apiserver"), ("kube-controller-manager", "kube-scheduler", "kwok")):
        if "kwok" in group and not five["kwok"].alive:
            _release_nodes(instance)
        for name in group:
            processes.start(five[name], commanded[name], env=_environment(instance, name))
        for name in group:
            _wait(instance, pki, name, given_up)


def _release_nodes(instance: Instance) -> None:
    """Remove the leases of all nodes, where no kwok runs.

    A kwok has another identity than the one before it, and as long as that one's leases run (40 s) it lets
    the nodes' Pods alone: none would start, and those deleted would stay to the end of their grace.
    """
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    status = _ask(_pki(instance), "admin", instance.ports["kube-apiserver"], "DELETE", leases)
    if status != http.client.OK:
        raise ProcessError(f"the API server does not give the nodes free: {status} of DELETE {leases}")


def _forget(data: Path) -> None:
    """Remove etcd's data, at one stroke: half of it would keep etcd from starting ever again."""
    discarded = data.with_name(data.name + ".old")
    shutil.rmtree(discarded, ignore_errors=True)
    if data.exists():
        data.rename(discarded)
    shutil.rmtree(discarded, ignore_errors=True)


def _wait(instance: Instance, pki: Pki, name: str, given_up: threading.Event | None) -> None:
    # etcd serves its health on the client port, to those with a certificate.
    path = "/readyz" if name in ("kube-apiserver", "etcd") else "/healthz"
    probe: Callable[[], bool] = lambda: _healthy(pki, instance.ports[name], path)  # noqa: E731
    five = daemons(instance)
    needs = [five[needed] for needed in NEEDS.get(name, ("etcd", "kube-apiserver"))]
    processes.wait_ready(five[name], probe, seconds=READY_SECONDS, needs=needs, given_up=given_up)


def _healthy(pki: Pki, port: int, path: str) -> bool:
    """Whether https://127.0.0.1:port/path answers 200, asked with the API server's own certificate."""
    try:
        return _ask(pki, "kube-apiserver", port, "GET", path) == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _ask(pki: Pki, who: str, port: int, method: str, path: str) -> int:
    """The status of one request. who: whose certificate is shown."""
    # Not the kubernetes client, whose import takes longer than a start may.
    context = ssl.create_default_context(cafile=str(pki.certificate("ca")))
    context.load_cert_chain(pki.certificate(who), pki.key(who))
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


def _environment(instance: Instance, name: str) -> dict[str, str]:
    percent, limit = MEMORY[name]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        # kwok reads ~/.kwok/kwok.yaml before its arguments: the user's own must not be used.
        "HOME": str(instance.folder / "kubernetes"),
        "GOGC": str(percent),
        "GOMEMLIMIT": limit,
        # The authority that it trusts for webhooks without a caBundle, which the twin answers in the place of
        # their controllers. All its connections end in the twin: it needs no public authority.
        "SSL_CERT_FILE": str(_pki(instance).certificate("ca")),
        "SSL_CERT_DIR": str(instance.folder / "kubernetes" / "no-certificates"),
    }


def _pki(instance: Instance) -> Pki:
    return certificates.ensure(instance.folder / "kubernetes" / "pki")


def _settings_file(instance: Instance) -> Path:
    return instance.folder / "kubernetes" / "settings.json"


def _lock(instance: Instance) -> OwnedLock:
    return instances.lock(f"{instance.name}.control-plane")
