"""A cluster that is ACTIVE, one a module; a node group of a test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from twin import instances
from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.server import ApiServer
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.scene import Names, group_params, make_cluster_of, network_and_roles, view


def active(clients: Clients) -> Names:
    """A network, roles, and the cluster `demo`, ACTIVE at 1.34."""
    names = network_and_roles(clients)
    cluster = make_cluster_of(clients, names)
    assert cluster["status"] == "CREATING", "the controller makes it ACTIVE"
    view(clients, "cluster_ready", endpoint="https://127.0.0.1:6443", certificate_authority="Q0E=")
    return names


@pytest.fixture(scope="module")
def names(clients: Clients) -> Names:
    """The module's cluster: tests leave it as they find it."""
    return active(clients)


@pytest.fixture
def pool(clients: Clients, names: Names) -> Iterator[str]:
    """The name of an ACTIVE node group `gpu...` of 0 to 4 g5.xlarge, with none; gone after the test."""
    name = f"gpu-{uuid.uuid4().hex[:6]}"
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    params = group_params(names, nodegroupName=name, taints=taints, labels={"pool": "gpu"})
    clients("eks").create_nodegroup(**params)
    view(clients, "node_group_health", node_group=name, ready=0, issues=[])
    yield name
    clients.server.faults.clear()
    clients("eks").delete_nodegroup(clusterName="demo", nodegroupName=name)
    for _ in range(2):
        view(clients, "machines")


@pytest.fixture
def separate_clients(home: Path) -> Iterator[Clients]:
    """An API server of the test's own, for what would change the module's cluster."""
    forget()
    server = ApiServer(instances.create("own"))
    yield Clients(server)
    server.close()
    forget()


def refusal(clients: Clients, operation: str, **params: Any) -> tuple[str, str]:
    """The code and words of a refused call."""
    with pytest.raises(ClientError) as refused:
        getattr(clients("eks"), operation)(**params)
    error: Any = refused.value.response["Error"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    return error["Code"], error["Message"]
