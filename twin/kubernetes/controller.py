"""The process that does around a real Kubernetes control plane what a managed cloud does.

`python -m twin.kubernetes.controller --instance NAME`: nodes for machines, device plugins, add-ons, the
autoscaler that the program installed, the token webhook, the relay of the API server's connections, the
processes of add-ons' controllers. It asks the cloud through `CloudView`, and the API server by the
administrator's kubeconfig. Either may stop and start again: it waits, logs that once, and goes on.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from twin.instances import Instance, load
from twin.kubernetes import egress
from twin.kubernetes.access_policies import AccessPolicies
from twin.kubernetes.addons import Addons, preinstall
from twin.kubernetes.api import Kube, Unreachable
from twin.kubernetes.autoscaler import Autoscaler, BuiltInAutoscaler
from twin.kubernetes.backends import Backends
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Principal
from twin.kubernetes.cluster_life import ClusterLife, ControlPlane, identity
from twin.kubernetes.controllers.absent import Absent
from twin.kubernetes.controllers.supervisor import Supervisor
from twin.kubernetes.device_plugins import DevicePlugins
from twin.kubernetes.health import NodeGroupHealth
from twin.kubernetes.informer import Mirror
from twin.kubernetes.load_balancers import LoadBalancers
from twin.kubernetes.nodes import Nodes
from twin.kubernetes.pods import by_node
from twin.kubernetes.processes import images
from twin.kubernetes.processes.runtime import Identity, Processes
from twin.kubernetes.provisioner import Provisioner
from twin.kubernetes.resource_slices import ResourceSlices
from twin.kubernetes.time_scale import Clock
from twin.kubernetes.webhook import Webhook

log = logging.getLogger(__name__)

WORKLOAD_IDENTITY: Final = {
    "aws": "twin.aws.services.eks.workload_identity",
    "gcp": "twin.gcp.services.container.workload_identity",
}
TICK: Final = 1.0
"""Seconds between looks at the cloud when nothing changes in the cluster."""
SETTLE: Final = 0.2
"""Seconds that a burst of changes in the cluster is given to end."""


class Controller:
    """All loops over one instance.

    view: the cloud. processes: what wipes the control plane; by default the instance's real one.
    """

    def __init__(
        self,
        instance: Instance,
        view: CloudView,
        *,
        processes: ControlPlane | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.instance = instance
        self.view = view
        self.clock = clock or Clock()
        self.kube = Kube(instance.kubeconfig)
        self.mirror = Mirror(self.kube)
        self.life = ClusterLife(
            view,
            self.kube,
            self.mirror,
            processes or ControlPlane(instance),
            lambda cluster: preinstall(self.kube, instance, cluster),
        )
        self.nodes = Nodes(self.kube, network_built_in=instance.cloud != "aws")
        self.devices = DevicePlugins(self.kube)
        self.slices = ResourceSlices(self.kube)
        self.addons = Addons(view, self.kube, self.mirror, instance, self.clock)
        self.autoscaler = Autoscaler(view, self.kube, self.mirror, self.clock, instance.cloud)
        self.built_in = (
            BuiltInAutoscaler(view, self.kube, self.mirror, self.clock) if instance.cloud == "gcp" else None
        )
        self.health = NodeGroupHealth(view, self.clock)
        self.provisioner = Provisioner(self.kube, self.mirror)
        self.load_balancers = LoadBalancers(self.kube, self.mirror, instance.cloud)
        self.policies = AccessPolicies(self.kube, settle=SETTLE)
        self.webhook = Webhook(instance.ports["webhook"], self.authenticate)
        self.backends = Backends(self.kube, Absent(instance, self.kube).serve, self.mirror)
        self.backends.register_host(*egress.TOKEN_WEBHOOK, self.webhook.serve)
        identity = cache(lambda: workload_identity(instance, view))
        self.processes = Processes(
            instance,
            self.kube,
            self.mirror,
            images.load(instance, self.clock.factor),
            identity,
            self.clock.factor,
            self.backends.resolve,
        )
        self.backends.register_lookup(self.processes.backend)
        self.controllers = Supervisor(instance, self.kube, self.mirror, self.backends, identity)
        self._stopping = False
        self._served = ""
        self._failures: dict[str, str] = {}

    def run(self) -> None:
        """Until `stop`."""
        relay = egress.Relay(self.instance.folder / egress.SOCKET, self.backends.resolve)
        relay.start()
        self.webhook.start()
        self.mirror.start()
        self.controllers.start()
        log.info(
            "twin %s (%s): the clock runs %gx", self.instance.name, self.instance.cloud, self.clock.factor
        )
        while not self._stopping:
            began = time.monotonic()
            self.tick()
            self.mirror.wait(TICK)
            # Changes are taken together, and a slow cloud is not asked without a pause.
            time.sleep(max(SETTLE, min(TICK, time.monotonic() - began) * 0.5))
        self.processes.stop()
        self.controllers.stop()
        self.webhook.stop()
        relay.stop()
        self.mirror.stop()
        log.info("stopped")

    def stop(self) -> None:
        """Ask `run` to return, within about a second. Safe in a signal handler: it takes no lock."""
        self._stopping = True
        self.processes.halt()  # what is stopped together with this process has not failed

    def tick(self) -> None:
        """Everything once. What fails is logged and tried again; the others go on."""
        if not self._guard("cluster", self.life.step):
            return
        cluster = self.life.live
        served = identity(cluster) if cluster else ""
        if served != self._served:
            self.addons.forget()
            self.slices.forget()
            self.policies.forget()
            if self.built_in:
                self.built_in.forget()
            self._served = served
        self._guard("processes", lambda: self.processes.step(live=cluster is not None))
        if cluster is None or not self.mirror.synced:
            return
        self._guard("add-ons", lambda: self.addons.step(self.view.addons(), cluster))
        self._guard("access policies", lambda: self.policies.step(self._namespaces()))
        self._guard("nodes", self._machines)
        self._guard("volumes", self.provisioner.step)
        self._guard("load balancers", self.load_balancers.step)

    def _machines(self) -> None:
        machines = self.view.machines()
        groups = self.view.groups()
        nodes = {node["metadata"]["name"]: node for node in self.mirror.all("nodes")}
        pods = by_node(self.mirror.all("pods"))
        self._guard("node objects", lambda: self.nodes.step(machines, nodes, pods))
        self._guard("device plugins", lambda: self.devices.step(machines, nodes, pods))
        self._guard("resource slices", lambda: self.slices.step(machines, nodes, pods))
        self._guard("node group health", lambda: self.health.step(groups, machines, nodes))
        self._guard("autoscaler", lambda: self.autoscaler.step(groups, machines, nodes))
        built_in = self.built_in
        if built_in:
            self._guard("built-in autoscaler", lambda: built_in.step(groups, machines, nodes))

    def authenticate(self, token: str) -> Principal | None:
        """The principal of a token; None while there is no cluster."""
        if self.life.live is None or not token:
            return None
        principal = self.view.authenticate(token)
        return None if principal is None else self.policies.admit(principal, self._namespaces())

    def _namespaces(self) -> list[str]:
        return [
            item["metadata"]["name"]
            for item in self.mirror.all("namespaces")
            if "deletionTimestamp" not in item["metadata"]
        ]

    def _guard(self, name: str, step: Callable[[], Any]) -> bool:
        """Run a step; False when it failed. The same failure is logged once until it is over."""
        try:
            step()
        except Exception as error:  # one loop's failure must not end the others
            failure = f"{type(error).__name__}: {error}"
            if self._failures.get(name) != failure:
                self._failures[name] = failure
                known = isinstance(error, Unreachable | OSError)
                log.warning("%s: %s (trying again)", name, failure, exc_info=None if known else error)
            return False
        if self._failures.pop(name, None):
            log.info("%s: works again", name)
        return True


def connect(instance: Instance) -> CloudView:
    """The instance's cloud, by its module twin.<cloud>.cloud_client."""
    return importlib.import_module(f"twin.{instance.cloud}.cloud_client").connect(instance)


def workload_identity(instance: Instance, view: CloudView) -> Identity:
    """The cloud's part of a node that runs Pods, by a module of its Kubernetes service."""
    return importlib.import_module(WORKLOAD_IDENTITY[instance.cloud]).connect(instance, view)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="twin.kubernetes.controller", description=__doc__)
    parser.add_argument("--instance", required=True, help="the twin's name")
    name = parser.parse_args(arguments).instance
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("urllib3", "botocore", "boto3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    instance = load(name)
    if instance is None:
        log.error("there is no twin named %r; `aiplatform twin start --name %s` makes it", name, name)
        return 2
    controller = Controller(instance, connect(instance))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: controller.stop())
    controller.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
