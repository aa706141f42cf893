"""A controller's configuration in a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from aiplatform.addons.values.kueue import configuration
from aiplatform.addons.values.setup import Setup
from twin.kubernetes import kwok
from twin.kubernetes.controllers.configuration import adapted, listening
from twin.kubernetes.controllers.programs import PROGRAMS, Program
from twin.kubernetes.processes.programs import PROGRAMS as IN_PODS
from twin.kubernetes.processes.rewriting import Rewriter
from twin.toolchain.build import CONTROLLERS, SELECTABLE, program_of

PLACES = {"/tmp/k8s-webhook-server/serving-certs": Path("/here/certificate")}  # noqa: S108
REWRITE = Rewriter(PLACES, "127.0.0.1", "kueue-system", ())
FOLDER = Path("/here")


def adapt(name: str, text: str) -> tuple[dict[str, object], dict[int, int]]:
    """The adapted configuration, and the ports: that of the container plus 10000."""
    ports: dict[int, int] = {}

    def port(number: int) -> int:
        return ports.setdefault(number, number + 10_000)

    return adapted(PROGRAMS[name], text, REWRITE, FOLDER, port), ports


def test_only_addresses_certificates_and_the_election_differ_from_the_charts_configuration() -> None:
    original = configuration(Setup())
    document, ports = adapt("kueue", json.dumps(original))
    assert ports == {8081: 18081, 8443: 18443, 9443: 19443, 8082: 18082}
    assert document["health"] == {**original["health"], "healthProbeBindAddress": "127.0.0.1:18081"}
    assert document["metrics"] == {**original["metrics"], "bindAddress": "127.0.0.1:18443"}
    assert document["webhook"] == {"port": 19443, "host": "127.0.0.1", "certDir": "/here/certificate"}
    assert document["leaderElection"] == {**original["leaderElection"], "leaderElect": False}
    assert document["visibilityServer"] == {"bindAddress": "127.0.0.1", "bindPort": 18082}
    others = set(original) - {"health", "metrics", "webhook", "leaderElection"}
    assert {key: document[key] for key in others} == {key: original[key] for key in others}


def test_ports_are_those_of_the_configuration_and_not_the_defaults() -> None:
    text = "webhook: {port: 9999}\nhealth: {healthProbeBindAddress: '0.0.0.0:7777'}\n"
    document, ports = adapt("kueue", text)
    assert {9999, 7777} < set(ports)
    assert document["webhook"] == {"port": 19999, "host": "127.0.0.1", "certDir": "/here/certificate"}
    assert document["health"] == {"healthProbeBindAddress": "127.0.0.1:17777"}


def test_certificate_that_has_no_setting_comes_from_the_twin() -> None:
    document, _ = adapt("jobset", "internalCertManagement: {enable: true, webhookServiceName: hooks}\n")
    assert document["internalCertManagement"] == {"enable": False, "webhookServiceName": "hooks"}
    assert document["webhook"] == {"port": 19443, "host": "127.0.0.1", "certDir": "/here/certificate"}


def test_arguments_with_ports_get_ports_of_loopback() -> None:
    ports: dict[int, int] = {}

    def port(number: int) -> int:
        return ports.setdefault(number, number + 10_000)

    operator, state = PROGRAMS["prometheus-operator"], PROGRAMS["kube-state-metrics"]
    words = listening(operator, ["--web.listen-address=:10250", "--web.enable-tls=true"], port)
    assert words == ["--web.listen-address=127.0.0.1:20250", "--web.enable-tls=true"]
    words = listening(state, ["--port=8080", "--resources=pods"], port)
    assert words == ["--port=18080", "--resources=pods", "--telemetry-port=18081"], (
        "defaults are replaced, too"
    )
    assert set(ports) == {10250, 8080, 8081}


def test_every_controller_that_is_built_can_be_run() -> None:
    in_pods = {program.name for program in IN_PODS}
    assert set(PROGRAMS) == set(map(program_of, CONTROLLERS)) - in_pods
    assert set(SELECTABLE) <= {*CONTROLLERS, *in_pods}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_kwok_leaves_the_readiness_of_its_pods_to_the_process(program: Program) -> None:
    stages = list(yaml.safe_load_all(kwok.STAGES.read_text()))
    start = next(stage for stage in stages if stage.get("metadata", {}).get("name") == "pod-start")
    assert program.image in start["spec"]["steps"][1]["patch"]["template"]


@pytest.mark.parametrize(
    ("image", "is_its"),
    [
        ("registry.k8s.io/kueue/kueue:v0.19.2@sha256:" + "0" * 64, True),
        ("mirror.example:5000/k8s/kueue/kueue:v0.19.2", True),
        ("kueue/kueue", True),
        ("registry.k8s.io/kueue/kueueviz-backend:v0.19.2", False),
        ("example.com/notkueue/kueue:v1", False),
    ],
)
def test_program_is_known_by_the_end_of_its_images_repository(image: str, is_its: bool) -> None:
    pod = {"spec": {"containers": [{"name": "other", "image": "a:1"}, {"name": "manager", "image": image}]}}
    container = PROGRAMS["kueue"].container(pod)
    assert (container is not None) == is_its
