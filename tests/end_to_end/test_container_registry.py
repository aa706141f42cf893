"""Pushes and pulls of images with only the identity of Pods: login, layers, image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end import pods
from tests.end_to_end.images import push
from tests.end_to_end.plain import Base, Plain

pytestmark = pytest.mark.end_to_end

SPACE = "default"
WORKLOADS = ("pushing", "pulling", "stranger")
REPOSITORY = "acme-images/training"


def _program(cluster: str) -> None:
    """Declare a registry that one workload identity may write and another may read; a third is in no list."""
    from aiplatform.container_registry import ContainerRegistry
    from aiplatform.workload_identity import WorkloadIdentity

    group = aws.eks.get_cluster(name=cluster).vpc_config.cluster_security_group_id
    identities = {
        name: WorkloadIdentity(
            name,
            {
                "prefix": "acme-images",
                "name": name,
                "cluster": {"name": cluster, "security_group_id": group},
                "namespace": SPACE,
                "service_account": name,
            },
        )
        for name in WORKLOADS
    }
    registry = ContainerRegistry(
        "images",
        {
            "prefix": "acme-images",
            "repositories": ["training"],
            "writers": [identities["pushing"].principal],
            "readers": [identities["pulling"].principal],
            "force_destroy": True,
        },
    )
    pulumi.export("registry", registry.outputs)


class Workloads:
    """The deployed registry, and clients of ECR as Pods have them."""

    def __init__(self, plain: Plain, base: Base) -> None:
        self.plain, self.cluster = plain, base.cluster
        self.core = plain.core()

    def ecr(self, name: str) -> Any:
        """Return a client of ECR with the identity of a service account's Pods."""
        return pods.client(self.plain, pods.session_of(self.plain, self.cluster, SPACE, name), "ecr")


@pytest.fixture(scope="module")
def workloads(plain: Plain, base: Base) -> Iterator[Workloads]:
    """Service accounts with their identities, and the registry."""
    stack = plain.stack("images", lambda: _program(base.cluster))
    before = set(plain.inventory())
    stack.up()
    workloads = Workloads(plain, base)
    for name in WORKLOADS:
        workloads.core.create_namespaced_service_account(SPACE, {"metadata": {"name": name}})
    yield workloads
    for name in WORKLOADS:
        workloads.core.delete_namespaced_service_account(name, SPACE)
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before


def test_writers_of_the_registry_push_and_readers_pull(workloads: Workloads) -> None:
    digest = push(workloads.ecr("pushing"), REPOSITORY, "v1")
    reader = workloads.ecr("pulling")
    assert reader.get_authorization_token()["authorizationData"]
    pulled = reader.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "v1"}])["images"]
    assert [image["imageId"]["imageDigest"] for image in pulled] == [digest]


def test_readers_of_the_registry_cannot_push(workloads: Workloads) -> None:
    with pytest.raises(ClientError, match="not authorized to perform: ecr:InitiateLayerUpload"):
        push(workloads.ecr("pulling"), REPOSITORY, "v2")
    reader = workloads.ecr("pulling")
    with pytest.raises(ClientError, match="not authorized to perform: ecr:PutImage"):
        reader.put_image(repositoryName=REPOSITORY, imageManifest="{}", imageTag="v2")


def test_an_identity_in_no_list_cannot_log_in(workloads: Workloads) -> None:
    stranger = workloads.ecr("stranger")
    with pytest.raises(ClientError, match="not authorized to perform: ecr:GetAuthorizationToken"):
        stranger.get_authorization_token()
    with pytest.raises(ClientError, match="not authorized to perform: ecr:BatchGetImage"):
        stranger.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "v1"}])
