"""The topic `serving`: what an environment supplies, and what is refused by file, line and key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import Any

import pytest

from aiplatform._shared.images import images
from stacks.image_list import charts_of, images_of
from stacks.images import repositories
from stacks.loading import load_file
from tests.components.recording import ACCOUNT, Recording
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems

DIGEST = "@sha256:" + "1" * 64
OWNERS = {
    "aws-prod": f"arn:aws:iam::{ACCOUNT}:role/owners",
    "gcp-prod": "group:search-owners@acme.example",
}
RUNTIME = "kubernetes:serving.kserve.io/v1alpha1:ClusterServingRuntime"


def topic(stack: str = "aws-prod", **change: Any) -> dict[str, Any]:
    """A file with a team that serves a model; further keys, `__` for a slash."""
    team = {
        "owners": [OWNERS[stack]],
        "queue": "serving",
        "priority_classes": ["serving"],
    }
    services = {"chat": {"model": "assistant", "runtime": "vllm-serving", "max_replicas": 3}}
    changes: dict[str, Any] = {
        "teams": {"search": team},
        "guardrails/policies": {"accelerators": "deny"},
        "addons/options/keda/enabled": True,
        "model_store/image": f"registry.example/acme/model-release{DIGEST}",
        "serving": {
            "server_image": f"registry.example/acme/model-server{DIGEST}",
            "default_runtimes": ["serving"],
            "runtimes": {"sklearn": {"pool": "general", "engine": "sklearn"}},
            "teams": {"search": {"services": services}},
        },
    }
    if stack == "gcp-prod":
        changes["cluster/gke/google_groups"] = "gke-security-groups@acme.example"
    return {**changes, **{key.replace("__", "/"): value for key, value in change.items()}}


def registered(folder: Path, stack: str) -> Recording:
    """What the program registers."""
    return build(load_file(changed(folder, topic(stack), stack))).recording


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_with_serving_has_runtimes_identity_and_template_and_no_violation(
    tmp_path: Path, stack: str
) -> None:
    recording = registered(tmp_path, stack)
    assert {entry.inputs["metadata"]["name"] for entry in recording.all(RUNTIME)} == {
        "vllm-serving",
        "sklearn",
    }
    templates = recording.one("kubernetes:core/v1:ConfigMap", "serving-search-templates")
    service = json.loads(Template(templates.inputs["data"]["chat"]).substitute(NAME="chat", VERSION="3"))
    scheme = "s3" if stack == "aws-prod" else "gs"
    uri = service["spec"]["predictor"]["model"]["storageUri"]
    assert re.fullmatch(rf"{scheme}://[^/]+/search/assistant/3", uri), uri
    [metric] = service["spec"]["predictor"]["autoScaling"]["metrics"]
    assert metric["external"]["metric"]["serverAddress"].endswith(".monitoring:9090")
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


def test_images_and_charts_of_serving_are_listed_and_admitted(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic(), "aws-prod"))
    references = {entry.image for entry in images_of(settings)}
    assert {
        images()[name].reference for name in ("kserve-controller", "kube-rbac-proxy", "vllm")
    } <= references
    assert f"registry.example/acme/model-server{DIGEST}" in references
    assert {"kserve", "kserve-crd"} <= {entry.user.rpartition(" ")[2] for entry in charts_of(settings)}
    admitted = {"docker.io/vllm/vllm-openai", "registry.example/acme/model-server"}
    assert admitted <= set(repositories(settings)), "the guardrails would refuse the Pods of servers"


def services(**service: Any) -> dict[str, Any]:
    return {
        "serving__teams__search__services__chat": {"model": "assistant", "runtime": "vllm-serving", **service}
    }


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (services(max_replicas=13), "serving.teams.search.services.chat.max_replicas", "at most 12"),
        (
            services(min_replicas=0),
            "serving.teams.search.services.chat.min_replicas",
            "no series while no Pod",
        ),
        (
            services(model="s3://b/x/1"),
            "serving.teams.search.services.chat.model",
            "without team, version or URI",
        ),
        (
            {"serving__runtimes__mine": {"pool": "training", "engine": "vllm", "tensor_parallel": 16}},
            "serving.runtimes.mine.tensor_parallel",
            "expected 1 to 8",
        ),
        (
            {"serving__runtimes__mine": {"pool": "training", "engine": "vllm", "image": "acme/vllm:1"}},
            "serving.runtimes.mine.image",
            "without a digest",
        ),
        (
            {"serving__runtimes__vllm-serving": {"pool": "serving", "engine": "vllm"}},
            "serving.runtimes.vllm-serving",
            "by default",
        ),
        ({"serving__teams__sarch": {}}, "serving.teams.sarch", "did you mean 'search'?"),
        ({"serving__teams__search__namespace": "other"}, "serving.teams.search.namespace", "left out"),
        (
            {"addons__options": {"cert-manager": {"enabled": False}}},
            "addons.options.cert-manager.enabled",
            "KServe's webhook",
        ),
        (
            {"addons__options__keda__enabled": False},
            "serving.teams.search.services.chat.max_replicas",
            "expected addons.options.keda.enabled: true, or max_replicas 1",
        ),
        ({"teams__search__priority_classes": []}, "teams.search.priority_classes", "without 'serving'"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_file_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, Any], key: str, reason: str
) -> None:
    reported = problems(tmp_path, topic(**change), "aws-prod")
    matching = [problem for problem in reported if re.search(rf"yaml:\d+: {re.escape(key)}: ", problem)]
    assert matching, reported
    assert reason in matching[0]


def test_serving_without_the_image_that_copies_releases_is_refused(tmp_path: Path) -> None:
    change = topic()
    del change["model_store/image"]
    reported = problems(tmp_path, change, "aws-prod")
    assert any("model_store.image: missing" in problem for problem in reported), reported
