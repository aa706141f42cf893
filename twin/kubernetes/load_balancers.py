"""Gives Services of type LoadBalancer an address, as the cloud's controllers do, and lets them end.
There is no load balancer in the cloud's API behind it."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from twin.kubernetes.api import Kube, Object, passing_over, path
from twin.kubernetes.informer import Mirror

AWS_CLASS: Final = "service.k8s.aws/nlb"
"""The class of the AWS Load Balancer Controller."""
FINALIZERS: Final = {"aws": "service.k8s.aws/resources", "gcp": "service.kubernetes.io/load-balancer-cleanup"}
"""What keeps a Service until its load balancer is deleted."""
_CONTROLLER: Final = "aws-load-balancer-controller"


class LoadBalancers:
    """The controller of a cluster's load balancers. mirror: with Services and Deployments."""

    def __init__(self, kube: Kube, mirror: Mirror, cloud: str) -> None:
        self._kube = kube
        self._mirror = mirror
        self._cloud = cloud

    def step(self) -> None:
        """Give new Services an address, and let those that are in deletion end. Raises ApiError and
        Unreachable."""
        for service in self._mirror.all("services"):
            if service["spec"].get("type") == "LoadBalancer" and self._is_ours(service):
                with passing_over(404, 409):
                    self._step(service)

    def _is_ours(self, service: Object) -> bool:
        """Whether there is a controller for it. One of a class is left alone by all others."""
        stated = service["spec"].get("loadBalancerClass")
        if self._cloud != "aws":
            return stated is None or stated.startswith("networking.gke.io/")
        if stated is None:
            return True
        return stated == AWS_CLASS and any(
            deployment["metadata"]["name"] == _CONTROLLER
            and (deployment.get("status") or {}).get("readyReplicas", 0) > 0
            for deployment in self._mirror.all("deployments")
        )

    def _step(self, service: Object) -> None:
        metadata = service["metadata"]
        where = path("v1", "services", metadata["namespace"], metadata["name"])
        finalizers: list[str] = metadata.get("finalizers") or []
        finalizer = FINALIZERS[self._cloud]
        if "deletionTimestamp" in metadata:
            if finalizer in finalizers:
                others = [entry for entry in finalizers if entry != finalizer]
                self._kube.merge(where, {"metadata": {"finalizers": others}})
            return
        if finalizer not in finalizers:
            self._kube.merge(where, {"metadata": {"finalizers": [*finalizers, finalizer]}})
        known = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress")
        if not known:
            self._kube.merge(
                f"{where}/status", {"status": {"loadBalancer": {"ingress": [self._address(service)]}}}
            )

    def _address(self, service: Object) -> dict[str, Any]:
        """Return an address: a name on AWS, an IP address of a documentation range on Google Cloud."""
        digest = hashlib.sha256(service["metadata"]["uid"].encode()).hexdigest()
        if self._cloud == "aws":
            return {"hostname": f"k8s-{digest[:24]}.elb.twin.invalid"}
        return {"ip": f"192.0.2.{int(digest[:2], 16) % 254 + 1}"}
