"""The delay of a Pod Identity association."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs
from pulumi.resource import DependencyResource
from pulumi.runtime.rpc import _expand_dependencies  # pyright: ignore[reportPrivateUsage]

from aiplatform._shared.aws import pod_identity

URN = "urn:pulumi:aws-dev::ai-platform::aws:eks/podIdentityAssociation:PodIdentityAssociation::jobs"


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The hooks that a test registers, by name."""
    registered: list[tuple[str, Any]] = []
    monkeypatch.setattr(pod_identity, "_hooks", Counter())
    monkeypatch.setattr(pod_identity, "_created", set())
    monkeypatch.setattr(pod_identity, "ResourceHook", lambda name, hook: registered.append((name, hook)))
    return registered


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait."""
    seconds: list[float] = []

    async def sleep(time: float) -> None:
        seconds.append(time)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


def _await_dependency(hook: Any = None) -> None:
    """Wait for an association as the SDK does for each dependency, after its hook where the engine ran it."""

    async def main() -> None:
        if hook is not None:
            await hook(ResourceHookArgs(URN, "id", "jobs", "type"))
        association: Any = SimpleNamespace(urn=pulumi.Output.from_input(URN))
        known = await pod_identity.applied(association).urn.future()
        assert known == URN, "the URN stays as it is"

    asyncio.run(main())


def test_what_depends_on_a_new_association_waits_several_seconds(
    hooks: list[tuple[str, Any]], waited: list[float]
) -> None:
    pod_identity.on_creation("addons-external-dns-identity")
    [(name, hook)] = hooks
    assert name == "addons-external-dns-identity-applied"
    _await_dependency(hook)
    assert waited == [15], "EKS documents several seconds"


@pytest.mark.usefixtures("hooks")
def test_nothing_waits_for_an_association_that_exists_or_is_previewed(waited: list[float]) -> None:
    _await_dependency()
    assert waited == [], "the engine runs the hook only where it creates the association"


def test_the_hook_returns_at_once(hooks: list[tuple[str, Any]], waited: list[float]) -> None:
    pod_identity.on_creation("jobs-association")
    asyncio.run(hooks[0][1](ResourceHookArgs(URN, "id", "jobs", "type")))
    assert waited == [], "the engine can save no state while a hook runs, and every step does"


def test_the_sdk_awaits_the_urn_of_a_dependency() -> None:
    awaited: list[str] = []

    async def main() -> None:
        async def note(urn: str) -> str:
            awaited.append(urn)
            return urn

        dependency = DependencyResource(URN)
        dependency.__dict__["urn"] = dependency.urn.apply(note)
        assert set(await _expand_dependencies({dependency}, None)) == {URN}

    asyncio.run(main())
    assert awaited, "the delay is in the URN"


def test_associations_of_one_logical_name_have_different_hooks(hooks: list[tuple[str, Any]]) -> None:
    for _ in range(2):
        pod_identity.on_creation("jobs-association")
    names = [name for name, _ in hooks]
    assert names == ["jobs-association-applied", "jobs-association-applied-2"], "the engine refuses the same"
