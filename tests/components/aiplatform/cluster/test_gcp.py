"""The cluster on Google Cloud: resources, their order, and secure defaults."""

import json

import pytest

from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.cluster.gke import GKE, GRANT, NETWORK, POOL, ROLE
from tests.components.cloud_answers import PROJECT
from tests.components.recording import Recording, value


@pytest.fixture(scope="module")
def default() -> Recording:
    """A cluster with only the required arguments, and a pool's nodes."""
    return gke.default()


@pytest.fixture(scope="module")
def full() -> Recording:
    """A cluster with all options."""
    return gke.full()


def test_logical_names_are_a_contract(default: Recording):
    assert [name for name in default.names() if " cluster" in name] == [
        "aiplatform:index:Cluster cluster",
        "gcp:compute/firewall:Firewall cluster-webhooks",
        "gcp:container/cluster:Cluster cluster-cluster",
        "gcp:container/nodePool:NodePool cluster-system",
        "gcp:kms/cryptoKey:CryptoKey cluster-key",
        "gcp:kms/cryptoKey:CryptoKey cluster-logs-key",
        "gcp:kms/cryptoKey:CryptoKey cluster-volumes-key",
        f"{GRANT} cluster-key",
        f"{GRANT} cluster-logs-key",
        f"{GRANT} cluster-volumes-key",
        "gcp:kms/keyRing:KeyRing cluster-keys",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig cluster-logs",
        "gcp:logging/projectExclusion:ProjectExclusion cluster-logs",
        "gcp:logging/projectSink:ProjectSink cluster-logs",
        f"{ROLE} cluster-nodes-artifactregistry-reader",
        f"{ROLE} cluster-nodes-container-defaultNodeServiceAccount",
        f"{ROLE} cluster-nodes-serviceusage-serviceUsageConsumer",
        *(
            f"gcp:projects/service:Service cluster-api-{api}"
            for api in (
                "artifactregistry",
                "cloudkms",
                "cloudresourcemanager",
                "compute",
                "container",
                "containerfilesystem",
                "containersecurity",
                "iam",
                "logging",
                "monitoring",
            )
        ),
        "gcp:projects/serviceIdentity:ServiceIdentity cluster-gke-agent",
        "gcp:serviceaccount/account:Account cluster-nodes",
        "kubernetes:storage.k8s.io/v1:StorageClass cluster-balanced",
        "kubernetes:storage.k8s.io/v1:StorageClass cluster-hyperdisk",
        "kubernetes:storage.k8s.io/v1:StorageClassPatch cluster-standard-rwo",
        "pulumi:providers:kubernetes cluster-kubernetes",
    ]


def test_optional_features_add_logical_names(default: Recording, full: Recording):
    assert set(full.names()) - set(default.names()) == {
        "gcp:binaryauthorization/policy:Policy cluster-images",
        "gcp:compute/firewall:Firewall cluster-ssh-by-iap",
        f"{ROLE} cluster-admin-ada-at-acme.com",
        f"{ROLE} cluster-admin-platform-at-acme.com",
        "gcp:projects/service:Service cluster-api-binaryauthorization",
        "gcp:projects/service:Service cluster-api-file",
        "gcp:projects/service:Service cluster-api-iap",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding cluster-admin-ada-at-acme.com",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding cluster-admin-platform-at-acme.com",
    }


def test_every_part_is_a_child_of_the_component(default: Recording):
    component = default.one("aiplatform:index:Cluster")
    for resource in default.resources:
        if resource is not component and resource.name not in ("pool", "workload"):
            assert resource.parent == component.urn, resource.name


def test_the_cluster_depends_on_apis_permissions_keys_and_logs(default: Recording):
    cluster = default.one(GKE)
    for api in default.all("gcp:projects/service:Service"):
        assert default.depends(cluster, api), api.name
    for grant in default.all(GRANT):
        assert default.depends(cluster, grant), grant.name
    for role in default.all(ROLE):
        assert default.depends(cluster, role), "its first nodes have the account's rights"
    exclusion = default.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert default.depends(cluster, exclusion), "its first logs go where they belong"


def test_accounts_and_roles_wait_for_their_apis_which_a_new_project_has_not(full: Recording):
    iam, projects = (full.named(f"cluster-api-{api}") for api in ("iam", "cloudresourcemanager"))
    assert full.depends(full.one("gcp:serviceaccount/account:Account"), iam)
    roles = full.all(ROLE)
    assert [role.name for role in roles if role.name.startswith("cluster-admin-")]
    for role in roles:
        assert full.depends(role, projects), role.name


def test_the_cluster_is_closed_by_default(default: Recording):
    cluster = default.one(GKE).inputs
    assert cluster["privateClusterConfig"] == {
        "enablePrivateNodes": True,
        "enablePrivateEndpoint": True,
        "privateEndpointSubnetwork": NETWORK["intra_subnet_ids"][0],
    }
    authorized = cluster["masterAuthorizedNetworksConfig"]
    assert authorized["cidrBlocks"] == [{"cidrBlock": "10.16.0.0/16", "displayName": "network"}]
    assert authorized["gcpPublicCidrsAccessEnabled"] is False
    assert authorized["privateEndpointEnforcementEnabled"] is True
    dns = cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
    assert dns == {"allowExternalTraffic": False}
    assert cluster["databaseEncryption"]["state"] == "ENCRYPTED"
    assert cluster["enableShieldedNodes"] is True
    assert cluster["enableLegacyAbac"] is False
    assert cluster["anonymousAuthenticationConfig"] == {"mode": "LIMITED"}
    assert cluster["masterAuth"] == {"clientCertificateConfig": {"issueClientCertificate": False}}
    assert cluster["workloadIdentityConfig"] == {"workloadPool": f"{PROJECT}.svc.id.goog"}


def test_listed_addresses_reach_a_public_endpoint_beside_the_private_one():
    recorded = gke.cluster(api_access={"mode": "cidrs", "cidrs": ["192.52.193.0/24"]})
    cluster = recorded.one(GKE).inputs
    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is False
    blocks = cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"]
    assert [block["cidrBlock"] for block in blocks] == ["10.16.0.0/16", "192.52.193.0/24"]
    assert value(recorded.result.endpoint) == "https://192.52.193.7"


def test_the_dns_endpoint_is_guarded_by_iam_and_needs_no_ca(full: Recording):
    cluster = full.one(GKE).inputs
    assert cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {"allowExternalTraffic": True}
    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is True, "no public address"
    config = json.loads(value(full.result.kubeconfig))
    (entry,) = config["clusters"]
    assert entry["cluster"] == {"server": "https://gke-0123456789ab.europe-west4.gke.goog"}


def test_pods_and_services_have_the_networks_ranges_and_dataplane_v2(default: Recording):
    cluster = default.one(GKE).inputs
    assert cluster["networkingMode"] == "VPC_NATIVE"
    assert cluster["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "pods",
        "servicesSecondaryRangeName": "services",
        "stackType": "IPV4",
    }
    assert cluster["subnetwork"] == NETWORK["private_subnet_ids"][0]
    assert cluster["defaultMaxPodsPerNode"] == 64, "what the network was planned for"
    assert cluster["datapathProvider"] == "ADVANCED_DATAPATH", "it enforces NetworkPolicy"
    assert "networkPolicy" not in cluster, "that is the other data plane's"
    assert "enableMultiNetworking" not in cluster


def test_a_regional_control_plane_and_a_zonal_one(default: Recording, full: Recording):
    regional, zonal = default.one(GKE).inputs, full.one(GKE).inputs
    assert regional["location"] == "europe-west4"
    assert regional["nodeLocations"] == ["europe-west4-a", "europe-west4-b", "europe-west4-c"]
    assert zonal["location"] == "europe-west4-a"
    assert zonal["nodeLocations"] == ["europe-west4-b", "europe-west4-c"], "GKE wants its own left out"
    assert full.one(POOL).inputs["location"] == "europe-west4-a"


def test_versions_follow_the_channel_within_windows(default: Recording, full: Recording):
    assert default.one(GKE).inputs["minMasterVersion"] == "1.35"
    assert default.one(GKE).inputs["releaseChannel"] == {"channel": "REGULAR"}
    assert "maintenancePolicy" not in default.one(GKE).inputs
    policy = full.one(GKE).inputs["maintenancePolicy"]
    assert policy["recurringWindow"] == {
        "startTime": "2026-01-01T22:30:00Z",
        "endTime": "2026-01-02T04:30:00Z",
        "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
    }
    (exclusion,) = policy["maintenanceExclusions"]
    assert exclusion["exclusionOptions"] == {"scope": "NO_UPGRADES"}


def test_exclusion_without_an_end_lasts_until_the_end_of_support():
    exclusion = {"name": "x", "start": "2026-12-18T00:00:00Z", "scope": "no_minor_or_node_upgrades"}
    recorded = gke.cluster(gke={"maintenance_exclusions": [exclusion]})
    (sent,) = recorded.one(GKE).inputs["maintenancePolicy"]["maintenanceExclusions"]
    assert sent["exclusionOptions"] == {
        "scope": "NO_MINOR_OR_NODE_UPGRADES",
        "endTimeBehavior": "UNTIL_END_OF_SUPPORT",
    }
    assert "endTime" not in sent, "GKE accepts one of the two"


def test_exclusions_without_a_window_leave_it_always_open():
    exclusion = {"name": "x", "start": "2026-12-18T00:00:00Z", "end": "2027-01-04T00:00:00Z"}
    recorded = gke.cluster(gke={"maintenance_exclusions": [exclusion]})
    assert recorded.one(GKE).inputs["maintenancePolicy"]["recurringWindow"] == {
        "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2026-01-02T00:00:00Z",
        "recurrence": "FREQ=DAILY",
    }


def test_what_may_be_switched_is_switched(default: Recording, full: Recording):
    one, other = default.one(GKE).inputs, full.one(GKE).inputs
    assert one["gatewayApiConfig"] == {"channel": "CHANNEL_STANDARD"}
    assert other["gatewayApiConfig"] == {"channel": "CHANNEL_DISABLED"}
    assert one["addonsConfig"]["gcsFuseCsiDriverConfig"] == {"enabled": True}
    assert one["addonsConfig"]["gcpFilestoreCsiDriverConfig"] == {"enabled": False}
    assert other["addonsConfig"]["gcpFilestoreCsiDriverConfig"] == {"enabled": True}
    streaming = one["nodePoolDefaults"]["nodeConfigDefaults"]["gcfsConfig"]
    assert streaming == {"enabled": True}
    assert one["costManagementConfig"] == {"enabled": True}
    assert one["monitoringConfig"]["managedPrometheus"] == {"enabled": True}
    assert "DCGM" in one["monitoringConfig"]["enableComponents"]
    assert other["monitoringConfig"]["enableComponents"] == ["SYSTEM_COMPONENTS"]
    assert one["securityPostureConfig"]["mode"] == "BASIC"
    assert other["securityPostureConfig"]["mode"] == "DISABLED"
    assert other["enableMultiNetworking"] is True
    assert other["authenticatorGroupsConfig"] == {"securityGroup": "gke-security-groups@acme.com"}


def test_control_plane_logs_have_a_separate_bucket(default: Recording):
    bucket = default.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
    assert bucket["retentionDays"] == 90
    assert "APISERVER" in default.one(GKE).inputs["loggingConfig"]["enableComponents"]
    query = default.one("gcp:logging/projectSink:ProjectSink").inputs["filter"]
    assert 'resource.labels.cluster_name="acme-dev-cluster"' in query
    assert 'resource.labels.location="europe-west4"' in query


def test_the_agent_of_gke_leaves_logs_of_pods_to_another_one(default: Recording, full: Recording):
    components = {
        name: one.one(GKE).inputs["loggingConfig"]["enableComponents"]
        for name, one in (("default", default), ("full", full))
    }
    assert "WORKLOADS" in components["default"]
    assert set(components["default"]) - set(components["full"]) == {"WORKLOADS"}, (
        "logs of the system and of the control plane stay"
    )


def test_protection_covers_the_keys_and_data_stays(default: Recording, full: Recording):
    protected = {resource.name for resource in full.resources if resource.protect}
    assert protected == {"cluster-cluster", "cluster-key", "cluster-logs-key", "cluster-volumes-key"}
    assert {resource.name for resource in full.resources if resource.retain_on_delete} == {
        "cluster-key",
        "cluster-logs",
        "cluster-logs-key",
        "cluster-volumes-key",
    }
    assert full.one(GKE).inputs["deletionProtection"] is True
    assert default.one(GKE).inputs["deletionProtection"] is False, "the provider's own default is true"
    assert default.one(GKE).delete_before_replace, "the name may be there only once"
