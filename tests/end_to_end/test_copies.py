"""A copy of a stopped twin runs at the same time as its source, and each has its own state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.end_to_end.plain import Plain
from twin import instances
from twin.instances import Instance
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def source(home: Path) -> Iterator[Plain]:
    """A twin with a network and a cluster."""
    twin = Plain(home, "copied")
    twin.base()
    yield twin
    twin.cli("twin", "reset", "--name", "copy", "--yes", check=False)
    twin.remove()


def namespaces(instance: Instance) -> set[str]:
    # Any: in the generated types every field is optional.
    api: Any = client.CoreV1Api(config.new_client_from_config(str(instance.kubeconfig)))
    return {item.metadata.name for item in api.list_namespace().items}


def test_a_copy_has_cloud_cluster_and_stacks_and_changes_alone(source: Plain) -> None:
    refused = source.cli("twin", "copy", "copied", "copy", check=False)
    assert refused.returncode, "etcd's files change while it runs"
    assert "twin stop --name copied" in refused.stderr
    before = source.inventory()
    source.cli("twin", "stop", "--name", "copied")
    source.cli("twin", "copy", "copied", "copy")
    for name in ("copied", "copy"):
        source.cli("twin", "start", "--name", name)
    copy = instances.load("copy")
    assert copy is not None
    run = ("twin", "run", "--name", "copy", "--")
    kubectl = (*run, "kubectl", "--kubeconfig", str(copy.kubeconfig))
    source.cli(*kubectl, "create", "namespace", "only-here")
    assert "only-here" in namespaces(copy)
    assert "only-here" not in namespaces(source.instance)
    output = source.cli(*run, "aws", "ec2", "create-vpc", "--cidr-block", "10.9.0.0/16").stdout
    assert "10.9.0.0/16" in output
    assert source.inventory() == before, "the source's cloud is as it was"
    stack = source.home / "project-copied-base"
    preview = source.cli(*run, "pulumi", "-C", str(stack), "stack", "output", "--stack", "base").stdout
    assert "vpc_id" in preview
    eventually("healthy source", lambda: source.deployed("base").refresh().summary.result == "succeeded")
