"""Spec of reliability.probe_containers."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec
from tests.policies.workloads import agent, container, cron_job, deployment

PORTS = [{"containerPort": 8080}]
PROBE = {"httpGet": {"path": "/health", "port": 8080}}
WHERE = "spec.template.spec.containers"

SPEC = Spec(
    passes={
        "a server with a probe": deployment(container(ports=PORTS, readinessProbe=PROBE)),
        "a server with a probe by what is not known": deployment(
            container(ports=PORTS, readinessProbe={"httpGet": {"path": "/", "port": UNKNOWN}})
        ),
        "a worker without ports": deployment(),
        "a job": cron_job(container(ports=PORTS)),
        "an agent": agent(container(ports=PORTS)),
    },
    fails={
        "no probe": Fails(
            deployment(container(ports=PORTS)),
            f"{WHERE}[0].readinessProbe",
            "'server' has ports and no readiness probe",
        ),
        "only a liveness probe": Fails(
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
