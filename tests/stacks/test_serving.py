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
from stacks.images import addons_of, repositories
from stacks.loading import load_file
from tests.components.recording import ACCOUNT, Recording
from tests.policies.test_environments import violations
from tests.stacks.environments import REGISTRY, build
from tests.stacks.test_google_files import changed, problems

DIGEST = "@sha256:" + "1" * 64
OWNERS = {
    "aws-prod": f"arn:aws:iam::{ACCOUNT}:role/owners",
    "gcp-prod": "group:search-owners@acme.example",
}
BACKEND: dict[str, Any] = {"backends": [{"service": "other"}]}
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
        "model_store/image": f"{REGISTRY}/model-release{DIGEST}",
        "serving": {
            "server_image": f"{REGISTRY}/model-server{DIGEST}",
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
    assert f"{REGISTRY}/model-server{DIGEST}" in references
    assert {"kserve", "kserve-crd"} <= {entry.user.rpartition(" ")[2] for entry in charts_of(settings)}
    admitted = {"docker.io/vllm/vllm-openai", f"{REGISTRY}/model-server"}
    assert admitted <= set(repositories(settings)), "the guardrails would refuse the Pods of servers"


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_services_end_with_their_namespaces_while_kserve_runs(tmp_path: Path, stack: str) -> None:
    """KServe has a finalizer on each InferenceService, which the engine does not know: a `destroy` deletes
    the namespaces of teams and what owns InferenceServices before KServe."""
    recording = registered(tmp_path, stack)
    kserve = recording.named("addons-kserve-installed")
    assert recording.depends(kserve, recording.named("addons-kserve"))
    namespace = recording.named("teams-search-namespace")
    assert recording.depends(namespace, kserve) or recording.depends(recording[namespace.parent], kserve), (
        "the engine deletes children before their component, and that before what it depends on"
    )
    for name in (
        "serving-loader",
        "serving-vllm-serving",
        "serving-sklearn",
        "serving-search-service-account",
        "serving-search-templates",
    ):
        assert recording.depends(recording.named(name), kserve), name
        assert recording.depends(recording.named(name), namespace), name


def test_environment_without_serving_has_no_kserve(tmp_path: Path) -> None:
    change = topic()
    del change["serving"]
    settings = load_file(changed(tmp_path, change, "aws-prod"))
    assert not {"kserve", "kserve-crd"} & set(addons_of(settings))


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
        ({"addons__options__kserve__enabled": False}, "addons.options.kserve.enabled", "the controller of"),
        (
            {"addons__options__kserve-crd__enabled": False},
            "addons.options.kserve-crd.enabled",
            "kinds of KServe",
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


def test_serving_without_addons_is_refused(tmp_path: Path) -> None:
    reported = problems(tmp_path, topic(addons=None), "aws-prod")
    assert any("serving: it needs add-ons" in problem for problem in reported), reported


def test_serving_without_the_image_that_copies_releases_is_refused(tmp_path: Path) -> None:
    change = topic()
    del change["model_store/image"]
    reported = problems(tmp_path, change, "aws-prod")
    assert any("model_store.image: missing" in problem for problem in reported), reported


ROLLOUTS = f"{REGISTRY}/model-rollout{DIGEST}"
GATEWAY: dict[str, Any] = {"hosts": ["models.acme.example"]}


def with_rollouts(**change: Any) -> dict[str, Any]:
    """A file with rollouts; further keys, `__` for a slash."""
    pipelines = {"teams": {"search": {}}}
    files: dict[str, Any] = {"gateway": GATEWAY, "pipelines": pipelines}
    return topic(**{**files, "serving__rollouts": {"image": ROLLOUTS}, **change})


def test_rollouts_are_those_of_gateway_prometheus_and_release_group(tmp_path: Path) -> None:
    recording = build(load_file(changed(tmp_path, with_rollouts(), "aws-prod"))).recording
    template = recording.one("kubernetes:argoproj.io/v1alpha1:WorkflowTemplate").inputs
    assert template["metadata"]["namespace"] == "search"
    roll = next(item for item in template["spec"]["templates"] if item["name"] == "roll")
    assert roll["container"]["image"] == ROLLOUTS
    environment = {entry["name"]: entry["value"] for entry in roll["container"]["env"]}
    assert environment["PROMETHEUS_URL"].endswith(".monitoring:9090")
    binding = recording.one(
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "serving-search-rollout-operators-members"
    ).inputs
    assert [subject["name"] for subject in binding["subjects"]] == ["ai-platform:release"]
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, "aws-prod")
    ]
    assert not reported, "\n".join(reported)


def test_image_of_rollouts_is_admitted_next_to_the_teams(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, with_rollouts(), "aws-prod"))
    assert f"{REGISTRY}/model-rollout" in set(repositories(settings))


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (
            {"serving__rollouts__weights": [50, 10, 100]},
            "serving.rollouts.weights",
            "expected percentages that rise to 100",
        ),
        ({"serving__rollouts__max_error_rate": 2}, "serving.rollouts.max_error_rate", "0 to 1"),
        (
            {
                "serving__rollouts__step_minutes": 7,
                "observability__prometheus__scrape_interval_seconds": 120,
            },
            "serving.rollouts.step_minutes",
            "expected at least 8: 4 samples of Prometheus, which are 120 seconds apart",
        ),
        (
            {
                "gateway": {
                    **GATEWAY,
                    "routes": {"other": {"team": "search", "path": "/search/chat", **BACKEND}},
                }
            },
            "gateway.routes.other",
            "is that of serving.teams.search.services.chat",
        ),
        (
            {
                "gateway": {
                    **GATEWAY,
                    "routes": {"chat": {"team": "search", "path": "/search/new", **BACKEND}},
                }
            },
            "gateway.routes.chat",
            "is that of serving.teams.search.services.chat",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_rollouts_are_refused_with_their_line(
    tmp_path: Path, change: dict[str, Any], key: str, reason: str
) -> None:
    reported = problems(tmp_path, with_rollouts(**change), "aws-prod")
    matching = [problem for problem in reported if re.search(rf"yaml:\d+: {re.escape(key)}", problem)]
    assert matching, reported
    assert reason in matching[0]


@pytest.mark.parametrize("missing", ["gateway", "pipelines"])
def test_rollouts_without_what_they_need_are_refused(tmp_path: Path, missing: str) -> None:
    change = with_rollouts()
    del change[missing]
    reported = problems(tmp_path, change, "aws-prod")
    assert any(f"expected the topic {missing}, or no rollouts" in problem for problem in reported), reported


def test_rollouts_with_a_gateway_of_gke_are_refused(tmp_path: Path) -> None:
    change = topic(
        "gcp-prod",
        gateway={**GATEWAY, "gateway_class": "gke"},
        pipelines={"teams": {"search": {}}},
        serving__rollouts={"image": ROLLOUTS},
    )
    reported = problems(tmp_path, change, "gcp-prod")
    assert any("no metrics of a gateway of the class gke" in problem for problem in reported), reported
