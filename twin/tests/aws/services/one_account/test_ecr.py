"""ECR through the API server: repositories, policies, pull-through caches, templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make

REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
POLICY = "aws:ecr/repositoryPolicy:RepositoryPolicy"
CACHE = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"


def document(principal: Any, action: str = "ecr:BatchGetImage", **more: Any) -> str:
    statement = {"Sid": "pull", "Effect": "Allow", "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_repository_with_its_policies_lives_and_goes(clients: Clients, key: str) -> None:
    context = clients.context()
    repository = make(
        context,
        REPOSITORY,
        name="acme/mlflow",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfigurations=[{"encryptionType": "KMS", "kmsKey": key}],
        tags={"team": "ml"},
    )
    outputs = repository.outputs
    assert outputs["repositoryUrl"].endswith(".dkr.ecr.us-west-2.amazonaws.com/acme/mlflow")
    assert outputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": key}]
    assert (
        repository.update(imageTagMutability="MUTABLE", tags={"team": "x"})["imageTagMutability"] == "MUTABLE"
    )
    assert repository.update(imageScanningConfiguration={"scanOnPush": False})[
        "imageScanningConfiguration"
    ] == {"scanOnPush": False}
    rule = {
        "rulePriority": 1,
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 14,
        },
        "action": {"type": "expire"},
    }
    lifecycle = make(context, LIFECYCLE, repository="acme/mlflow", policy=json.dumps({"rules": [rule]}))
    with pytest.raises(CloudError, match="InvalidParameterException") as error:
        make(
            context,
            LIFECYCLE,
            repository="acme/mlflow",
            policy=json.dumps({"rules": [{**rule, "action": {"type": "keep"}}]}),
        )
    assert error.value.path == "policy"
    root = f"arn:aws:iam::{clients.server.instance.account}:root"
    policy = make(context, POLICY, repository="acme/mlflow", policy=document({"AWS": root}))
    with pytest.raises(CloudError, match=r"Invalid repository policy provided.*ghost") as error:
        policy.update(policy=document({"AWS": root.replace("root", "role/ghost")}))
    assert error.value.path == "policy"
    for resource in (policy, lifecycle):
        resource.delete()
        assert resource.read() is None
    repository.delete()
    assert repository.read() is None
    assert not [name for name in clients.server._inventory.of(clients.server) if name.startswith("ecr/")]
    missing = [{"encryptionType": "KMS", "kmsKey": key.rpartition("/")[0] + "/none"}]
    with pytest.raises(CloudError, match="does not exist or is not enabled") as error:
        make(context, REPOSITORY, name="x1", encryptionConfigurations=missing)
    assert error.value.path == "encryptionConfigurations"


def test_upstream_images_come_by_a_rule_and_their_repositories_by_a_template(
    clients: Clients, key: str
) -> None:
    context, iam = clients.context(), clients("iam")
    trust = document({"Service": "ecr.amazonaws.com"}, "sts:AssumeRole")
    role = iam.create_role(RoleName="templates", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    secret = clients("secretsmanager").create_secret(Name="ecr-pullthroughcache/hub", SecretString="{}")[
        "ARN"
    ]
    quay = make(context, CACHE, ecrRepositoryPrefix="quay", upstreamRegistryUrl="quay.io")
    assert quay.outputs.get("upstreamRepositoryPrefix") is None, (
        "the provider would replace a rule that asks for none at every update"
    )
    hub = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    for change, path, words in (
        (hub, "credentialArn", "requires authentication"),
        ({**hub, "credentialArn": secret[:-6] + "gone00"}, "credentialArn", "was not found"),
        (
            {**hub, "upstreamRegistryUrl": "example.com"},
            "upstreamRegistryUrl",
            "upstream registry isn't supported",
        ),
        (
            {**hub, "ecrRepositoryPrefix": "quay", "credentialArn": secret},
            "ecrRepositoryPrefix",
            "already exists",
        ),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(context, CACHE, **change)
        assert error.value.path == path
    cache = make(context, CACHE, **hub, credentialArn=secret)
    arguments: dict[str, Any] = {
        "prefix": "hub",
        "appliedFors": ["PULL_THROUGH_CACHE"],
        "imageTagMutability": "IMMUTABLE",
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key}],
        "resourceTags": {"team": "ml"},
    }
    with pytest.raises(CloudError, match="customRoleArn is required") as error:
        make(context, TEMPLATE, **arguments)
    assert error.value.path == "customRoleArn"
    template = make(context, TEMPLATE, **arguments, customRoleArn=role)
    assert template.update(description="of Docker Hub")["description"] == "of Docker Hub"
    assert template.outputs["resourceTags"] == {"team": "ml"}
    inventory = clients.server._inventory.of(clients.server)
    assert inventory["ecr/pull_through_cache_rules"] == ["hub", "quay"]
    for resource in (template, cache, quay):
        resource.delete()
        assert resource.read() is None


def test_a_rule_between_registries_of_ecr_has_a_prefix_at_upstream(clients: Clients) -> None:
    context, iam = clients.context(), clients("iam")
    account = clients.server.instance.account
    here = {
        "ecrRepositoryPrefix": "east",
        "upstreamRegistryUrl": f"{account}.dkr.ecr.us-east-1.amazonaws.com",
    }
    caches = [make(context, CACHE, **here)]
    assert caches[0].outputs["upstreamRepositoryPrefix"] == "ROOT"
    far = {
        "ecrRepositoryPrefix": "far",
        "upstreamRegistryUrl": "999988887777.dkr.ecr.us-west-2.amazonaws.com",
    }
    for name, service in (("pulling", "pullthroughcache.ecr.amazonaws.com"), ("making", "ecr.amazonaws.com")):
        trust = document({"Service": service}, "sts:AssumeRole")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if name == "pulling":
            caches.append(make(context, CACHE, **far, customRoleArn=role))
        else:
            with pytest.raises(CloudError, match="cannot be assumed by pullthroughcache") as error:
                make(context, CACHE, **{**far, "ecrRepositoryPrefix": "other"}, customRoleArn=role)
            assert error.value.path == "customRoleArn"
    for cache in caches:
        cache.delete()


def test_a_registry_scans(clients: Clients) -> None:
    context = clients.context()
    rules = [
        {
            "scanFrequency": "CONTINUOUS_SCAN",
            "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
        }
    ]
    scanning = make(context, SCANNING, scanType="ENHANCED", rules=rules)
    assert scanning.update(scanType="BASIC", rules=[])["scanType"] == "BASIC"
    scanning.delete()
