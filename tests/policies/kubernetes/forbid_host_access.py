"""Spec of kubernetes.forbid_host_access."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, deployment, lone_pod

POD = "spec.template.spec"
SOCKET = {"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}}

SPEC = Spec(
    passes={
        "a pod with defaults": deployment(),
        "a pod that disables it": deployment(hostNetwork=False, hostPID=False),
        "a volume declared explicitly": deployment(volumes=[{"name": "scratch", "emptyDir": {}}]),
        "a port declared explicitly": deployment(container(ports=[{"containerPort": 8080}])),
        "a node agent": agent(hostNetwork=True, volumes=[SOCKET]),
    },
    fails={
        "the node's network": Fails(lone_pod(hostNetwork=True), "spec.hostNetwork", "network"),
        "the node's processes": Fails(deployment(hostPID=True), f"{POD}.hostPID", "processes"),
        "the node's shared memory": Fails(deployment(hostIPC=True), f"{POD}.hostIPC"),
        "a path of the node": Fails(
            deployment(volumes=[{"name": "scratch", "emptyDir": {}}, SOCKET]),
            f"{POD}.volumes[1].hostPath",
            "'/var/run/docker.sock'",
        ),
        "a port of the node": Fails(
            deployment(container(ports=[{"containerPort": 8080, "hostPort": 80}])),
            f"{POD}.containers[0].ports[0].hostPort",
            "port 80",
        ),
        "a DaemonSet of a team": Fails(
            agent(hostNetwork=True, namespace="serving"), f"{POD}.hostNetwork", "network"
        ),
    },
    unknown={
        "whether it is in the node's network": deployment(hostNetwork=UNKNOWN),
        "the volumes": deployment(volumes=UNKNOWN),
        "a volume": deployment(volumes=[UNKNOWN]),
        "a port": deployment(container(ports=[{"containerPort": 8080, "hostPort": UNKNOWN}])),
        "the pod": lone_pod(containers=UNKNOWN),
    },
    configured={
        "a namespace of agents": Case(
            agent(hostPID=True, namespace="monitoring"), {"agent_namespaces": ["monitoring"]}, fails=False
        ),
    },
)
