"""What GKE refuses of a cluster, in its words, and with nothing made."""

from __future__ import annotations

from typing import Any

import pytest

from twin.tests.gcp.api_servers import PROJECT, REGION, client
from twin.tests.gcp.services.container.scene import NODES, PARENT, Gke

KEY = f"projects/{PROJECT}/locations/{REGION}/keyRings/gke/cryptoKeys/secrets"
WINDOW = {"startTime": "2026-01-03T02:00:00Z", "endTime": "2026-01-03T08:00:00Z"}


def _maintenance(**window: Any) -> dict[str, Any]:
    return {"maintenancePolicy": {"window": window}}


def _exclusion(start: str, end: str) -> dict[str, Any]:
    return _maintenance(maintenanceExclusions={"freeze": {"startTime": start, "endTime": end}})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a name of 41 characters": ({"name": "c" * 41}, "it has 41 characters"),
    "a name with capitals": ({"name": "Demo"}, "must start with a lowercase letter"),
    "a label with capitals": ({"resourceLabels": {"Team": "ml"}}, "label key 'Team'"),
    "a label value with capitals": ({"resourceLabels": {"team": "ML"}}, "label value 'ML'"),
    "a network that is not there": ({"network": "no"}, 'Network "no" does not exist'),
    "a subnetwork that is not there": ({"subnetwork": "no"}, 'Subnetwork "no" does not exist'),
    "no subnetwork": ({"subnetwork": ""}, "custom subnet mode"),
    "a range that is not there": (
        {"ipAllocationPolicy": {"clusterSecondaryRangeName": "no"}},
        'Secondary range "no" does not exist in subnetwork "nodes"; its secondary ranges are: pods, '
        "services, few",
    ),
    "one range for Pods and Services": (
        {"ipAllocationPolicy": {"servicesSecondaryRangeName": "pods"}},
        "cannot use the same secondary range",
    ),
    "a Pods range too small for the first nodes": (
        {
            "ipAllocationPolicy": {"clusterSecondaryRangeName": "few"},
            "nodePools": [{"name": "one", "initialNodeCount": 1, "config": {"serviceAccount": NODES}}],
        },
        "has room for 1 more nodes, and the node pool begins with 3",
    ),
    "routes in place of alias addresses": ({"ipAllocationPolicy": {"useIpAliases": False}}, "VPC-native"),
    "a control plane block of /24": (
        {"privateClusterConfig": {"masterIpv4CidrBlock": "172.16.0.0/24"}},
        "must be a /28",
    ),
    "a control plane block over the nodes": (
        {"privateClusterConfig": {"masterIpv4CidrBlock": "10.0.1.0/28"}},
        "overlaps with the primary range of subnetwork nodes",
    ),
    "a control plane block over the Pods": (
        {"privateClusterConfig": {"masterIpv4CidrBlock": "10.4.9.0/28"}},
        "overlaps with the range pods",
    ),
    "a public control plane block": (
        {"privateClusterConfig": {"masterIpv4CidrBlock": "8.8.8.0/28"}},
        "must be a private",
    ),
    "a private endpoint without authorized networks": (
        {"privateClusterConfig": {"enablePrivateEndpoint": True}},
        "Master authorized networks must be enabled with private endpoint",
    ),
    "an authorized network that is none": (
        {"masterAuthorizedNetworksConfig": {"enabled": True, "cidrBlocks": [{"cidrBlock": "10.0.0.1/8"}]}},
        "is no CIDR block",
    ),
    "a version that the channel does not offer": (
        {"releaseChannel": {"channel": "STABLE"}, "initialClusterVersion": "1.36"},
        'No valid versions with the prefix "1.36" found in the STABLE channel',
    ),
    "a patch that is not offered": (
        {"initialClusterVersion": "1.35.1-gke.1"},
        'Master version "1.35.1-gke.1" is unsupported in the release channel REGULAR',
    ),
    "a workload pool of another project": (
        {"workloadIdentityConfig": {"workloadPool": "other.svc.id.goog"}},
        f"must be {PROJECT}.svc.id.goog",
    ),
    "Calico next to Dataplane V2": (
        {"networkPolicy": {"enabled": True}},
        "DatapathProvider=ADVANCED_DATAPATH",
    ),
    "multi-networking without Dataplane V2": (
        {"networkConfig": {"datapathProvider": "LEGACY_DATAPATH", "enableMultiNetworking": True}},
        "needs GKE Dataplane V2",
    ),
    "FUSE without Workload Identity": (
        {
            "addonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": True}},
            "workloadIdentityConfig": {"workloadPool": None},
        },
        "needs Workload Identity Federation",
    ),
    "encryption without a key": ({"databaseEncryption": {"state": "ENCRYPTED"}}, "keyName: must be given"),
    "encryption with a key that is not there": (
        {"databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY}},
        f"Cloud KMS key {KEY} does not exist",
    ),
    "zones of another region": ({"locations": ["us-east4-a"]}, "is not in the cluster's region"),
    "a maintenance window of three hours": (
        _maintenance(
            recurringWindow={
                "window": {**WINDOW, "endTime": "2026-01-03T05:00:00Z"},
                "recurrence": "FREQ=WEEKLY;BYDAY=SA",
            }
        ),
        "at least 4 hours",
    ),
    "a recurrence that is none": (
        _maintenance(recurringWindow={"window": WINDOW, "recurrence": "saturdays"}),
        "is no RRULE",
    ),
    "an exclusion that ends before it begins": (
        _exclusion("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        "endTime must be after startTime",
    ),
    "an exclusion without an end": (
        _maintenance(
            maintenanceExclusions={
                "nodes": {
                    "startTime": "2026-01-01T00:00:00Z",
                    "maintenanceExclusionOptions": {"scope": "NO_MINOR_OR_NODE_UPGRADES"},
                }
            }
        ),
        "endTime: '' is no time",
    ),
    "an exclusion with two ends": (
        _maintenance(
            maintenanceExclusions={
                "nodes": {
                    "startTime": "2026-01-01T00:00:00Z",
                    "endTime": "2027-01-01T00:00:00Z",
                    "maintenanceExclusionOptions": {
                        "scope": "NO_MINOR_OR_NODE_UPGRADES",
                        "endTimeBehavior": "UNTIL_END_OF_SUPPORT",
                    },
                }
            }
        ),
        "endTime cannot be set",
    ),
    "a complete exclusion until the end of support": (
        _maintenance(
            maintenanceExclusions={
                "all": {
                    "startTime": "2026-01-01T00:00:00Z",
                    "maintenanceExclusionOptions": {"endTimeBehavior": "UNTIL_END_OF_SUPPORT"},
                }
            }
        ),
        "is not for the scope NO_UPGRADES",
    ),
    "an exclusion of a year": (_exclusion("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), "at most 90 days"),
    "auto-provisioning without limits": (
        {"autoscaling": {"enableNodeAutoprovisioning": True}},
        "needs limits of cpu and of memory",
    ),
    "Autopilot": ({"autopilot": {"enabled": True}}, "GKE Standard only"),
    "no node pool": ({"nodePools": None}, "initial_node_count must be greater than zero"),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD)
def test_gke_refuses(prepared: Gke, changes: dict[str, Any], words: str) -> None:
    refusal = prepared.refuse(**changes)
    assert refusal.code == 400, refusal.message
    assert words in refusal.message
    assert prepared.view("cluster")["cluster"] is None, "nothing is made"


def test_the_service_agent_must_be_let_at_the_key(gke: Gke) -> None:
    keys = client(gke.server, "cloudkms").projects().locations().keyRings()
    keys.create(parent=PARENT, keyRingId="gke", body={}).execute()
    keys.cryptoKeys().create(
        parent=f"{PARENT}/keyRings/gke", cryptoKeyId="secrets", body={"purpose": "ENCRYPT_DECRYPT"}
    ).execute()
    agent = f"service-{gke.server.project_number}@container-engine-robot.iam.gserviceaccount.com"
    encryption = {"state": "ENCRYPTED", "keyName": KEY}
    refusal = gke.refuse(databaseEncryption=encryption)
    assert f"{agent} does not have permission cloudkms.cryptoKeyVersions.useToEncrypt" in refusal.message
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    policy = {"bindings": [{"role": role, "members": [f"serviceAccount:{agent}"]}]}
    keys.cryptoKeys().setIamPolicy(resource=KEY, body={"policy": policy}).execute()
    gke.create(databaseEncryption=encryption)
    assert gke.get()["databaseEncryption"]["currentState"] == "CURRENT_STATE_ENCRYPTED"


def test_a_project_without_the_api_makes_no_cluster(server: Any) -> None:
    refusal = Gke(server).refuse()
    assert refusal.code == 403
    assert "has not been used in project" in refusal.message


def test_an_update_changes_one_thing_and_is_read_back(gke: Gke) -> None:
    gke.running()
    gke.update(desiredAddonsConfig={"gcpFilestoreCsiDriverConfig": {"enabled": True}})
    cluster_body = gke.get()
    assert cluster_body["addonsConfig"]["gcpFilestoreCsiDriverConfig"] == {"enabled": True}
    assert cluster_body["addonsConfig"]["gcePersistentDiskCsiDriverConfig"] == {"enabled": True}, (
        "others stay"
    )
    assert "filestore-node" in {addon["name"] for addon in gke.view("addons")["addons"]}
    gke.update(desiredMasterVersion="1.36")
    assert gke.get()["currentMasterVersion"].startswith("1.36.")
    gke.update(desiredNodeVersion="-")
    assert gke.pool("first")["version"] == gke.get()["currentMasterVersion"]
    labels = {"resourceLabels": {"team": "core"}, "labelFingerprint": gke.get()["labelFingerprint"]}
    name = f"{PARENT}/clusters/demo"
    gke.clusters.setResourceLabels(name=name, body=labels).execute()
    assert gke.get()["resourceLabels"] == {"team": "core"}


def test_what_is_fixed_is_not_changed(running: Gke) -> None:
    assert "when a cluster is created" in running.refuse_update(desiredEnableMultiNetworking=True).message
    two = running.refuse_update(desiredShieldedNodes={"enabled": True}, desiredMasterVersion="1.36")
    assert "exactly one" in two.message
    assert running.refuse_update(desiredMasterVersion="1.31").code == 400
    down = running.refuse_update(desiredMasterVersion="1.34")
    assert "cannot be downgraded" in down.message
