"""The cluster on Google Cloud: what it makes, in which order, and how closed it is by default."""

import json
from typing import Any

import pytest
from pulumi_gcp import container

from aiplatform._args import keys, read
from aiplatform._references import ClusterReference
from aiplatform.cluster import (
    Cluster,
    MaintenanceExclusionArgs,
    MaintenanceWindowArgs,
    NodeAutoProvisioningArgs,
)
from aiplatform.cluster import gke_args as models
from tests.components.cloud_answers import PROJECT, PROJECT_NUMBER
from tests.components.recording import Recording, record, value

NETWORK: dict[str, Any] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": "europe-west4",
    "vpc_id": f"projects/{PROJECT}/global/networks/acme-dev-network",
    "cidr": "10.16.0.0/16",
    "private_subnet_ids": [f"projects/{PROJECT}/regions/europe-west4/subnetworks/acme-dev-nodes"],
    "intra_subnet_ids": [f"projects/{PROJECT}/regions/europe-west4/subnetworks/acme-dev-control-plane"],
    "services_cidr": "10.16.128.0/20",
    "zones": [
        {"id": f"europe-west4-{letter}", "name": f"europe-west4-{letter}", "private_subnet_id": "subnet"}
        for letter in "abc"
    ],
}
ARGS: dict[str, Any] = {"prefix": "acme-dev", "version": "1.35", "network": NETWORK}
GKE = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ROLE = "gcp:projects/iAMMember:IAMMember"
ACCOUNT = f"acme-dev-nodes@{PROJECT}.iam.gserviceaccount.com"


def _cluster(**arguments: Any) -> Recording:
    args: Any = {**ARGS, **arguments}
    return record(lambda: Cluster("cluster", args))


@pytest.fixture(scope="module")
def default() -> Recording:
    """A cluster with nothing but what is required, and a pool's nodes."""

    def program() -> Cluster:
        args: Any = ARGS
        cluster = Cluster("cluster", args)
        node = container.NodePoolNodeConfigArgs(
            service_account=cluster.node_service_account, boot_disk_kms_key=cluster.disk_kms_key
        )
        container.NodePool("pool", cluster=cluster.name, node_config=node)
        return cluster

    return record(program)


@pytest.fixture(scope="module")
def full() -> Recording:
    """A cluster with everything that may be asked for."""
    return _cluster(
        api_access={"mode": "dns"},
        control_plane="zonal",
        release_channel="stable",
        maintenance_window={"start": "22:30", "hours": 6, "days": ["SA", "SU"]},
        maintenance_exclusions=[
            {"name": "year-end", "start": "2026-12-18T00:00:00Z", "end": "2027-01-04T00:00:00Z"}
        ],
        system_nodes={"instance_types": ["n4-standard-4"], "min": 1, "max": 2, "disk_gib": 80},
        admins=["user:ada@acme.com", "group:platform@acme.com"],
        google_groups="gke-security-groups@acme.com",
        session_manager=True,
        filestore=True,
        gcs_fuse=False,
        gateway_api=False,
        image_streaming=False,
        managed_prometheus=False,
        cost_allocation=False,
        security_posture=False,
        node_auto_provisioning={"max_cpus": 512, "max_memory_gib": 4096, "accelerators": {"nvidia-l4": 8}},
        autoscaling_profile="optimize_utilization",
        binary_authorization=["europe-docker.pkg.dev/acme/**"],
        multi_networking=True,
        protect=True,
        deletion_protection=True,
        retain_data=True,
        tags={"team": "ml"},
    )


def test_logical_names_are_a_contract(default: Recording):
    assert [name for name in default.names() if " cluster" in name] == [
        "aiplatform:index:Cluster cluster",
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


def test_what_is_asked_for_adds_to_the_names(default: Recording, full: Recording):
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
        if resource is not component and resource.name != "pool":
            assert resource.parent == component.urn, resource.name


def test_the_cluster_waits_for_apis_rights_keys_and_logs(default: Recording):
    cluster = default.one(GKE)
    for api in default.all("gcp:projects/service:Service"):
        assert default.depends(cluster, api), api.name
    for grant in default.all(GRANT):
        assert default.depends(cluster, grant), grant.name
    for role in default.all(ROLE):
        assert default.depends(cluster, role), "its first nodes have the account's rights"
    exclusion = default.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert default.depends(cluster, exclusion), "its first logs go where they belong"


def test_keys_are_for_google_services_that_need_them_alone(default: Recording):
    granted = {grant.name: grant.inputs for grant in default.all(GRANT)}
    robot = f"service-{PROJECT_NUMBER}@container-engine-robot.iam.gserviceaccount.com"
    compute = f"service-{PROJECT_NUMBER}@compute-system.iam.gserviceaccount.com"
    logging = f"cmek-p{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    assert {name: inputs["member"] for name, inputs in granted.items()} == {
        "cluster-key": f"serviceAccount:{robot}",
        "cluster-volumes-key": f"serviceAccount:{compute}",
        "cluster-logs-key": f"serviceAccount:{logging}",
    }
    assert {inputs["role"] for inputs in granted.values()} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    for key in default.all("gcp:kms/cryptoKey:CryptoKey"):
        assert key.inputs["rotationPeriod"] == "7776000s"
        assert "name" not in key.inputs, "a key's name can be used once"


def test_nodes_have_the_rights_of_nodes_and_nothing_else(default: Recording, full: Recording):
    assert {role.inputs["role"] for role in default.all(ROLE)} == {
        "roles/container.defaultNodeServiceAccount",
        "roles/artifactregistry.reader",
        "roles/serviceusage.serviceUsageConsumer",
    }
    streaming = "gcp:projects/iAMMember:IAMMember cluster-nodes-serviceusage-serviceUsageConsumer"
    assert streaming not in full.names(), "which image streaming alone needs"
    assert {role.inputs["member"] for role in default.all(ROLE)} == {f"serviceAccount:{ACCOUNT}"}


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
    recorded = _cluster(api_access={"mode": "cidrs", "cidrs": ["192.52.193.0/24"]})
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
    (found,) = config["clusters"]
    assert found["cluster"] == {"server": "https://gke-0123456789ab.europe-west4.gke.goog"}


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


def test_the_first_node_pool_goes_and_is_forgotten(default: Recording):
    cluster = default.one(GKE)
    assert cluster.inputs["removeDefaultNodePool"] is True
    assert cluster.inputs["initialNodeCount"] == 1
    assert cluster.inputs["nodeConfig"]["serviceAccount"] == ACCOUNT, "never the default account"
    assert cluster.ignore_changes == ("nodeConfig", "initialNodeCount"), "else it is replaced for them"


def test_system_nodes_are_hardened_and_tainted_for_gkes_own(default: Recording, full: Recording):
    pool = default.one(POOL, "cluster-system")
    node = pool.inputs["nodeConfig"]
    assert "name" not in pool.inputs, "a replacement does not meet its name"
    assert node["taints"] == [
        {"key": "components.gke.io/gke-managed-components", "value": "true", "effect": "NO_SCHEDULE"}
    ]
    assert node["labels"] == {"ai-platform/pool": "system"}
    assert node["serviceAccount"] == ACCOUNT
    assert node["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert node["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert node["kubeletConfig"] == {"insecureKubeletReadonlyPortEnabled": "FALSE"}
    assert (node["machineType"], node["diskType"]) == ("e2-standard-4", "pd-balanced")
    assert node["bootDiskKmsKey"].startswith("cluster-volumes-key")
    assert pool.inputs["autoscaling"]["totalMinNodeCount"] == 2
    assert pool.inputs["management"] == {"autoRepair": True, "autoUpgrade": True}
    assert pool.ignore_changes == ("initialNodeCount",)
    small = full.one(POOL).inputs
    assert small["nodeConfig"]["diskType"] == "hyperdisk-balanced", "N4 has no other"
    assert small["nodeLocations"] == ["europe-west4-a", "europe-west4-b"], "not more zones than nodes"


def test_a_pool_waits_for_what_its_nodes_need(default: Recording):
    pool = default.one(POOL, "pool")
    for role in default.all(ROLE):
        assert default.depends(pool, role), role.name
    assert default.depends(pool, default.one(GRANT, "cluster-volumes-key"))
    assert pool.inputs["nodeConfig"]["serviceAccount"] == ACCOUNT


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


def test_exclusions_without_a_window_leave_it_always_open():
    exclusion = {"name": "x", "start": "2026-12-18T00:00:00Z", "end": "2027-01-04T00:00:00Z"}
    recorded = _cluster(maintenance_exclusions=[exclusion])
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


def test_nodes_that_gke_adds_are_as_closed_as_others(default: Recording, full: Recording):
    assert default.one(GKE).inputs["clusterAutoscaling"] == {
        "enabled": False,
        "autoscalingProfile": "BALANCED",
    }
    scaling = full.one(GKE).inputs["clusterAutoscaling"]
    assert scaling["enabled"] is True
    assert [(each["resourceType"], each["maximum"]) for each in scaling["resourceLimits"]] == [
        ("cpu", 512),
        ("memory", 4096),
        ("nvidia-l4", 8),
    ]
    made = scaling["autoProvisioningDefaults"]
    assert made["serviceAccount"] == ACCOUNT
    assert made["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert made["bootDiskKmsKey"].startswith("cluster-volumes-key")


def test_images_from_elsewhere_do_not_start(default: Recording, full: Recording):
    assert default.one(GKE).inputs["binaryAuthorization"] == {"evaluationMode": "DISABLED"}
    mode = full.one(GKE).inputs["binaryAuthorization"]["evaluationMode"]
    assert mode == "PROJECT_SINGLETON_POLICY_ENFORCE"
    policy = full.one("gcp:binaryauthorization/policy:Policy")
    (rule,) = policy.inputs["clusterAdmissionRules"]
    assert rule["cluster"] == "europe-west4-a.acme-dev-cluster"
    assert rule["evaluationMode"] == "ALWAYS_DENY"
    assert policy.inputs["defaultAdmissionRule"]["evaluationMode"] == "ALWAYS_ALLOW", "other clusters"
    assert policy.inputs["globalPolicyEvaluationMode"] == "ENABLE", "or GKE's own Pods would not start"
    assert full.depends(full.one(GKE), policy)


def test_admins_have_the_cluster_and_a_way_to_it_alone(full: Recording):
    binding = full.one(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "cluster-admin-platform-at-acme.com"
    )
    assert binding.inputs["roleRef"]["name"] == "cluster-admin"
    assert binding.inputs["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "platform@acme.com"}
    ]
    role = full.one(ROLE, "cluster-admin-ada-at-acme.com").inputs
    assert (role["role"], role["member"]) == ("roles/container.clusterViewer", "user:ada@acme.com")
    assert binding.deleted_with == full.one(GKE).urn


def test_ssh_comes_through_the_identity_aware_proxy_to_these_nodes_alone(full: Recording):
    rule = full.one("gcp:compute/firewall:Firewall").inputs
    assert rule["sourceRanges"] == ["35.235.240.0/20"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22"]}]
    assert rule["targetServiceAccounts"] == [ACCOUNT]


def test_control_plane_logs_have_their_own_bucket(default: Recording):
    bucket = default.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").inputs
    assert bucket["retentionDays"] == 90
    assert "APISERVER" in default.one(GKE).inputs["loggingConfig"]["enableComponents"]
    query = default.one("gcp:logging/projectSink:ProjectSink").inputs["filter"]
    assert 'resource.labels.cluster_name="acme-dev-cluster"' in query
    assert 'resource.labels.location="europe-west4"' in query


def test_encrypted_disks_are_the_default_storage_class(default: Recording):
    mark = "storageclass.kubernetes.io/is-default-class"
    balanced = default.named("cluster-balanced").inputs
    assert balanced["metadata"]["annotations"] == {mark: "true"}
    assert balanced["provisioner"] == "pd.csi.storage.gke.io"
    assert balanced["parameters"]["type"] == "pd-balanced"
    assert balanced["parameters"]["disk-encryption-kms-key"] == value(default.result.disk_kms_key)
    assert default.named("cluster-hyperdisk").inputs["parameters"]["type"] == "hyperdisk-balanced"
    patch = default.named("cluster-standard-rwo")
    assert patch.inputs["metadata"]["annotations"][mark] == "false"
    assert patch.deleted_with == default.one(GKE).urn


def test_protection_covers_the_keys_and_data_stays(default: Recording, full: Recording):
    protected = {each.name for each in full.resources if each.protect}
    assert protected == {"cluster-cluster", "cluster-key", "cluster-volumes-key"}
    assert {each.name for each in full.resources if each.retain_on_delete} == {
        "cluster-logs",
        "cluster-logs-key",
        "cluster-volumes-key",
    }
    assert full.one(GKE).inputs["deletionProtection"] is True
    assert default.one(GKE).inputs["deletionProtection"] is False, "the provider's own default is true"
    assert default.one(GKE).delete_before_replace, "the name may be there only once"


def test_labels_are_everywhere_where_there_are_labels(full: Recording):
    assert full.one(GKE).inputs["resourceLabels"] == {"team": "ml"}
    assert full.one(POOL).inputs["nodeConfig"]["resourceLabels"] == {"team": "ml"}
    assert all(key.inputs["labels"] == {"team": "ml"} for key in full.all("gcp:kms/cryptoKey:CryptoKey"))


def test_the_kubeconfig_holds_no_secret(default: Recording):
    config = json.loads(value(default.result.kubeconfig))
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}, "no token, no certificate"
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["user"]["exec"]["provideClusterInfo"] is True
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"] == "https://10.16.184.2", "the private endpoint"
    assert cluster["cluster"]["certificate-authority-data"] == "LS0tLS1CRUdJTg=="
    assert default.named("cluster-kubernetes").inputs["kubeconfig"] == value(default.result.kubeconfig)


def test_outputs_are_registered_and_are_what_a_pool_takes(default: Recording):
    outputs = default.one("aiplatform:index:Cluster").outputs
    assert outputs is not None
    assert json.loads(json.dumps(outputs)) == outputs, "a layer's outputs survive JSON"
    reference = read(ClusterReference, outputs, "ClusterReferenceArgs")
    assert (reference.cloud, reference.project, reference.location) == ("gcp", PROJECT, "europe-west4")
    assert reference.node_service_account == ACCOUNT
    assert reference.service_cidr == "10.16.128.0/20"
    assert value(default.result.security_group_id) is None


def test_models_and_public_types_have_the_same_keys():
    for model, public in (
        (models.MaintenanceWindow, MaintenanceWindowArgs),
        (models.MaintenanceExclusion, MaintenanceExclusionArgs),
        (models.NodeAutoProvisioning, NodeAutoProvisioningArgs),
    ):
        assert keys(model) == set(public.__annotations__), public.__name__
