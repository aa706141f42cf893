"""Nothing grows unless an autoscaler is installed, runs, and may."""

from __future__ import annotations

from typing import Any

import pytest

from twin.kubernetes.autoscaler.install import Installation, Installed, NotWorking
from twin.tests.kubernetes.builders import deployment, pod
from twin.tests.kubernetes.fakes import ROLE, FakeKube, FakeMirror, FakeView


class Trial:
    """An installation that works, for a test to break."""

    def __init__(self) -> None:
        self.args = ["--cloud-provider=aws", "--expander=priority"]
        self.pods = [self.pod()]
        self.view = FakeView(roles={("kube-system", "autoscaler"): ROLE})
        self.kube = FakeKube()
        self.image = "registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0"

    def pod(self, **changes: Any) -> Any:
        kind = {"node": "node-1", "phase": "Running", "namespace": "kube-system", **changes}
        labels = {"app": "cluster-autoscaler"}
        return pod("ca", labels=labels, serviceAccountName="autoscaler", **kind)

    def find(self) -> Installed | None:
        mirror = FakeMirror(deployments=[deployment(args=self.args, image=self.image)], pods=self.pods)
        return Installation(self.view, self.kube, mirror, "aws").find()  # pyright: ignore[reportArgumentType]

    def fails(self) -> str:
        with pytest.raises(NotWorking) as caught:
            self.find()
        return str(caught.value)


def test_one_with_pod_role_and_rights_is_found() -> None:
    scaler = Trial().find()
    assert scaler is not None
    assert (scaler.namespace, scaler.service_account, scaler.role) == (
        "kube-system",
        "autoscaler",
        ROLE,
    )


def test_another_image_is_no_autoscaler() -> None:
    trial = Trial()
    trial.image = "registry.k8s.io/autoscaling/cluster-proportional-autoscaler:v1"
    assert trial.find() is None


def test_without_a_ready_pod_there_is_none() -> None:
    trial = Trial()
    trial.pods = []
    assert trial.find() is None
    trial.pods = [trial.pod(phase="Pending")]
    assert trial.find() is None


def test_without_a_role_it_has_no_credentials() -> None:
    trial = Trial()
    trial.view.roles = {}
    assert "kube-system/autoscaler has no role in the cloud" in trial.fails()


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("list", "nodes"), ("watch", "csinodes"), ("update", "leases"), ("list", "configmaps")],
)
def test_a_right_that_is_missing_is_named(verb: str, resource: str) -> None:
    trial = Trial()
    trial.kube.forbidden = {(verb, resource)}
    assert f"system:serviceaccount:kube-system:autoscaler may not {verb} {resource}" in trial.fails()


def test_rights_are_not_asked_for_in_every_loop() -> None:
    trial = Trial()
    mirror = FakeMirror(deployments=[deployment(args=trial.args)], pods=trial.pods)
    installation = Installation(trial.view, trial.kube, mirror, "aws")  # pyright: ignore[reportArgumentType]
    installation.find()
    before = len(trial.kube.requests)
    installation.find()
    assert len(trial.kube.requests) == before


def test_a_flag_or_provider_that_ends_it_is_said() -> None:
    trial = Trial()
    trial.args = ["--cloud-provider=aws", "--expander=cheapest"]
    assert "--expander=cheapest" in trial.fails()
    trial.args = []
    assert "--cloud-provider=aws is right" in trial.fails()
