"""Spec of reliability.probe_containers."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec
from tests.policies.workloads import agent, container, cron_job, deployment

PORTS = [{"containerPort": 8080}]
PROBE = {"httpGet": {"path": "/health", "port": 8080}}
WHERE = "spec.template.spec.containers"

SPEC = Spec(
    passes={
        "a server that is asked": deployment(container(ports=PORTS, readinessProbe=PROBE)),
        "a server that is asked by what is not known": deployment(
            container(ports=PORTS, readinessProbe={"httpGet": {"path": "/", "port": UNKNOWN}})
        ),
        "a worker without ports": deployment(),
        "a job": cron_job(container(ports=PORTS)),
        "an agent": agent(container(ports=PORTS)),
    },
    fails={
        "nobody asks": Fails(
            deployment(container(ports=PORTS)), f"{WHERE}[0].readinessProbe", "nobody asks 'server'"
        ),
        "whether it lives, alone": Fails(
            deployment(container(ports=PORTS, livenessProbe=PROBE), kind="StatefulSet"),
            f"{WHERE}[0].readinessProbe",
        ),
        "one of two": Fails(
            deployment(container(ports=PORTS, readinessProbe=PROBE), container("metrics", ports=PORTS)),
            f"{WHERE}[1].readinessProbe",
            "'metrics'",
        ),
    },
    unknown={
        "the ports": deployment(container(ports=UNKNOWN)),
        "the probe": deployment(container(ports=PORTS, readinessProbe=UNKNOWN)),
    },
)
