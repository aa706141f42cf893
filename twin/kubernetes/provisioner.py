"""Creates and deletes PersistentVolumes, as the CSI drivers of disks do. Their disks are not in the cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.kubernetes.api import ApiError, Kube, Object
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import node_of
from twin.kubernetes.time_scale import Interval

LOOK: Final = 5.0
"""Seconds between looks at volumes that exist."""
PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
"""The annotation of a claim that waits for its class's driver; of a class that binds late, once its Pod has a
node."""
SELECTED: Final = "volume.kubernetes.io/selected-node"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
_VOLUMES: Final = "/api/v1/persistentvolumes"
_CLAIMS: Final = "/api/v1/persistentvolumeclaims"
_CLASSES: Final = "/apis/storage.k8s.io/v1/storageclasses"
_ZONE: Final = "topology.kubernetes.io/zone"


class Provisioner:
    """All drivers of a cluster. mirror: with nodes and Pods."""

    def __init__(self, kube: Kube, mirror: Mirror) -> None:
        self._kube = kube
        self._mirror = mirror
        self._some = True
        self._look = Interval(LOOK)

    def step(self) -> None:
        """Create the volumes that Pods wait for, and delete those whose claim was deleted. Raises ApiError
        and Unreachable."""
        if any(True for _ in self._waiting()):
            for claim in self._kube.get(_CLAIMS)["items"]:
                self._provide(claim)
        if self._some and self._look.due():
            volumes = [item for item in self._kube.get(_VOLUMES)["items"] if _is_ours(item)]
            self._some = bool(volumes)
            for volume in volumes:
                if _is_released(volume):
                    self._kube.delete(f"{_VOLUMES}/{volume['metadata']['name']}")

    def _waiting(self) -> Iterator[Object]:
        """Yield the Pods without a node that have a claim."""
        for pod in self._mirror.all("pods"):
            volumes: list[Object] = pod["spec"].get("volumes") or []
            claims = any("persistentVolumeClaim" in volume or "ephemeral" in volume for volume in volumes)
            if claims and not node_of(pod):
                yield pod

    def _provide(self, claim: Object) -> None:
        metadata, spec = claim["metadata"], claim["spec"]
        annotations: Mapping[str, str] = metadata.get("annotations") or {}
        driver = annotations.get(PROVISIONER)
        if not driver or spec.get("volumeName") or "deletionTimestamp" in metadata:
            return
        kind = self._kube.find(f"{_CLASSES}/{spec['storageClassName']}")
        if kind is None:
            return
        name = f"pvc-{metadata['uid']}"
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {PROVISIONED_BY: driver}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
                "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
                "storageClassName": spec["storageClassName"],
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": metadata["namespace"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
                "csi": {"driver": driver, "volumeHandle": name},
                **self._affinity(annotations.get(SELECTED, "")),
            },
        }
        with contextlib.suppress(ApiError):  # it exists: its binding takes a moment
            self._kube.create(_VOLUMES, body)
        self._some = True

    def _affinity(self, node: str) -> dict[str, Any]:
        """Return that only nodes in the zone of a node reach it: a disk is in one zone."""
        machine = self._mirror.one("nodes", node) if node else None
        zone = ((machine or {}).get("metadata", {}).get("labels") or {}).get(_ZONE)
        if not zone:
            return {}
        terms = [{"matchExpressions": [{"key": _ZONE, "operator": "In", "values": [zone]}]}]
        return {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}


def _is_ours(volume: Object) -> bool:
    return PROVISIONED_BY in (volume["metadata"].get("annotations") or {})


def _is_released(volume: Object) -> bool:
    released = (volume.get("status") or {}).get("phase") in ("Released", "Failed")
    return released and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
