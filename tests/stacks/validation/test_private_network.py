"""Environments whose network has no route to the internet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks.loading import SettingsError, load_file
from tests.components.recording import Recording
from tests.stacks.environments import build
from tests.stacks.files import changed

OWN = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
ENDPOINTS = [
    "athena", "autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "glue", "kms", "lakeformation",
    "sts",
]  # fmt: skip
MIRRORS = {"registry.k8s.io": f"{OWN}/k8s", "nvcr.io": f"{OWN}/nvidia"}


def _isolated(folder: Path, *, endpoints: list[str], mirrors: dict[str, str], **more: Any) -> Path:
    return changed(
        folder,
        {
            "config/ai-platform:network/nat": "none",
            "config/ai-platform:network/aws/endpoints": endpoints,
            "config/ai-platform:images/mirrors": mirrors,
            **more,
        },
    )


def test_every_missing_endpoint_is_reported_with_its_client(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=["ec2", "ecr.api", "sts"], mirrors=MIRRORS))
    (problem,) = refused.value.problems
    assert "network.aws.endpoints" in problem
    assert "autoscaling (the autoscaler), ecr.dkr (nodes), eks (the autoscaler), eks-auth (nodes)" in problem
    assert "lakehouse" not in problem, "there is none in this file"


def test_lakehouse_needs_the_endpoints_of_its_clients(tmp_path: Path) -> None:
    lakehouse = {"config/ai-platform:lakehouse": {"writers": ["arn:aws:iam::111122223333:role/pipeline"]}}
    some = [name for name in ENDPOINTS if name not in ("glue", "lakeformation")]
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=some, mirrors=MIRRORS, **lakehouse))
    (problem,) = refused.value.problems
    assert problem.endswith("glue (clients of the lakehouse), lakeformation (clients of the lakehouse)")
    assert load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors=MIRRORS, **lakehouse)).lakehouse


def test_addons_need_the_endpoints_and_the_images_of_their_controllers(tmp_path: Path) -> None:
    addons = {"config/ai-platform:addons": {}}
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors=MIRRORS, **addons))
    missing, *unreachable = refused.value.problems
    assert missing.endswith(
        "elasticloadbalancing (the add-on aws-load-balancer-controller), "
        "secretsmanager (the add-on external-secrets)"
    )
    registries = ("public.ecr.aws", "quay.io", "ghcr.io")
    assert [
        name for name in registries if any(f"cannot reach {name} for" in line for line in unreachable)
    ] == [*registries]


def test_logs_and_traces_need_the_endpoints_of_their_stores(tmp_path: Path) -> None:
    topics = {
        "config/ai-platform:addons": {},
        "config/ai-platform:observability": {"logs": {}, "traces": {}},
    }
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors=MIRRORS, **topics))
    missing = refused.value.problems[0]
    assert "logs (the logs)" in missing
    assert "xray (the traces)" in missing


def test_a_receiver_on_the_internet_gets_no_alerts_and_is_refused(tmp_path: Path) -> None:
    mail = {
        "to": ["a@acme.example"],
        "sender": "b@acme.example",
        "host": "smtp.acme.example",
        "username": "u",
        "secret": "acme/mail",
    }
    topics = {
        "config/ai-platform:addons": {},
        "config/ai-platform:observability": {
            "notifications": {
                "receivers": [
                    {"name": "mail", "email": mail},
                    {"name": "ml", "slack": {"channel": "#ml", "secret": "acme/slack"}},
                    {"name": "pager", "pagerduty": {"secret": "acme/pagerduty"}},
                    {"name": "hook", "webhook": {"secret": "acme/hook"}},
                ],
                "default": "mail",
                "routes": [{"receiver": name} for name in ("ml", "pager", "hook")],
            },
            "long_term_storage": {"data_source": True},
        },
    }
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors=MIRRORS, **topics))
    problems = [problem for problem in refused.value.problems if ": observability." in problem]
    assert [problem.partition(": observability.")[2].partition(": ")[0] for problem in problems] == [
        "notifications.receivers[1].slack",
        "notifications.receivers[2].pagerduty",
        "long_term_storage.data_source",
    ], "mail and webhooks may have a server in the network"


def test_every_unreachable_registry_is_reported_with_a_mirror_that_would_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors={}))
    kubernetes, nvidia = refused.value.problems
    assert f"a pull-through cache of it in ECR, {{registry.k8s.io: {OWN}/registry}}" in kubernetes
    assert "ECR has no pull-through cache of nvcr.io" in nvidia, "its images have to be copied"
    assert all(": images.mirrors: " in problem for problem in refused.value.problems)


def test_image_that_no_pool_needs_is_not_required(tmp_path: Path) -> None:
    file = _isolated(
        tmp_path,
        endpoints=ENDPOINTS,
        mirrors={"registry.k8s.io": f"{OWN}/k8s"},
        **{"config/ai-platform:gpu_pools/t4/image": "bottlerocket"},
    )
    assert load_file(file).network.nat == "none", "Bottlerocket's image brings the plugin"


def test_network_with_nat_needs_no_mirrors(tmp_path: Path) -> None:
    assert load_file(changed(tmp_path)).images.mirrors == {}


def test_mirror_that_is_no_registry_is_refused(tmp_path: Path) -> None:
    change = {"config/ai-platform:images/mirrors": {"nvcr.io": f"https://{OWN}"}}
    with pytest.raises(SettingsError, match=r": images\.mirrors: .*without scheme and tag"):
        load_file(changed(tmp_path, change))


def test_what_is_installed_comes_from_the_mirrors(tmp_path: Path) -> None:
    built = build(load_file(_isolated(tmp_path, endpoints=ENDPOINTS, mirrors=MIRRORS)))
    images = _images(built.recording)
    assert f"{OWN}/k8s/autoscaling/cluster-autoscaler" in images
    assert f"{OWN}/nvidia/nvidia/k8s-device-plugin" in images
    assert all(image.startswith(OWN) for image in images), "nothing else can be reached"


def _images(recording: Recording) -> set[str]:
    images: set[str] = set()
    for kind in ("Deployment", "DaemonSet"):
        for resource in recording.all(f"kubernetes:apps/v1:{kind}"):
            pod = resource.inputs["spec"]["template"]["spec"]
            containers = [*pod["containers"], *pod.get("initContainers", [])]
            images |= {container["image"].partition("@")[0].rpartition(":")[0] for container in containers}
    return images
