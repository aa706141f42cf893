"""The delay of a Pod Identity association."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from pulumi import ResourceHookArgs

from aiplatform._shared.aws import pod_identity


def test_what_depends_on_an_association_waits_several_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    hooks: Any = []
    monkeypatch.setattr(pod_identity, "_hooks", Counter())
    monkeypatch.setattr(pod_identity, "ResourceHook", lambda name, hook: hooks.append((name, hook)))
    pod_identity.wait_until_applied("addons-external-dns-identity")
    [(name, hook)] = hooks
    assert name == "addons-external-dns-identity-applied"
    asyncio.run(hook(ResourceHookArgs("urn", "id", "name", "type")))
    assert waited == [15], "EKS documents several seconds"


def test_associations_of_one_logical_name_have_different_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(pod_identity, "_hooks", Counter())
    monkeypatch.setattr(pod_identity, "ResourceHook", lambda name, hook: names.append(name))
    for _ in range(2):
        pod_identity.wait_until_applied("jobs-association")
    assert names == ["jobs-association-applied", "jobs-association-applied-2"], "the engine refuses the same"
