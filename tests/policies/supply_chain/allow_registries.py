"""Spec of supply_chain.allow_registries."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import GOOD_WORKLOADS, RAY_WORKER, ray_cluster, release
from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec
from tests.policies.workloads import deployment

IMAGE = "spec.template.spec.containers[0].image"


def _runs(image: Any) -> Resource:
    return deployment({"name": "server", "image": image})


SPEC = Spec(
    passes={
        "the platform's own": _runs("111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme/server:1"),
        "the platform's own on Google Cloud": _runs("us-central1-docker.pkg.dev/acme/serving/server:1"),
        "where Kubernetes publishes": _runs("registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.2"),
        "a part of a registry": _runs("nvcr.io/nvidia/k8s-device-plugin:v0.20.0"),
        **GOOD_WORKLOADS,
        "the image of the chart": release({"image": {"tag": "1.2.3"}}),
    },
    fails={
        "a worker of Ray": Fails(
            ray_cluster({"name": "worker", "image": "rayproject/ray:2.50.0"}),
            f"{RAY_WORKER}.containers[0].image",
            "'docker.io/rayproject/ray'",
        ),
        "the values of a release": Fails(
            release({"image": {"registry": "docker.io", "repository": "acme/server", "tag": "1.2.3"}}),
            "values.image.repository",
            "'docker.io/acme/server'",
        ),
        "Docker Hub": Fails(_runs("nginx:1.29"), IMAGE, "'server' comes from 'docker.io/nginx'"),
        "Docker Hub, set explicitly": Fails(
            _runs("docker.io/acme/server:1"), IMAGE, "'docker.io/acme/server'"
        ),
        "another part of a registry": Fails(_runs("nvcr.io/other/server:1"), IMAGE, "nvcr.io/other"),
        "a name that only looks right": Fails(_runs("quay.io.example.com/server:1"), IMAGE),
    },
    unknown={"the image": _runs(UNKNOWN), "the containers": deployment(containers=UNKNOWN)},
    configured={
        "the platform's own alone": Case(
            _runs("quay.io/feastdev/feature-server:0.67.0"), {"registries": ["*.pkg.dev"]}, fails=True
        ),
        "one organisation on Docker Hub": Case(
            _runs("rayproject/ray:2.50.0"), {"registries": ["docker.io/rayproject/*"]}, fails=False
        ),
    },
)
