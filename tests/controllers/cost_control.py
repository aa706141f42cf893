"""The program that controls costs (containers/cost_control) in a cluster: its rights, and how it is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.components.recording import Recording
from tests.containers.test_cost_control import PROGRAM
from tests.controllers.cluster import Cluster
from twin.tests.waiting import eventually

NAMESPACE: Final = "cost-control"
_KINDS: Final = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def _rights(recording: Recording) -> list[dict[str, Any]]:
    """Return the objects of the program's rights, as the component registers them, in their order."""
    items: list[dict[str, Any]] = []
    for kind in _KINDS:
        for entry in recording.resources:
            if entry.type.startswith("kubernetes:") and entry.type.endswith(f":{kind}"):
                group = entry.type.split(":")[1].replace("core/", "")
                body = {
                    key: value for key, value in entry.inputs.items() if key not in ("apiVersion", "kind")
                }
                items.append({"apiVersion": group, "kind": kind, **body})
    return items


@dataclass
class Account:
    """A service account of the program, with the rights that the component gives it."""

    cluster: Cluster
    folder: Path
    name: str = NAMESPACE

    def kubeconfig(self) -> Path:
        """Return a kubeconfig with its token."""
        token = self.cluster.core.create_namespaced_service_account_token(
            self.name, NAMESPACE, {"spec": {"expirationSeconds": 3600}}
        ).status.token
        known: Any = yaml.safe_load(self.cluster.plain.instance.kubeconfig.read_text())
        known["users"] = [{"name": entry["name"], "user": {"token": token}} for entry in known["users"]]
        file = self.folder / f"kubeconfig-{self.name}"
        file.write_text(yaml.safe_dump(known))
        return file

    def run(self, *words: str, variables: Mapping[str, str]) -> str:
        """Run Python with the packages of the program; return what it logs."""
        done = PROGRAM.run("python", *words, KUBECONFIG=str(self.kubeconfig()), **variables)
        assert done.returncode == 0, done.stderr
        return done.stderr


@contextmanager
def account(cluster: Cluster, recording: Recording, folder: Path, name: str = NAMESPACE) -> Iterator[Account]:
    """The objects of the program's rights in the cluster; deleted at the end."""
    items = _rights(recording)
    cluster.create(*items)
    try:
        yield Account(cluster, folder, name)
    finally:
        cluster.delete(*reversed(items))
        names = lambda: {item.metadata.name for item in cluster.core.list_namespace().items}  # noqa: E731
        eventually("namespace deleted", lambda: NAMESPACE not in names() or None, 120)
