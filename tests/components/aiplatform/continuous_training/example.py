"""Arguments that the tests of continuous training share."""

from __future__ import annotations

from typing import Any

from aiplatform.continuous_training import ContinuousTraining
from tests.components.aiplatform.pipelines.example import IDENTITIES
from tests.components.aiplatform.training.example import CLUSTERS
from tests.components.recording import ACCOUNT, Recording, record

IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/training-steps@sha256:{'1' * 64}"
RELEASE_IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/model-release@sha256:{'0' * 64}"
TRAIN_IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/train@sha256:{'2' * 64}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROMOTERS = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-promoter",
    "gcp": "serviceAccount:acme-dev-wi-promoter@acme.iam.gserviceaccount.com",
}


def model(**more: Any) -> dict[str, Any]:
    """Return a model. more: further keys; `evaluation` is merged over the evaluation's."""
    evaluation = {"metric": "accuracy", "args": ["--run=${RUN_ID}"], **more.pop("evaluation", {})}
    return {
        "table": "acme_dev_curated.orders",
        "training": {
            "image": TRAIN_IMAGE,
            "code_commit": COMMIT,
            "runtime": "torch-cpu",
            "args": ["--table=${TABLE}", "--snapshot=${SNAPSHOT}", "--run-name=${RUN_NAME}"],
            "nodes": 2,
        },
        "evaluation": evaluation,
        **more,
    }


def on_data(cloud: str) -> dict[str, Any]:
    """Return a model with a feature view that commits to its tables train, too."""
    scheme = "gs" if cloud == "gcp" else "s3"
    return model(
        feature_views={"customers": {"version": "3", "table": "acme_dev_curated.customers"}},
        on_data=True,
        locations=[f"{scheme}://acme-dev-curated/tables/{name}" for name in ("orders", "customers")],
        service="fares",
        rollout={"weights": [10, 50, 100], "max_error_rate": 0.02},
        evaluation={"margin": 0.01, "thresholds": {"accuracy": {"min": 0.8}}},
        schedule={"schedules": ["0 3 * * *"], "timezone": "Europe/Berlin"},
    )


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of one team with one model. more: further ones; `model` is merged over the model's,
    and `team` over the team's."""
    models = {"fares": {**model(), **more.pop("model", {})}}
    team = {"namespace": "search", "identity": IDENTITIES[cloud], "models": models, **more.pop("team", {})}
    cluster = CLUSTERS[cloud]
    if cloud == "gcp":
        cluster = {**cluster, "workload_pool": "acme.svc.id.goog"}
    return {
        "prefix": "acme-dev",
        "cluster": cluster,
        "profile": "dev",
        "image": IMAGE,
        "release_image": RELEASE_IMAGE,
        "promoter": PROMOTERS[cloud],
        "teams": {"search": team},
        **more,
    }


def training(cloud: str, **more: Any) -> Recording:
    """Return what continuous training registers."""
    args: Any = arguments(cloud, **more)
    return record(lambda: ContinuousTraining("training", args))
