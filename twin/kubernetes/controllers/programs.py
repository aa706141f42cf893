"""Which controllers the twin can run, and what of their settings a process of this machine has instead.

A further controller is an entry here, a line in twin/toolchain/versions.toml and an entry of CONTROLLERS in
twin/toolchain/build_specs.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.pods import repository

LOOPBACK: Final = "127.0.0.1"
FOLDER: Final = "$FOLDER"
"""In values of the table: the folder of the process."""
NAMESPACE: Final = "$NAMESPACE"
"""In variables of the table: the namespace of the Pod."""


@dataclass(frozen=True)
class Program:
    """A controller. Keys of its configuration are written with dots.

    image: the end of its image's repository; in front of it is a registry or a mirror.
    configuration: the argument that names its configuration file (YAML).
    listens: keys of the configuration with a port (`9443`) or an address (`:8081`), and their defaults. The
      process gets a free port of loopback for each.
    settings: keys with a value that differs in a process. `$FOLDER` is its folder.
    mounted: keys with a path in the container that its configuration does not have to name, and that path.
    arguments: further ones, after those of the container.
    certificate: the folder, in that of the process, into which the twin issues its webhook's certificate: for
      a controller that writes it to a path of the container that has no setting. Empty: it does not.
    environment: variables with a value that differs in a process. `$NAMESPACE` is the namespace of its Pod.
    port_variables: variables with a port on which it listens. The process gets a free port for each.
    cloud: whether it calls the cloud, with the workload identity of its ServiceAccount.
    port_arguments: arguments with a port (`8080`) or an address (`:10250`) on which it listens, and their
      defaults. The process gets a free port of loopback for each.
    module: a module of the twin that runs in its place, with the path of the program and `arguments`.
    certificates: whether it reads Secrets of cert-manager's Certificates, which the twin issues.
    issued: where the container has the certificate of its webhook, which cert-manager issues into a Secret:
      the twin does where there is none.
    instead: version of an image -> the version that is built in its place, where the module proxy serves no
      other.
    peers: arguments with the address of a Service whose Pods are another program, and that program. The
      process gets the address of that process.
    authority: the argument for the name of that Service, by which its certificate is valid.
    """

    name: str
    image: str
    configuration: str = ""
    listens: Mapping[str, int | str] = field(default_factory=dict[str, int | str])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mounted: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    certificate: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    port_variables: tuple[str, ...] = ()
    cloud: bool = False
    port_arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    module: str = ""
    certificates: bool = False
    issued: str = ""
    instead: Mapping[str, str] = field(default_factory=dict[str, str])
    peers: Mapping[str, str] = field(default_factory=dict[str, str])
    authority: str = ""

    def container(self, pod: Object) -> Object | None:
        """Return the container of a Pod that is this program."""
        for container in pod["spec"]["containers"]:
            name = repository(container.get("image") or "")
            if name == self.image or name.endswith(f"/{self.image}"):
                return container
        return None


_ALL: Final = (
    Program(
        name="kueue",
        image="kueue/kueue",
        configuration="--config",
        listens={
            "health.healthProbeBindAddress": ":8081",
            "metrics.bindAddress": ":8443",
            "webhook.port": 9443,
            "visibilityServer.bindPort": 8082,
        },
        settings={
            "webhook.host": "127.0.0.1",
            "visibilityServer.bindAddress": "127.0.0.1",
            # There is one process, whatever the number of Pods: becoming the leader would take it seconds.
            "leaderElection.leaderElect": False,
        },
        mounted={"webhook.certDir": "/tmp/k8s-webhook-server/serving-certs"},  # noqa: S108 - the container's
        # Its second server reads this flag and no KUBECONFIG.
        arguments=(f"--kubeconfig={FOLDER}/kubeconfig",),
    ),
    Program(
        name="jobset",
        image="jobset/jobset",
        configuration="--config",
        listens={
            "health.healthProbeBindAddress": ":8081",
            "metrics.bindAddress": ":8443",
            "webhook.port": 9443,
        },
        settings={
            "webhook.host": "127.0.0.1",
            "leaderElection.leaderElect": False,
            "internalCertManagement.enable": False,
            "webhook.certDir": f"{FOLDER}/certificate",
            "metrics.certDir": f"{FOLDER}/certificate",
        },
        certificate="certificate",
    ),
    Program(
        name="karpenter",
        image="karpenter/controller",
        # It has no setting for the address: these ports are open on all interfaces.
        port_variables=("METRICS_PORT", "HEALTH_PROBE_PORT"),
        environment={"DISABLE_LEADER_ELECTION": "true"},
        cloud=True,
    ),
    Program(
        name="prometheus-operator",
        image="prometheus-operator/prometheus-operator",
        port_arguments={"--web.listen-address": ":8080"},
        # The reloaders reach the programs of their Pods by this name.
        arguments=(f"--localhost={LOOPBACK}",),
        issued="/cert",
    ),
    Program(
        name="kube-state-metrics",
        image="kube-state-metrics/kube-state-metrics",
        port_arguments={"--port": "8080", "--telemetry-port": "8081"},
        arguments=(
            f"--kubeconfig={FOLDER}/kubeconfig",
            f"--host={LOOPBACK}",
            f"--telemetry-host={LOOPBACK}",
        ),
    ),
    Program(
        name="trainer",
        image="trainer/trainer-controller-manager",
        configuration="--config",
        listens={
            "health.healthProbeBindAddress": ":8081",
            "metrics.bindAddress": ":8443",
            "webhook.port": 9443,
            "statusServer.port": 10443,
        },
        settings={
            "webhook.host": "127.0.0.1",
            "leaderElection.leaderElect": False,
            "certManagement.enable": False,
        },
        # Where controller-runtime reads it by default: in the folder of temporary files, TMPDIR.
        certificate="tmp/k8s-webhook-server/serving-certs",
    ),
    Program(
        name="kserve",
        image="kserve/kserve-controller",
        # Its webhook listens on all interfaces: only the port is a setting.
        port_arguments={
            "--metrics-addr": "127.0.0.1:8080",
            "--health-probe-addr": ":8081",
            "--webhook-port": "9443",
        },
        arguments=("--leader-elect=false",),
        # In the container it is a Secret; controller-runtime reads it in the folder of temporary files.
        issued="/tmp/k8s-webhook-server/serving-certs",  # noqa: S108 - the container's
        certificate="tmp/k8s-webhook-server/serving-certs",
    ),
    Program(
        name="envoy-gateway",
        image="envoyproxy/gateway",
        module="twin.kubernetes.envoy_gateway",
        port_arguments={"--health-address": ":8081"},
        arguments=(f"--folder={FOLDER}/envoys",),
        certificates=True,
    ),
    Program(
        name="argo",
        image="argoproj/workflow-controller",
        # As it is built here (twin/toolchain/argo_changes.py). With a value they are ports of the container.
        environment={"METRICS_PORT": "9090", "HEALTH_PORT": "6060", "LEADER_ELECTION_DISABLE": "true"},
        port_variables=("METRICS_PORT", "HEALTH_PORT"),
        instead={"4.0.6": "4.0.5"},
    ),
    Program(
        name="keda",
        image="kedacore/keda",
        port_arguments={
            "--metrics-bind-address": ":8080",
            "--health-probe-bind-address": ":8081",
            "--metrics-service-bind-address": ":9666",
        },
        arguments=("--leader-elect=false",),
        # Without it KEDA reads the namespace of its Pod from a path of the container that has no setting.
        environment={"KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE},
        # Its triggers read queues.
        cloud=True,
    ),
    Program(
        name="keda-adapter",
        image="kedacore/keda-metrics-apiserver",
        port_arguments={"--secure-port": "6443", "--port": "8080"},
        arguments=(
            f"--bind-address={LOOPBACK}",
            # Without these it expects to be in a Pod.
            *(
                f"--{use}-kubeconfig={FOLDER}/kubeconfig"
                for use in ("lister", "authentication", "authorization")
            ),
        ),
        peers={"--metrics-service-address": "keda"},
        authority="--metrics-service-grpc-authority",
    ),
)
PROGRAMS: Final[Mapping[str, Program]] = {program.name: program for program in _ALL}
