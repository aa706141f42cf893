"""The control plane belongs to the cloud's cluster: it begins empty with it, and ends with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twin.instances import Instance
from twin.kubernetes import control_plane
from twin.kubernetes.api import ApiError, Kube, Object, path
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Cluster
from twin.kubernetes.informer import Mirror

log = logging.getLogger(__name__)

MARK: Final = path("v1", "configmaps", "kube-system", "twin-cluster")
"""States for which cluster this control plane was prepared: in etcd, and so deleted when that is wiped."""
OWN_NAMESPACES: Final = {"default", "kube-system", "kube-public", "kube-node-lease"}
EMPTY: Final = (
    "/api/v1/nodes",
    "/api/v1/pods",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
)
LOOK_AGAIN: Final = 5.0
"""Seconds between looks whether a live cluster's control plane is still its own."""
GONE_AFTER: Final = 4
"""How often in a row the cloud must know of no cluster before one that was there is wiped."""


class ControlPlane:
    """The processes of an instance's control plane."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def _settings(self, cluster: Cluster | None) -> control_plane.Settings:
        stated = {"service_cidr": cluster.service_cidr, "issuer": cluster.issuer} if cluster else {}
        return control_plane.Settings(**{name: value for name, value in stated.items() if value})

    def matches(self, cluster: Cluster) -> bool:
        """Whether it runs with the settings that the cluster asks for."""
        return control_plane.settings_of(self._instance) == self._settings(cluster)

    def wipe(self, cluster: Cluster | None) -> None:
        """Empty it, and start it with the cluster's settings."""
        control_plane.wipe(self._instance, settings=self._settings(cluster))

    def address(self) -> tuple[str, str]:
        """Its endpoint, and its authority in base64."""
        return control_plane.endpoint(self._instance), control_plane.certificate_authority(self._instance)


@dataclass
class ClusterLife:
    """Follows the cloud's cluster. `live` is the one whose nodes, add-ons and tokens are simulated now."""

    view: CloudView
    kube: Kube
    mirror: Mirror
    control_plane: ControlPlane
    install: Callable[[Cluster], None]
    live: Cluster | None = None
    _missing: int = 0
    _looked: float = -LOOK_AGAIN

    def step(self) -> Cluster | None:
        """Once: prepare, hand over, or wipe. Returns the live cluster, or None."""
        cluster = self.view.cluster()
        if cluster is None:
            self._none()
        elif cluster.status == "DELETING":
            self._end(cluster)
        elif cluster.status in {"FAILED", "CREATE_FAILED"}:
            self.live = None
        else:
            self._missing = 0
            self._prepare(cluster)
            if cluster.status == "CREATING":
                endpoint, authority = self.control_plane.address()
                self.view.cluster_ready(endpoint, authority)
                log.info("cluster %s: the control plane answers at %s", cluster.name, endpoint)
            self.live = cluster
        return self.live

    def _none(self) -> None:
        self.live = None
        mark = self._mark()
        if mark is None:
            self._missing = 0
            return
        self._missing += 1
        if self._missing >= GONE_AFTER:
            log.info("cluster %s is gone: emptying its control plane", mark)
            self._wipe(None)

    def _end(self, cluster: Cluster) -> None:
        self.live = None
        if self._mark() is not None:
            log.info("cluster %s is being deleted: emptying its control plane", cluster.name)
            self._wipe(None)
        self.view.cluster_gone()

    def _prepare(self, cluster: Cluster) -> None:
        same = self.live is not None and identity(self.live) == identity(cluster)
        if same and time.monotonic() - self._looked < LOOK_AGAIN:
            return
        mark = self._mark()
        self._looked = time.monotonic()
        if mark == identity(cluster):
            return
        self.live = None
        if mark is not None:
            log.info("the control plane is of cluster %s, not of %s", mark, cluster.name)
            self._wipe(cluster)
        elif cluster.status == "CREATING" and not (self.control_plane.matches(cluster) and self._pristine()):
            self._wipe(cluster)
        elif cluster.status != "CREATING":
            log.warning(
                "the control plane of cluster %s has lost its data: installing it again", cluster.name
            )
        self.install(cluster)
        self._write_mark(cluster)
        log.info("the control plane is prepared for cluster %s", cluster.name)

    def _wipe(self, cluster: Cluster | None) -> None:
        with self.mirror.emptied():
            self.control_plane.wipe(cluster)
        self._missing = 0

    def _pristine(self) -> bool:
        names = {item["metadata"]["name"] for item in self.kube.get("/api/v1/namespaces")["items"]}
        return names <= OWN_NAMESPACES and not any(self.kube.get(where, limit=1)["items"] for where in EMPTY)

    def _mark(self) -> str | None:
        mark = self.kube.find(MARK)
        return None if mark is None else (mark.get("data") or {}).get("cluster", "")

    def _write_mark(self, cluster: Cluster) -> None:
        body: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": MARK.rpartition("/")[2], "namespace": "kube-system"},
            "data": {"cluster": identity(cluster)},
        }
        try:
            self.kube.create(MARK.rpartition("/")[0], body)
        except ApiError as error:
            if error.status != 409:
                raise
            self.kube.merge(MARK, {"data": body["data"]})


def identity(cluster: Cluster) -> str:
    """What distinguishes one cluster from another, an earlier one of the same name too."""
    return f"{cluster.name} {cluster.uid}".strip()
