"""Identities of Pods by EKS Pod Identity, and the delay of an association."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs

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


def test_what_depends_on_an_association_waits_several_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    created: Any = []
    monkeypatch.setattr(hooks, "_names", Counter())
    monkeypatch.setattr(pod_identity, "ResourceHook", lambda name, hook: created.append((name, hook)))
    pod_identity.wait_until_applied("addons-external-dns-identity")
    [(name, hook)] = created
    assert name == "addons-external-dns-identity-applied"
    asyncio.run(hook(ResourceHookArgs("urn", "id", "name", "type")))
    assert waited == [15], "EKS documents several seconds"


def test_associations_of_one_logical_name_have_different_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(hooks, "_names", Counter())
    monkeypatch.setattr(pod_identity, "ResourceHook", lambda name, hook: names.append(name))
    for _ in range(2):
        pod_identity.wait_until_applied("jobs-association")
    assert names == ["jobs-association-applied", "jobs-association-applied-2"], "the engine refuses the same"
