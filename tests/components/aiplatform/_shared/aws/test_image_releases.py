"""Changes of node groups that EKS would answer with another release of the image than the stated one."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pulumi
import pytest
from pulumi import ResourceHookArgs

from aiplatform._shared.aws import image_releases
from tests.components.recording import record
from twin.aws.services.eks.operations import images
from twin.aws.services.eks.operations.versions import release_version

RELEASE = "1.35.8-20260901"
OLD: dict[str, Any] = {
    "amiType": "AL2023_x86_64_NVIDIA",
    "version": "1.35",
    "releaseVersion": RELEASE,
    "launchTemplate": {"id": "lt-1", "name": "training", "version": "3"},
}
PARENT = cast(pulumi.Resource, None)


def change(old: dict[str, Any] | None = None, **new: Any) -> ResourceHookArgs:
    inputs = {**OLD, "launchTemplate": {"id": "lt-1", "version": "3"}, **new}
    return ResourceHookArgs("urn", "id", "training", "type", new_inputs=inputs, old_outputs=old or OLD)


@pytest.mark.parametrize(
    ("new", "loses"),
    [
        ({}, False),
        ({"labels": {"team": "research"}}, False),
        ({"launchTemplate": {"id": "lt-1", "version": "4"}}, True),
        ({"launchTemplate": {"id": "lt-1", "version": object()}}, True),
        ({"launchTemplate": {"id": "lt-1", "version": "4"}, "releaseVersion": "1.35.9-20260930"}, False),
        ({"version": "1.36"}, True),
        ({"version": "1.36", "releaseVersion": "1.36.2-20260930"}, False),
        ({"launchTemplate": {"id": "lt-1", "version": "4"}, "releaseVersion": None}, False),
    ],
)
def test_an_update_without_another_release_loses_the_stated_one(new: dict[str, Any], loses: bool) -> None:
    assert image_releases.loses_release(change(**new)) is loses


def test_a_release_that_is_stated_for_the_first_time_is_lost_too() -> None:
    """The provider compares with the state, which has the release that EKS reports."""
    first = change(launchTemplate={"id": "lt-1", "version": "4"})
    first.old_inputs = {"launchTemplate": {"id": "lt-1", "version": "3"}}
    assert image_releases.loses_release(first)


def test_an_error_names_the_release_that_would_be_installed_and_what_to_state() -> None:
    text = image_releases.refusal(
        change(launchTemplate={"id": "lt-1", "version": "4"}), "1.35", "1.35.9-20260930"
    )
    assert "its launch template changes and its release, 1.35.8-20260901, does not" in text
    assert "the release 1.35.9-20260930, the newest" in text
    assert "a release of Kubernetes 1.35" in text
    bottlerocket = {**OLD, "amiType": "BOTTLEROCKET_x86_64", "releaseVersion": "1.64.0-6f4c2b1e"}
    upgrade = change(bottlerocket, releaseVersion="1.64.0-6f4c2b1e", version="1.36")
    assert image_releases.loses_release(upgrade), "a release of Bottlerocket is the same for both versions"
    assert "its version of Kubernetes changes" in image_releases.refusal(upgrade, "1.36", None)


def hooks(monkeypatch: pytest.MonkeyPatch, newest: str | None, control_plane: str | None) -> Any:
    """Return the hooks, of which AWS states this newest release."""

    async def answer(*_: Any) -> str | None:
        return newest

    created: list[tuple[str, Any, Any]] = []
    monkeypatch.setattr(image_releases, "_newest", answer)
    monkeypatch.setattr(image_releases, "ResourceHook", lambda *args: created.append(args))
    image_releases.keep_release("training", PARENT, control_plane)
    assert all(options.on_dry_run for _, _, options in created), "a preview refuses it, too"
    return [hook for _, hook, _ in created]


@pytest.mark.parametrize(
    ("newest", "control_plane", "accepted"),
    [
        (RELEASE, "1.35", True),
        ("1.35.9-20260930", "1.35", False),
        (None, "1.35", False),
        (RELEASE, "1.36", False),
        (RELEASE, None, False),
    ],
)
def test_a_launch_template_changes_with_the_newest_release_of_the_control_planes_version(
    monkeypatch: pytest.MonkeyPatch, newest: str | None, control_plane: str | None, accepted: bool
) -> None:
    _, before_update = hooks(monkeypatch, newest, control_plane)
    update = before_update(change(launchTemplate={"id": "lt-1", "version": "4"}))
    if accepted:
        asyncio.run(update)
        return
    with pytest.raises(pulumi.RunError, match=r"and its release, 1.35.8-20260901, does not"):
        asyncio.run(update)


def test_a_node_group_of_an_older_version_is_refused_before_eks_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before_create, _ = hooks(monkeypatch, None, "1.36")
    asyncio.run(before_create(change(version="1.36")))
    with pytest.raises(pulumi.RunError, match=r"got a release of Kubernetes 1.35; expected one of 1.36"):
        asyncio.run(before_create(change()))
    unknown, _ = hooks(monkeypatch, None, None)
    asyncio.run(unknown(change()))


@pytest.mark.parametrize(
    ("ami_type", "version", "expected"),
    [
        ("AL2023_ARM_64_STANDARD", "1.35", "1.35.9-20260930"),
        ("AL2023_ARM_64_STANDARD", None, None),
        ("CUSTOM", "1.35", None),
    ],
)
def test_newest_release_is_that_of_the_public_parameter(
    ami_type: str, version: str | None, expected: str | None
) -> None:
    name = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/arm64/standard/recommended/release_version"

    def answer(arguments: Any) -> Any:
        assert arguments["name"] == name
        return {"id": name, "name": name, "value": "1.35.9-20260930"}

    newest: list[str | None] = []

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Pool", "training")
        release = image_releases._newest(ami_type, version, parent)
        pulumi.Output.from_input(release).apply(newest.append)

    record(program, answers={"aws:ssm/getParameter:getParameter": answer})
    assert newest == [expected]


def test_every_image_of_a_node_group_has_a_parameter_with_its_newest_release() -> None:
    from aiplatform.gpu_pool.aws import nodes
    from aiplatform.node_pool import aws as node_pool

    types = {*nodes.AMI_TYPES.values(), *node_pool.AMI_TYPES.values()}
    for ami_type in sorted(types):
        name = image_releases.PARAMETERS[ami_type].format(version="1.35")
        assert images.published(name) == release_version("1.35", ami_type), ami_type
