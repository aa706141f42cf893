"""Spec of supply_chain.pin_images."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    RAY_WORKER,
    inference_service,
    ray_cluster,
    release,
    train_job,
)
from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec
from tests.policies.workloads import cron_job, deployment

IMAGE = "spec.template.spec.containers[0].image"
DIGEST = f"sha256:{'0' * 64}"


def _runs(image: Any) -> Resource:
    return deployment({"name": "server", "image": image})


SPEC = Spec(
    passes={
        "a digest": _runs(f"ghcr.io/mlflow/mlflow@{DIGEST}"),
        "a digest next to a tag that moves": _runs(f"ghcr.io/mlflow/mlflow:latest@{DIGEST}"),
        "a version where no digest is published": _runs("quay.io/feastdev/feature-server:0.67.0"),
        "the same at a mirror": _runs(
            "111122223333.dkr.ecr.us-west-2.amazonaws.com/quay/feastdev/feature-server:0.67.0"
        ),
        "a registry's port is no tag, and there is one": _runs("localhost:5000/feastdev/feature-server:1"),
        **GOOD_WORKLOADS,
        "a version in the values of a release": release({"image": {"repository": "nginx", "tag": "1.29.1"}}),
        "the version of the chart": release({"image": {"repository": "nginx", "pullPolicy": "Always"}}),
    },
    fails={
        "a worker of Ray": Fails(
            ray_cluster({"name": "worker", "image": "rayproject/ray:latest"}),
            f"{RAY_WORKER}.containers[0].image",
            "'latest' is moved",
        ),
        "the trainer of a TrainJob": Fails(
            train_job({"image": "ghcr.io/acme/train", "command": ["train"]}),
            "spec.trainer.image",
            "'trainer' runs",
        ),
        "the model of an InferenceService": Fails(
            inference_service({"image": "kserve/huggingfaceserver:latest", "resources": {}}),
            "spec.predictor.model.image",
        ),
        "a tag in the values of a release": Fails(
            release({"server": {"image": {"repository": "ghcr.io/acme/server", "tag": "latest"}}}),
            "values.server.image.tag",
            "'latest' is moved",
        ),
        "no tag": Fails(_runs("nginx"), IMAGE, "'nginx', which has no version"),
        "a registry's port alone": Fails(_runs("localhost:5000/mlflow"), IMAGE, "has no version"),
        "latest": Fails(_runs("quay.io/acme/server:latest"), IMAGE, "'latest' is moved"),
        "latest where no digest is published": Fails(
            _runs("quay.io/feastdev/feature-server:latest"), IMAGE, "'latest' is moved"
        ),
        "a version alone": Fails(_runs("quay.io/acme/server:1.0"), IMAGE, "which has no digest"),
        "a version of another repository than the exempt one": Fails(
            _runs("quay.io/feastdev/feature-server-dev:0.67.0"), IMAGE, "which has no digest"
        ),
        "an init container": Fails(
            cron_job(initContainers=[{"name": "schema", "image": "acme/schema:main"}]),
            "spec.jobTemplate.spec.template.spec.initContainers[0].image",
            "'schema'",
        ),
    },
    unknown={"the image": _runs(UNKNOWN)},
    configured={
        "digests are not asked for": Case(_runs("quay.io/acme/server:1.0"), {"digests": False}, fails=False),
        "a repository that is exempt": Case(
            _runs("quay.io/acme/server:1.0"), {"without_digest": ["quay.io/acme/*"]}, fails=False
        ),
        "a tag that is moved here": Case(
            _runs("quay.io/feastdev/feature-server:release"), {"moving_tags": ["release"]}, fails=True
        ),
    },
)
