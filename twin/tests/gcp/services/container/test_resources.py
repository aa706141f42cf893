"""Clusters and node pools, against an API server whose cluster starts while the provider waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twin.core.diff import compare
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import table as functions
from twin.gcp.resources.table import table
from twin.provider_interface import CANCELLED, UNKNOWN, CloudError
from twin.tests.gcp import api_servers
from twin.tests.gcp.resources.life import Direct, Made, context, make, refused
from twin.tests.gcp.services.container import scene
from twin.tests.gcp.services.container.scene import NODES, Gke

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
ASKED = {
    "name": "demo",
    "location": "us-central1-a",
    "network": "net",
    "subnetwork": "nodes",
    "initialNodeCount": 1,
    "removeDefaultNodePool": True,
    "deletionProtection": False,
    "nodeConfig": {"serviceAccount": NODES, "machineType": "e2-standard-4"},
    "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
    "datapathProvider": "ADVANCED_DATAPATH",
    "releaseChannel": {"channel": "REGULAR"},
    "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
    "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    "masterAuthorizedNetworksConfig": {
        "cidrBlocks": [{"cidrBlock": "203.0.113.0/24", "displayName": "office"}]
    },
    "workloadIdentityConfig": {"workloadPool": "acme-ml-dev.svc.id.goog"},
    "maintenancePolicy": {
        "recurringWindow": {
            "startTime": "2026-01-03T02:00:00Z",
            "endTime": "2026-01-03T08:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        }
    },
    "resourceLabels": {"team": "ml"},
}
GPUS = {
    "machineType": "g2-standard-8",
    "serviceAccount": NODES,
    "spot": True,
    "guestAccelerators": [
        {"type": "nvidia-l4", "count": 1, "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"}}
    ],
    "taints": [{"key": "team", "value": "ml", "effect": "NO_SCHEDULE"}],
    "labels": {"team": "ml"},
    "resourceLabels": {"team": "ml"},
}


class Simulated(Direct):
    """A transport behind which the control plane and the nodes come as soon as a caller waits for them."""

    def __init__(self, gke: Gke, waits: tuple[str, ...] = ("/operations/",)) -> None:
        super().__init__(gke.server)
        self.gke = gke
        self.waits = waits

    def _send(
        self, scheme: str, host: str, verb: str, target: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if verb == "GET" and any(part in target for part in self.waits):
            cluster_view = self.gke.view("cluster")["cluster"]
            if cluster_view and cluster_view["status"] == "DELETING":
                self.gke.view("cluster_gone")
            elif cluster_view:
                self.gke.view(
                    "cluster_ready", endpoint="https://127.0.0.1:6443", certificate_authority="Q0E="
                )
                self.gke.nodes_ready()
        return super()._send(scheme, host, verb, target, body, headers)


@dataclass
class Stage:
    """A provider, and the GKE behind it."""

    gcp: GcpContext
    gke: Gke

    @property
    def sent(self) -> list[str]:
        """The changes that were asked for since the last look."""
        transport = self.gcp.transport
        assert isinstance(transport, Direct)
        sent, transport.sent = transport.sent, []
        return sent

    def cluster(self, **more: object) -> Made:
        """A cluster without its default pool."""
        return make(self.gcp, CLUSTER, **{**ASKED, **more})

    def pool(self, cluster: Made, **more: object) -> Made:
        """A pool of spot machines with a GPU that begins with none."""
        arguments = {
            "name": "gpus",
            "cluster": cluster.id,
            "nodeConfig": GPUS,
            "autoscaling": {"minNodeCount": 0, "maxNodeCount": 4},
            "management": {"autoRepair": True, "autoUpgrade": True},
        }
        return make(self.gcp, POOL, **{**arguments, **more})


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    CANCELLED.clear()
    server = api_servers.make()
    scene.prepare(server)
    gke = Gke(server)
    yield Stage(context(server, transport=Simulated(gke)), gke)
    server.close()


def test_a_cluster_lives(stage: Stage) -> None:
    cluster = stage.cluster()
    assert cluster.id == "projects/acme-ml-dev/locations/us-central1-a/clusters/demo"
    out = cluster.outputs
    assert out["endpoint"] == "127.0.0.1:6443"
    assert out["masterAuth"]["clusterCaCertificate"] == "Q0E="
    assert out["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] == "127.0.0.1:6443"
    assert out["privateClusterConfig"]["enablePrivateNodes"] is True
    assert out["networkingMode"] == "VPC_NATIVE"
    assert out["nodePools"] == [], "the default pool is gone"
    assert out["effectiveLabels"]["owner"] == "platform"
    assert out["masterVersion"]
    cluster.delete()
    assert cluster.read() is None


def test_a_cluster_changes_one_field_a_call(stage: Stage) -> None:
    cluster = stage.cluster()
    assert stage.sent
    networks = {"cidrBlocks": [{"cidrBlock": "198.51.100.0/24"}]}
    after = cluster.update(masterAuthorizedNetworksConfig=networks)
    assert after["masterAuthorizedNetworksConfig"]["cidrBlocks"] == networks["cidrBlocks"]
    assert stage.sent == ["PUT demo"]
    after = cluster.update(
        releaseChannel={"channel": "STABLE"},
        costManagementConfig={"enabled": True},
        resourceLabels={"team": "x"},
    )
    assert after["releaseChannel"] == {"channel": "STABLE"}
    assert after["costManagementConfig"] == {"enabled": True}
    assert after["effectiveLabels"]["team"] == "x"
    assert sorted(stage.sent) == ["POST demo:setResourceLabels", "PUT demo", "PUT demo"]
    daily = {"dailyMaintenanceWindow": {"startTime": "03:00"}}
    after = cluster.update(maintenancePolicy=daily)
    assert after["maintenancePolicy"]["dailyMaintenanceWindow"]["startTime"] == "03:00"
    assert stage.sent == ["POST demo:setMaintenancePolicy"]
    assert cluster.replaced_by(datapathProvider="LEGACY_DATAPATH") == ["datapathProvider"]
    assert cluster.replaced_by(location="us-central1-b") == ["location"]
    assert not cluster.replaced_by(network="projects/acme-ml-dev/global/networks/net")
    assert not cluster.replaced_by(subnetwork="projects/acme-ml-dev/regions/us-central1/subnetworks/nodes")


def test_a_node_pool_lives_and_changes(stage: Stage) -> None:
    cluster = stage.cluster(releaseChannel={"channel": "UNSPECIFIED"})
    pool = stage.pool(cluster)
    assert pool.id == f"{cluster.id}/nodePools/gpus"
    assert pool.outputs["cluster"] == cluster.id
    assert pool.outputs["nodeCount"] == 0
    assert pool.outputs["nodeConfig"]["taints"] == GPUS["taints"], "GKE's own taint of a GPU is not shown"
    assert GPUS["taints"][0] in pool.outputs["nodeConfig"]["effectiveTaints"]  # type: ignore[index]
    assert pool.outputs["instanceGroupUrls"]
    assert stage.sent
    after = pool.update(autoscaling={"minNodeCount": 1, "maxNodeCount": 8})
    assert after["autoscaling"]["maxNodeCount"] == 8
    assert stage.sent == ["PUT demo"], "autoscaling is a change of the cluster"
    after = pool.update(nodeConfig={**GPUS, "labels": {"team": "data"}})
    assert after["nodeConfig"]["labels"]["team"] == "data"
    assert stage.sent == ["PUT gpus"]
    after = pool.update(management={"autoRepair": False, "autoUpgrade": True})
    assert not after["management"].get("autoRepair")
    assert stage.sent == ["POST gpus:setManagement"]
    on_demand = {**GPUS, "spot": False}
    assert pool.replaced_by(nodeConfig=on_demand) == ["nodeConfig.spot"]
    other = {**GPUS, "guestAccelerators": [{**GPUS["guestAccelerators"][0], "count": 2}]}  # type: ignore[index]
    assert pool.replaced_by(nodeConfig=other) == ["nodeConfig.guestAccelerators[0].count"]
    pool.delete()
    assert pool.read() is None


def test_a_node_pool_keeps_its_version_until_another_one_is_stated(stage: Stage) -> None:
    cluster = stage.cluster()
    exclusion: list[dict[str, Any]] = [{"exclusionUntilEndOfSupports": [{"enabled": True}]}]
    pool = stage.pool(cluster, version="1.35.6-gke.1250000", maintenancePolicies=exclusion)
    assert pool.outputs["version"] == "1.35.6-gke.1250000", "older than the control plane"
    assert pool.outputs["maintenancePolicies"] == exclusion
    assert stage.sent
    after = pool.update(version="1.35.7-gke.1222000")
    assert after["version"] == "1.35.7-gke.1222000"
    assert stage.sent == ["PUT gpus"], "in place"
    pool.delete()


def test_a_cluster_that_exists_gets_an_exclusion_until_the_end_of_support(stage: Stage) -> None:
    nodes = {"scope": "NO_MINOR_OR_NODE_UPGRADES", "endTimeBehavior": "UNTIL_END_OF_SUPPORT"}
    exclusion = {"exclusionName": "nodes", "startTime": "2026-01-01T00:00:00Z", "exclusionOptions": nodes}
    cluster = stage.cluster()
    after = cluster.update(
        maintenancePolicy={**ASKED["maintenancePolicy"], "maintenanceExclusions": [exclusion]}
    )
    (sent,) = after["maintenancePolicy"]["maintenanceExclusions"]
    assert sent == exclusion, "unlike the exclusion of a node pool that exists"


def test_an_exclusion_of_upgrades_does_not_reach_a_node_pool_that_exists(stage: Stage) -> None:
    exclusion: list[dict[str, Any]] = [{"exclusionUntilEndOfSupports": [{"enabled": True}]}]
    pool = stage.pool(stage.cluster(), version="1.35.6-gke.1250000")
    stage.sent.clear()
    pool.update(maintenancePolicies=exclusion)
    assert stage.sent == [], "the provider's update does not send it (terraform-provider-google, issue 29152)"
    pool.delete()


def test_a_flex_start_pool_has_drift_where_its_upgrade_strategy_is_set_and_none_where_it_is_left_out(
    stage: Stage,
) -> None:
    cluster = stage.cluster()
    flex: dict[str, Any] = {
        "nodeConfig": {
            "machineType": "a3-highgpu-8g",
            "serviceAccount": NODES,
            "flexStart": True,
            "maxRunDuration": "604800s",
            "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"},
            "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 8}],
            "ephemeralStorageLocalSsdConfig": {"localSsdCount": 16},
        },
        "management": {"autoRepair": False, "autoUpgrade": True},
    }
    pool = stage.pool(cluster, **flex)
    assert pool.outputs["upgradeSettings"]["strategy"] == "SHORT_LIVED"
    with pytest.raises(AssertionError, match="drift"):
        stage.pool(cluster, name="other", **flex, upgradeSettings={"strategy": "SURGE", "maxUnavailable": 1})


def test_a_pool_of_a_fixed_size_is_resized(stage: Stage) -> None:
    cluster = stage.cluster()
    pool = stage.pool(cluster, name="plain", autoscaling=None, nodeCount=1, nodeConfig=ASKED["nodeConfig"])
    assert pool.outputs["nodeCount"] == 1
    assert stage.sent
    assert pool.update(nodeCount=2)["nodeCount"] == 2
    assert stage.sent == ["POST plain:setSize"]


def test_a_protected_cluster_is_not_destroyed(stage: Stage) -> None:
    cluster = stage.cluster(deletionProtection=None)
    kind = table()[CLUSTER]
    assert kind.defaults["deletionProtection"] is True
    with pytest.raises(CloudError, match="Cannot destroy cluster because deletionProtection is set to true"):
        kind.delete(stage.gcp, cluster.id, {**cluster.outputs, "deletionProtection": True})
    assert cluster.read() is not None


def test_what_gke_refuses_is_said_at_the_property(stage: Stage) -> None:
    with pytest.raises(CloudError, match="Error creating GKE cluster: googleapi: Error 400") as caught:
        stage.cluster(ipAllocationPolicy={**ASKED["ipAllocationPolicy"], "clusterSecondaryRangeName": "nope"})
    assert caught.value.path == "ipAllocationPolicy.clusterSecondaryRangeName"
    cluster = stage.cluster()
    with pytest.raises(CloudError) as caught:
        stage.pool(cluster, nodeConfig={**GPUS, "machineType": "g2-standard-9"})
    assert caught.value.path == "nodeConfig.machineType", str(caught.value)


def test_check_refuses_what_the_providers_schema_does(stage: Stage) -> None:
    failures = refused(
        stage.gcp,
        CLUSTER,
        **{
            **ASKED,
            "name": "Demo",
            "initialNodeCount": None,
            "releaseChannel": {"channel": "FAST"},
            "privateClusterConfig": {"masterIpv4CidrBlock": "172.16.0.0/24"},
            "maintenancePolicy": {"dailyMaintenanceWindow": {"startTime": "3am"}},
            "clusterAutoscaling": {"enabled": True, "autoscalingProfile": "FAST"},
        },
    )
    assert set(failures) == {
        "name",
        "initialNodeCount",
        "releaseChannel.channel",
        "privateClusterConfig.masterIpv4CidrBlock",
        "maintenancePolicy.dailyMaintenanceWindow.startTime",
        "clusterAutoscaling.autoscalingProfile",
    }
    failures = refused(
        stage.gcp,
        POOL,
        cluster="demo",
        initialNodeCount=1,
        nodeCount=1,
        nodeConfig={**GPUS, "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}], "diskSizeGb": 5},
        upgradeSettings={"strategy": "BLUE_GREEN", "maxSurge": 1},
    )
    assert set(failures) == {
        "nodeCount",
        "nodeConfig.taints[0].effect",
        "nodeConfig.diskSizeGb",
        "upgradeSettings.maxSurge",
    }
    assert not refused(stage.gcp, POOL, cluster=UNKNOWN, nodeConfig=UNKNOWN, autoscaling=UNKNOWN)


def test_a_pool_that_gets_no_machines_is_kept_and_shown_as_failed(stage: Stage) -> None:
    kind = table()[POOL]
    cluster = stage.cluster()
    pool = stage.pool(cluster, name="kept")
    # What the program leaves out is no change: the API chose it.
    fewer = {key: value for key, value in pool.inputs.items() if key != "management"}
    assert not compare(kind, pool.inputs, pool.outputs, fewer).changes


def test_the_function_tells_of_a_cluster_in_lists_of_one(stage: Stage) -> None:
    function = functions()["gcp:container/getCluster:getCluster"]
    with pytest.raises(CloudError, match="clusters/demo not found"):
        function.invoke(stage.gcp, {"name": "demo", "location": "us-central1-a"})
    cluster = stage.cluster()
    stage.pool(cluster)
    answered = function.invoke(stage.gcp, {"name": "demo", "location": "us-central1-a"})
    assert answered["id"] == cluster.id
    assert answered["releaseChannels"] == [{"channel": "REGULAR"}]
    assert answered["enableMultiNetworking"] is False or answered["enableMultiNetworking"] is None
    assert answered["nodePools"][0]["upgradeSettings"][0]["strategy"] == "SURGE"
    assert answered["nodePools"][0]["nodeConfigs"][0]["guestAccelerators"][0]["type"] == "nvidia-l4"
