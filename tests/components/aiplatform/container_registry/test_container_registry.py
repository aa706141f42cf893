"""The container registry on both clouds: resources, and refused arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from aiplatform._shared.args import ArgumentError
from aiplatform.container_registry import ContainerRegistry
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

NODES = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-node"
HUB = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/hub-AbCdEf"
REPOSITORY = "aws:ecr/repository:Repository"
GOOGLE = {"cloud": "gcp", "project": "acme-dev-1234", "region": "europe-west4"}


def _registry(**arguments: Any) -> Recording:
    args: Any = {"prefix": "acme-dev", **arguments}
    return record(lambda: ContainerRegistry("images", args))


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        _registry(**arguments)
    return [str(problem) for problem in error.value.problems]


@pytest.fixture(scope="module")
def default() -> Recording:
    """Two repositories and two caches."""
    return _registry(
        repositories=["training", "serving/llm"],
        caches=[{"upstream": "quay.io"}, {"upstream": "docker.io", "credential": HUB}],
        readers=[f"arn:aws:iam::{ACCOUNT}:role/ci"],
        node_roles=[NODES],
    )


@pytest.fixture(scope="module")
def google() -> Recording:
    """The same on Google Cloud."""
    return _registry(**GOOGLE, repositories=["training"], caches=[{"upstream": "ghcr.io"}])


def test_tags_are_immutable(default: Recording) -> None:
    for repository in default.all(REPOSITORY):
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        (encryption,) = repository.inputs["encryptionConfigurations"]
        assert encryption["kmsKey"] == default.one("aws:kms/key:Key").state["arn"]
    assert default.one(REPOSITORY, "images-serving-llm").inputs["name"] == "acme-dev/serving/llm"
    policy = default.one("aws:ecr/lifecyclePolicy:LifecyclePolicy", "images-training").inputs["policy"]
    assert json.loads(policy)["rules"][0]["selection"]["countNumber"] == 14


def test_a_cache_rule_depends_on_its_template(default: Recording) -> None:
    rule = default.one("aws:ecr/pullThroughCacheRule:PullThroughCacheRule", "images-docker-hub")
    assert rule.inputs["upstreamRegistryUrl"] == "registry-1.docker.io"
    assert rule.inputs["credentialArn"] == HUB
    template = default.one(
        "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "images-docker-hub"
    )
    assert default.depends(rule, on=template)
    assert template.inputs["prefix"] == rule.inputs["ecrRepositoryPrefix"] == "acme-dev-docker-hub"
    assert template.inputs["imageTagMutability"] == "MUTABLE", "at upstream tags move"
    assert template.inputs["customRoleArn"] == default.one("aws:iam/role:Role").state["arn"]
    assert {key: value(entry) for key, entry in default.result.outputs["mirrors"].items()} == {
        "docker.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme-dev-docker-hub",
        "quay.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme-dev-quay",
    }


def test_nodes_may_create_only_repositories_of_caches(default: Recording) -> None:
    policy = default.one("aws:iam/rolePolicy:RolePolicy", "images-nodes-role-acme-dev-node").inputs
    assert policy["role"] == "acme-dev-node"
    (statement,) = json.loads(policy["policy"])["Statement"]
    assert statement["Resource"] == [
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/acme-dev-{cache}/*" for cache in ("quay", "docker-hub")
    ]


def test_only_roles_of_this_account_get_a_policy_to_log_in() -> None:
    recording = _registry(
        repositories=["training"],
        readers=[f"arn:aws:iam::{ACCOUNT}:role/ci", "arn:aws:iam::999999999999:role/partner"],
        writers=[Output.from_input(f"arn:aws:iam::{ACCOUNT}:role/teams/pipelines")],
    )
    policies = {resource.name: resource.inputs for resource in recording.all("aws:iam/rolePolicy:RolePolicy")}
    assert {name: entry["role"] for name, entry in policies.items()} == {
        "images-reader-role-ci": "ci",
        "images-writer-0": "pipelines",
    }
    assert len({entry["name"] for entry in policies.values()}) == 2, "one role may be both"
    for statement in policies.values():
        (statement,) = json.loads(statement["policy"])["Statement"]
        assert (statement["Action"], statement["Resource"]) == (["ecr:GetAuthorizationToken"], "*")


def test_writers_of_one_repository_replace_those_of_all() -> None:
    build, team = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("build", "team-ci"))
    recording = _registry(
        repositories=["training", "team/train", "team/serve", "left"],
        writers=[build],
        repository_writers={"team/train": [team], "team/serve": [team, build], "left": []},
    )
    push = {
        policy.name: statement["Principal"]["AWS"]
        for policy in recording.all("aws:ecr/repositoryPolicy:RepositoryPolicy")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
    }
    assert push == {
        "images-training": [build],
        "images-team-train": [team],
        "images-team-serve": [build, team],
    }, "no principal pushes to a repository whose list is empty"
    logins = [policy.name for policy in recording.all("aws:iam/rolePolicy:RolePolicy")]
    assert sorted(logins) == ["images-writer-role-build", "images-writer-role-team-ci"], "each role once"


def test_writers_of_an_unknown_repository_are_refused() -> None:
    assert _problems(repositories=["training"], repository_writers={"trainin": []}) == [
        "ContainerRegistryArgs.repository_writers.trainin: got 'trainin'; expected one of repositories; did "
        "you mean 'training'?"
    ]


def _names_of_policies(remaining: list[str]) -> dict[str, list[str]]:
    """Role -> logical and physical names of its policies; readers, writers and nodes are these roles."""
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{entry}" for entry in remaining]
    caches = [{"upstream": "quay.io"}]
    recording = _registry(
        repositories=["training"], caches=caches, readers=arns, writers=arns, node_roles=arns
    )
    names: dict[str, list[str]] = {}
    for policy in recording.all("aws:iam/rolePolicy:RolePolicy"):
        if policy.inputs["role"] in remaining:
            name = f"{policy.name} {policy.inputs['name']}"
            names.setdefault(policy.inputs["role"], []).append(name)
    return names


def test_an_empty_list_of_principals_adds_no_policy() -> None:
    empty = _registry(repositories=["training"], readers=[], writers=[], node_roles=[])
    assert empty.names() == _registry(repositories=["training"]).names()


def test_removing_a_role_keeps_the_policies_of_later_ones() -> None:
    before, after = _names_of_policies(["first", "second"]), _names_of_policies(["second"])
    assert len(after["second"]) == 3, "reader, writer and node"
    assert before["second"] == after["second"], "nothing of it is created again"
    assert not {*before["first"]} & {*before["second"]}
    assert _names_of_policies(["second", "first"]) == before, "nor when the order changes"


def test_a_node_role_of_another_account_is_refused() -> None:
    foreign = "arn:aws:iam::999999999999:role/node"
    assert _problems(node_roles=[foreign]) == [
        f"ContainerRegistryArgs.node_roles[0]: got '{foreign}'; expected a role of this account, {ACCOUNT}"
    ]


def test_an_output_with_a_role_of_another_account_is_refused() -> None:
    foreign = Output.from_input("arn:aws:iam::999999999999:role/partner")
    with pytest.raises(Exception, match="one of another account by its arn as text"):
        _registry(repositories=["training"], readers=[foreign])


def test_google_has_repositories_with_immutable_tags_and_remote_ones(google: Recording) -> None:
    kind = "gcp:artifactregistry/repository:Repository"
    training, cache = google.one(kind, "images-training").inputs, google.one(kind, "images-ghcr").inputs
    assert training["dockerConfig"] == {"immutableTags": True}
    assert training["kmsKeyName"].startswith(google.one("gcp:kms/cryptoKey:CryptoKey").name)
    assert cache["mode"] == "REMOTE_REPOSITORY"
    remote = cache["remoteRepositoryConfig"]["dockerRepository"]
    assert remote == {"customRepository": {"uri": "https://ghcr.io"}}
    (policy,) = training["cleanupPolicies"]
    assert policy["condition"] == {"tagState": "UNTAGGED", "olderThan": "1209600s"}
    url = google.result.outputs["mirrors"]["ghcr.io"]
    assert value(url) == "europe-west4-docker.pkg.dev/acme-dev-1234/acme-dev-ghcr"


def test_on_google_pushing_needs_one_role_on_the_repository() -> None:
    writer = "serviceAccount:pipelines@acme-dev-1234.iam.gserviceaccount.com"
    recording = _registry(**GOOGLE, repositories=["training"], writers=[writer])
    (granted,) = recording.all("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember")
    assert (granted.inputs["member"], granted.inputs["role"]) == (writer, "roles/artifactregistry.writer")


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"prefix": "a-prefix-of-twenty"},
        "prefix: got 'a-prefix-of-twenty'; expected at most 17 characters",
    ),
    ({"caches": [{"upstream": "ghcr.io"}]}, "caches[0].credential: missing"),
    (
        {"caches": [{"upstream": "ghcr.io", "credential": "arn:aws:secretsmanager:x:1:secret:hub"}]},
        "caches[0].credential: got",
    ),
    ({"caches": [{"upstream": "gcr.io"}]}, "caches[0].upstream: got 'gcr.io'; expected one of"),
    ({"caches": [{"upstream": "quay.io"}] * 2}, "caches[1].upstream: got 'quay.io' twice"),
    ({"repositories": ["Training"]}, "repositories: got ['Training']"),
    ({"readers": ["*"]}, "readers[0]: got '*'"),
    *(
        (
            {key: [f"arn:aws:iam::{ACCOUNT}:role/{path}"]},
            f"{key}[0]: got 'arn:aws:iam::{ACCOUNT}:role/{path}', to which only AWS can attach policies",
        )
        for key, path in (
            ("readers", "aws-reserved/sso.amazonaws.com/Dev"),
            ("writers", "aws-service-role/ecs.amazonaws.com/ForECS"),
            ("node_roles", "aws-service-role/eks.amazonaws.com/ForEKS"),
        )
    ),
    ({**GOOGLE, "repositories": ["serving/llm"]}, "repositories[0]: got 'serving/llm'"),
    ({**GOOGLE, "node_roles": [NODES]}, "node_roles: got"),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG)
def test_wrong_arguments_are_reported(wrong: dict[str, Any], expected: str) -> None:
    (reported,) = _problems(**wrong)
    assert reported.startswith(f"ContainerRegistryArgs.{expected}")


def test_removing_the_first_reader_on_google_deletes_no_role_of_others() -> None:
    """Deleting a member removes the principal from the role, whichever resource put it there."""
    kind = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

    def members(*readers: str) -> dict[str, Any]:
        recording = _registry(
            **GOOGLE, repositories=["training"], caches=[{"upstream": "quay.io"}], readers=readers
        )
        return {resource.name: resource.inputs["member"] for resource in recording.all(kind)}

    first, second = "group:first@acme.example", "group:second@acme.example"
    before, after = members(first, second), members(second)
    assert {before[name] for name in before if name not in after} == {first}
    assert set(after.values()) == {second}
    assert after.items() <= before.items()
