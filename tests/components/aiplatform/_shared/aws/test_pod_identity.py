"""Identities of Pods by EKS Pod Identity, and the delay of an association."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs
from pulumi.resource import DependencyResource
from pulumi.runtime.rpc import _expand_dependencies  # pyright: ignore[reportPrivateUsage]

from aiplatform._shared import hooks
from aiplatform._shared.aws import pod_identity
from aiplatform._shared.context import Context
from aiplatform._shared.references.cluster import ClusterReference
from tests.components.recording import ACCOUNT, Recording, record

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"


@dataclass(frozen=True)
class Settings:
    cluster: ClusterReference = field(
        default_factory=lambda: ClusterReference(name="acme-dev-cluster", security_group_id="sg-0c1u5te2")
    )
    tags: dict[str, str] = field(default_factory=lambda: {"team": "platform"})


def identity(**more: Any) -> Recording:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Importer", "models")
        pod_identity.pod_identity(
            Context(parent, "models", Settings()),
            "models-importer",
            namespace="release",
            service_account="importer",
            policy="{}",
            description="Importer: write releases",
            **more,
        )

    return record(program)


def test_a_role_trusts_one_service_account_and_its_association_follows_its_policy() -> None:
    recording = identity(name_prefix="acme-dev-importer-")
    role = recording.one(ROLE, "models-importer-role")
    assert role.inputs["namePrefix"] == "acme-dev-importer-"
    assert not role.delete_before_replace, "a generated name is free"
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/eks-cluster-name": "acme-dev-cluster",
        "aws:RequestTag/kubernetes-namespace": "release",
        "aws:RequestTag/kubernetes-service-account": "importer",
    }
    association = recording.one(ASSOCIATION, "models-importer-identity")
    assert association.inputs["clusterName"] == "acme-dev-cluster"
    assert (association.inputs["namespace"], association.inputs["serviceAccount"]) == ("release", "importer")
    assert association.inputs["tags"] == role.inputs["tags"] == {"team": "platform"}
    assert association.delete_before_replace, "a service account has at most one association"
    assert association.after_create == ("models-importer-identity-applied",), "Pods after it have credentials"
    policy = recording.one(POLICY, "models-importer-policy")
    assert recording.depends(association, policy), "the first call of a Pod would be refused"
    assert policy.aliases == ()


def test_a_role_of_a_fixed_name_is_deleted_before_it_is_replaced() -> None:
    role = identity(role_name="acme-dev-importer").one(ROLE)
    assert role.inputs["name"] == "acme-dev-importer"
    assert role.delete_before_replace, "IAM refuses two roles of one name"


def test_a_policy_keeps_its_identity_when_its_logical_name_changes() -> None:
    (former,) = identity(former_policy_name="models-importer").one(POLICY).aliases
    assert "name=models-importer" in former, former


URN = "urn:pulumi:aws-dev::ai-platform::aws:eks/podIdentityAssociation:PodIdentityAssociation::jobs"


@pytest.fixture
def registered_hooks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The hooks that a test registers, by name."""
    registered: list[tuple[str, Any]] = []
    monkeypatch.setattr(hooks, "_names", Counter())
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
    registered_hooks: list[tuple[str, Any]], waited: list[float]
) -> None:
    pod_identity.on_creation("addons-external-dns-identity")
    [(name, hook)] = registered_hooks
    assert name == "addons-external-dns-identity-applied"
    _await_dependency(hook)
    assert waited == [15], "EKS documents several seconds"


@pytest.mark.usefixtures("registered_hooks")
def test_nothing_waits_for_an_association_that_exists_or_is_previewed(waited: list[float]) -> None:
    _await_dependency()
    assert waited == [], "the engine runs the hook only where it creates the association"


def test_the_hook_returns_at_once(registered_hooks: list[tuple[str, Any]], waited: list[float]) -> None:
    pod_identity.on_creation("jobs-association")
    asyncio.run(registered_hooks[0][1](ResourceHookArgs(URN, "id", "jobs", "type")))
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


def test_associations_of_one_logical_name_have_different_hooks(
    registered_hooks: list[tuple[str, Any]],
) -> None:
    for _ in range(2):
        pod_identity.on_creation("jobs-association")
    names = [name for name, _ in registered_hooks]
    assert names == ["jobs-association-applied", "jobs-association-applied-2"], "the engine refuses the same"
