"""From a folder to a digest in the registry of aws-prod, by the identity of CI, and to a Pod in its cluster.

The builder is a program that copies an image which the test has written: no container is built here. All else
is the command of a user, its client of registries under ECR's own host name, and the guardrails of aws-prod.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from stacks import arguments
from stacks.loading import ENVIRONMENTS, load_file
from tests.cli.images.folders import commit, git
from tests.cli.images.oci_layouts import archive, write
from tests.cli.images.programs import Programs
from tests.end_to_end import pods
from tests.end_to_end.guardrail_objects import spec
from tests.end_to_end.guardrails import ADMIN, Cluster, guardrails
from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Plain
from twin import environment
from twin.registry.hosts import RegistryHosts

pytestmark = pytest.mark.end_to_end

ACCOUNT = "333344445555"
HOST = f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com"
REPOSITORY = f"{HOST}/acme-prod/training"


EXAMPLES = ("image", "training", "batch-inference", "fine-tune")
_generated = shutil.ignore_patterns("__pycache__", ".venv", ".image")


def _program() -> None:
    """Declare the registry of aws-prod, which the role of CI may write, and a role in no list."""
    from aiplatform.container_registry import ContainerRegistry

    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    roles = {name: aws.iam.Role(name, name=name, assume_role_policy=trust) for name in ("images", "stranger")}
    registry = ContainerRegistry(
        "images",
        {
            "prefix": "acme-prod",
            "repositories": ["training", "serving"],
            "writers": [roles["images"].arn],
            "force_destroy": True,
        },
    )
    pulumi.export("registry", registry.outputs)


@dataclass
class Production:
    """A twin with the account of aws-prod, its registry and its guardrails."""

    twin: Plain
    cluster: Cluster
    hosts: RegistryHosts
    folder: Path
    """A copy of examples/image, committed, next to those of the other examples."""
    digest: str
    """Of the image that the builder builds."""
    bin: Path
    """A folder with the builder."""

    def image(self, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `aiplatform image ...` with the identity of a role."""
        session = pods.assumed(self.twin.aws("sts"), f"arn:aws:iam::{ACCOUNT}:role/{role}")
        known = environment.complete(self.twin.instance)
        path = os.pathsep.join((str(self.bin), known["PATH"]))
        docker = str(self.bin / "no-login")
        return subprocess.run(
            [sys.executable, "-m", "cli", "image", *arguments],
            cwd=ROOT,
            env={**known, **session, **self.hosts.variables, "PATH": path, "DOCKER_CONFIG": docker},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def refusal(self, image: str) -> str:
        """Return why the cluster refuses a Pod with an image; empty where it admits it."""
        container = {"name": "train", "image": image}
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "example"},
            "spec": spec(container=container),
        }
        return self.cluster.refusal(body, ADMIN, "default")


@pytest.fixture(scope="module")
def production(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    twin = Plain(home, "image-build", "--account", ACCOUNT)
    folder = tmp_path_factory.mktemp("work")
    try:
        stack = twin.stack("images", _program)
        stack.up()
        cluster = Cluster(twin.instance)
        settings: Any = arguments.guardrails(load_file(ENVIRONMENTS / "Pulumi.aws-prod.yaml"))
        cluster.apply(guardrails(**settings))
        for name in EXAMPLES:
            shutil.copytree(ROOT / "examples" / name, folder / "repository" / name, ignore=_generated)
        git(folder / "repository", "init", "-q", "-b", "main")
        commit(folder / "repository")
        digest = write(folder / "layout")
        with pytest.MonkeyPatch.context() as patch:
            programs = Programs(folder / "bin", patch)
        programs.add("docker", archive(folder / "layout", folder / "built.tar"))
        with RegistryHosts(twin.instance) as hosts:
            yield Production(twin, cluster, hosts, folder / "repository" / "image", digest, programs.folder)
        stack.destroy()
        assert twin.inventory() == {}, "images are deleted with their repositories"
    finally:
        twin.remove()


def test_folder_is_pushed_by_ci_and_its_digest_admitted_in_prod(production: Production) -> None:
    done = production.image("images", "build", str(production.folder), "aws-prod", "--push")
    assert done.returncode == 0, done.stderr
    reference = done.stdout.strip()
    name, _, digest = reference.partition("@")
    assert name.startswith(f"{REPOSITORY}:example-")
    assert digest == production.digest
    recorded = production.twin.aws("ecr").describe_images(repositoryName="acme-prod/training")["imageDetails"]
    assert [image["imageDigest"] for image in recorded] == [digest]
    assert production.refusal(reference) == ""
    assert "no digest" in production.refusal(name), "a tag is not enough"
    elsewhere = reference.replace(HOST, "docker.io")
    assert "its registry is not allowed" in production.refusal(elsewhere)
    other_repository = reference.replace("acme-prod/training", "acme-prod-quay/app")
    assert "its registry is not allowed" in production.refusal(other_repository), "nor what a cache has"
    again = production.image("images", "build", str(production.folder), "aws-prod", "--push")
    assert again.stdout == done.stdout
    assert "is not built again" in again.stderr


@pytest.mark.parametrize("name", EXAMPLES[1:])
def test_folder_of_an_example_is_pushed_to_the_registry_of_prod(production: Production, name: str) -> None:
    done = production.image("images", "build", str(production.folder.parent / name), "aws-prod", "--push")
    assert done.returncode == 0, done.stderr
    reference = done.stdout.strip()
    assert reference.startswith(f"{REPOSITORY}:{name}-")
    assert reference.endswith(f"@{production.digest}")
    assert production.refusal(reference) == "", "prod admits it"
    definition = production.folder.parent / name / ".image" / "definition" / "Containerfile"
    assert "@sha256:" in definition.read_text().splitlines()[1]


def test_identity_in_no_list_cannot_push(production: Production) -> None:
    layout = str(production.folder.parents[1] / "layout")
    done = production.image("stranger", "push", layout, f"{REPOSITORY}:stranger")
    assert done.returncode == 1
    assert "not authorized to perform: ecr:GetAuthorizationToken" in done.stderr


def test_tag_keeps_its_image(production: Production, tmp_path: Path) -> None:
    layout = str(production.folder.parents[1] / "layout")
    first = production.image("images", "push", layout, f"{REPOSITORY}:v1")
    assert first.returncode == 0, first.stderr
    write(tmp_path / "other", b"other")
    done = production.image("images", "push", str(tmp_path / "other"), f"{REPOSITORY}:v1")
    assert done.returncode == 1
    assert f"has {production.digest}; expected another tag" in done.stderr
