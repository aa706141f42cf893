"""A network, a node account and a cluster that GKE accepts, for the tests to spoil."""

from __future__ import annotations

import copy
from typing import Any

from twin.gcp.api_server.server import ApiServer
from twin.gcp.services.container.operations import controller_api
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, Refused

NODES = f"gke-nodes@{PROJECT}.iam.gserviceaccount.com"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
CLUSTER = f"{PARENT}/clusters/demo"
RANGES = [
    {"rangeName": "pods", "ipCidrRange": "10.4.0.0/17"},
    {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
    {"rangeName": "few", "ipCidrRange": "10.9.0.0/24"},
]


def prepare(server: ApiServer) -> None:
    """Enable the APIs; make the network, its subnetwork with ranges, and the nodes' account."""
    api_servers.enable(server, "iam", "cloudresourcemanager", "compute", "container", "cloudkms")
    api_servers.network(server)
    api_servers.subnetwork(server, secondaryIpRanges=RANGES)
    api_servers.client(server, "iam").projects().serviceAccounts().create(
        name=f"projects/{PROJECT}", body={"accountId": "gke-nodes", "serviceAccount": {}}
    ).execute()


def cluster_body(**changes: Any) -> dict[str, Any]:
    """A private, VPC-native cluster of one pool, with changes."""
    body: dict[str, Any] = {
        "name": "demo",
        "network": f"projects/{PROJECT}/global/networks/net",
        "subnetwork": f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes",
        "ipAllocationPolicy": {
            "useIpAliases": True,
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
        },
        "networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"},
        "privateClusterConfig": {"enablePrivateNodes": True, "masterIpv4CidrBlock": "172.16.0.0/28"},
        "releaseChannel": {"channel": "REGULAR"},
        "workloadIdentityConfig": {"workloadPool": f"{PROJECT}.svc.id.goog"},
        "nodePools": [pool_body("first", config={"machineType": "e2-standard-4"})],
        "resourceLabels": {"team": "ml"},
    }
    return merged(body, changes)


def pool_body(name: str, **changes: Any) -> dict[str, Any]:
    """A node pool of one node a zone, with changes."""
    body: dict[str, Any] = {
        "name": name,
        "initialNodeCount": 1,
        "locations": [f"{REGION}-a"],
        "config": {"machineType": "e2-standard-4", "serviceAccount": NODES},
    }
    return merged(body, changes)


def merged(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The body with changes laid over it, objects in objects; None takes a key away."""
    merged_body = copy.deepcopy(body)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(merged_body.get(key), dict):
            merged_body[key] = merged(merged_body[key], value)
        elif value is None:
            merged_body.pop(key, None)
        else:
            merged_body[key] = value
    return merged_body


class Gke:
    """The container API of an instance, and the far end of its control plane."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self._clusters = api_servers.client(server, "container").projects().locations().clusters()
        self._operations = api_servers.client(server, "container").projects().locations().operations()

    @property
    def clusters(self) -> Any:
        """projects.locations.clusters"""
        return self._clusters

    def view(self, name: str, /, **body: Any) -> dict[str, Any]:
        """Ask as the controller does."""
        with self.server.state.transaction():
            return controller_api.VIEWS[name](self.server, body)

    def create(self, parent: str = PARENT, **changes: Any) -> dict[str, Any]:
        """Create a cluster; answers the operation."""
        return self._clusters.create(parent=parent, body={"cluster": cluster_body(**changes)}).execute()

    def refuse(self, parent: str = PARENT, **changes: Any) -> Refused:
        """Create a cluster that must be refused."""
        return api_servers.refused(
            self._clusters.create(parent=parent, body={"cluster": cluster_body(**changes)})
        )

    def running(self, **changes: Any) -> dict[str, Any]:
        """Create a cluster and let its control plane and nodes come; answers the cluster."""
        operation = self.create(**changes)
        self.view("cluster_ready", endpoint="https://127.0.0.1:6443", certificate_authority="Q0E=")
        self.nodes_ready()
        assert self.operation(operation)["status"] == "DONE"
        return self.get()

    def nodes_ready(self) -> None:
        """Every machine is a Ready node."""
        machines = self.view("machines")["machines"]
        groups = {group["name"]: group["node_group"] for group in self.view("groups")["groups"]}
        counts = dict.fromkeys(groups.values(), 0)
        for machine in machines:
            counts[groups[machine["group"]]] += 1
        for name, count in counts.items():
            self.view("node_group_health", node_group=name, ready=count, issues=[])

    def get(self) -> dict[str, Any]:
        """The cluster."""
        return self._clusters.get(name=CLUSTER).execute()

    def operation(self, operation: dict[str, Any]) -> dict[str, Any]:
        """An operation as it is now."""
        return self._operations.get(name=f"{PARENT}/operations/{operation['name']}").execute()

    def update(self, **change: Any) -> dict[str, Any]:
        """clusters.update"""
        return self._clusters.update(name=CLUSTER, body={"update": change}).execute()

    def refuse_update(self, **change: Any) -> Refused:
        """clusters.update that must be refused."""
        return api_servers.refused(self._clusters.update(name=CLUSTER, body={"update": change}))

    def add_pool(self, name: str, **changes: Any) -> dict[str, Any]:
        """nodePools.create; answers the operation."""
        body = {"nodePool": pool_body(name, **changes)}
        return self._clusters.nodePools().create(parent=CLUSTER, body=body).execute()

    def refuse_pool(self, name: str = "bad", **changes: Any) -> Refused:
        """nodePools.create that must be refused."""
        body = {"nodePool": pool_body(name, **changes)}
        return api_servers.refused(self._clusters.nodePools().create(parent=CLUSTER, body=body))

    def pool(self, name: str) -> dict[str, Any]:
        """nodePools.get"""
        return self._clusters.nodePools().get(name=f"{CLUSTER}/nodePools/{name}").execute()
