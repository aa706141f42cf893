"""The topic `guardrails`: what profiles enforce, and what the platform's own workloads need."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared import images as image_file
from aiplatform.guardrails.args import GuardrailsSettings
from stacks import arguments, images, repositories
from stacks.loading import SettingsError, load_file
from tests.components.aiplatform.guardrails.test_guardrails import BINDING, POLICY
from tests.stacks.environments import STACKS, built, settings_of
from tests.stacks.test_google_files import changed

TCPX_DAEMON = "us-docker.pkg.dev/gce-ai-infra/gpudirect-tcpx/tcpgpudmarxd-dev"
"""The image of the sidecar that Pods on gcp-prod's H100 nodes have."""
GPU_TESTS = ["docker.io/pytorch/pytorch", "nvcr.io/nvidia/cloud-native/dcgm"]
"""The images of `aiplatform gpu check` there."""
RUNTIMES = ["us-docker.pkg.dev/cloud-tpu-images/jax-ai-image/tpu"]
"""The images of training runtimes there that no other workload has."""


def stated(folder: Path, change: dict[str, Any], stack: str = "gcp-prod") -> dict[str, Any]:
    return dict(arguments.guardrails(load_file(changed(folder, change, stack))))


@pytest.mark.parametrize("stack", STACKS)
def test_profiles_deny_but_for_dev_which_denies_what_separates_teams(stack: str) -> None:
    bindings = built(stack).recording.all(BINDING)
    actions = {
        binding.inputs["spec"]["policyName"]: binding.inputs["spec"]["validationActions"][0]
        for binding in bindings
    }
    expected = "Warn" if stack.endswith("-dev") else "Deny"
    assert actions["ai-platform-images"] == expected
    assert actions["ai-platform-host-access"] == expected
    assert actions["ai-platform-namespaces"] == "Deny"
    assert actions["ai-platform-queues"] == "Deny"


@pytest.mark.parametrize("stack", STACKS)
def test_digests_are_required_in_prod(stack: str) -> None:
    policy = built(stack).recording.one(POLICY, "guardrails-images-policy").inputs["spec"]
    messages = [validation["message"] for validation in policy["validations"]]
    assert any("no digest" in message for message in messages) == stack.endswith("-prod")


def test_images_of_the_platform_without_a_known_digest_need_none(tmp_path: Path) -> None:
    args = stated(tmp_path, {"guardrails/digest_exceptions": ["quay.io/argoproj"]})
    known = image_file.images()
    assert args["digest_exceptions"] == [
        "quay.io/argoproj",
        known["feast-feature-server"].reference,
        known["gpudirect-tcpx-daemon"].reference,
        known["gpu-test-pytorch-tcpx"].reference,
        known["gpu-test-dcgm"].reference,
        known["training-jax-tpu"].reference,
    ], "with their tags: other images of these public repositories need a digest"
    assert "digest_exceptions" not in stated(tmp_path, {}, "gcp-dev"), "no digest is required there"


def test_which_image_of_a_repository_needs_no_digest_does_not_depend_on_their_order(tmp_path: Path) -> None:
    mirrors = {"images/mirrors": {"docker.io": "mirror.acme.com:5000/hub"}}
    settings = load_file(changed(tmp_path, mirrors, "gcp-prod"))
    known = image_file.images()
    repository = "mirror.acme.com:5000/hub/pytorch/pytorch"
    expected = f"{repository}:{known['training-torch-tcpx'].tag}"
    pools = dict(settings.gpu_pools)
    for order in (pools, dict(reversed(pools.items()))):
        without = images.without_digests(settings.model_copy(update={"gpu_pools": order}))
        assert [image for image in without if image.startswith(repository)] == [expected]
    pinned = settings.model_copy(update={"feature_store": None, "training": None, "queues": None})
    assert not [image for image in images.without_digests(pinned) if "/pytorch/" in image], "none runs it"


@pytest.mark.parametrize("image", ["registry.acme.com:5000/feast", "registry.acme.com/feast"])
def test_image_without_tag_and_digest_is_no_exception_of_its_repository(tmp_path: Path, image: str) -> None:
    settings = load_file(changed(tmp_path, {}, "gcp-prod"))
    assert settings.feature_store is not None
    topic = settings.feature_store.model_copy(update={"image": image})
    changed_settings = settings.model_copy(update={"feature_store": topic})
    assert image in images.repositories(changed_settings)
    assert image not in images.without_digests(changed_settings)


def test_images_of_the_platform_come_from_allowed_registries(tmp_path: Path) -> None:
    change = {
        "guardrails/allowed_registries": ["registry.acme.com"],
        "images/mirrors": {"ghcr.io": "mirror.acme.com/ghcr"},
    }
    assert stated(tmp_path, change)["allowed_registries"] == [
        "registry.acme.com",
        "quay.io/feastdev/feature-server",
        "mirror.acme.com/ghcr/mlflow/mlflow",
        TCPX_DAEMON,
        *GPU_TESTS,
        *RUNTIMES,
    ]
    assert "allowed_registries" not in stated(tmp_path, {}, "gcp-staging"), "all are allowed"


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_prod_allows_the_repositories_of_its_own_registry_and_the_platform(
    tmp_path: Path, stack: str
) -> None:
    allowed = stated(tmp_path, {}, stack)["allowed_registries"]
    urls = list(repositories.urls(settings_of(stack)).values())
    assert urls
    assert allowed[: len(urls)] == urls
    settings = load_file(changed(tmp_path, {}, stack))
    assert set(allowed[len(urls) :]) == set(images.repositories(settings))
    without = stated(tmp_path, {"container_registry/repositories": []}, stack)
    assert not without.get("allowed_registries"), "an environment without a registry uses others"


def test_prod_only_warns_of_single_policies(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, {"guardrails/enforcement": "warn"}, "gcp-prod"))
    [problem] = refused.value.problems
    assert "guardrails.enforcement: got 'warn'; expected 'deny' in prod" in problem
    assert stated(tmp_path, {"guardrails/policies": {"images": "warn"}})["policies"]["images"] == "warn"


def test_an_unknown_policy_is_refused_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, {"guardrails/policies": {"image": "off"}}))
    [problem] = refused.value.problems
    assert "guardrails.policies.image: unknown policy; expected one of" in problem
    assert "did you mean 'images'?" in problem


def test_every_argument_of_the_component_is_a_key(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {}))
    assert settings.guardrails is not None
    keys = set(type(settings.guardrails).model_fields)
    assert keys == {field.name for field in dataclasses.fields(GuardrailsSettings)} - {
        "cloud",
        "device_claims",
        "adapters",
    }
