"""A cluster on Google Cloud from inside: its nodes, keys, volumes, administrators, and its outputs."""

import json

import pytest

from aiplatform._shared.args import read
from aiplatform._shared.references.cluster import ClusterReference
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.cluster.gke import ACCOUNT, GKE, GRANT, POOL, ROLE
from tests.components.cloud_answers import PROJECT, PROJECT_NUMBER
from tests.components.recording import Recording, value


@pytest.fixture(scope="module")
def default() -> Recording:
    """A cluster with only the required arguments, and a pool's nodes."""
    return gke.default()


@pytest.fixture(scope="module")
def full() -> Recording:
    """A cluster with all options."""
    return gke.full()


def test_only_google_services_that_need_a_key_can_use_it(default: Recording):
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


def test_nodes_have_only_the_permissions_of_nodes(default: Recording, full: Recording):
    assert {role.inputs["role"] for role in default.all(ROLE)} == {
        "roles/container.defaultNodeServiceAccount",
        "roles/artifactregistry.reader",
        "roles/serviceusage.serviceUsageConsumer",
    }
    streaming = "gcp:projects/iAMMember:IAMMember cluster-nodes-serviceusage-serviceUsageConsumer"
    assert streaming not in full.names(), "which image streaming alone needs"
    assert {role.inputs["member"] for role in default.all(ROLE)} == {f"serviceAccount:{ACCOUNT}"}


def test_the_first_node_pool_is_deleted_and_ignored(default: Recording):
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


def test_a_workload_identity_depends_on_the_pool_that_the_first_cluster_creates(
    default: Recording,
):
    bound = default.one("gcp:serviceaccount/iAMMember:IAMMember")
    assert bound.inputs["member"] == f"serviceAccount:{PROJECT}.svc.id.goog[models/reader]"
    assert default.depends(bound, default.one(GKE))


def test_nodes_that_gke_adds_are_as_closed_as_others(default: Recording, full: Recording):
    assert default.one(GKE).inputs["clusterAutoscaling"] == {
        "enabled": False,
        "autoscalingProfile": "BALANCED",
    }
    scaling = full.one(GKE).inputs["clusterAutoscaling"]
    assert scaling["enabled"] is True
    assert [(limit["resourceType"], limit["maximum"]) for limit in scaling["resourceLimits"]] == [
        ("cpu", 512),
        ("memory", 4096),
        ("nvidia-l4", 8),
    ]
    nodes = scaling["autoProvisioningDefaults"]
    assert nodes["serviceAccount"] == ACCOUNT
    assert nodes["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert nodes["bootDiskKmsKey"].startswith("cluster-volumes-key")


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


def test_admins_have_only_the_cluster_and_its_endpoint(full: Recording):
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


def test_ssh_is_allowed_only_by_the_identity_aware_proxy_to_these_nodes(full: Recording):
    rule = full.one("gcp:compute/firewall:Firewall", "cluster-ssh-by-iap").inputs
    assert rule["sourceRanges"] == ["35.235.240.0/20"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["22"]}]
    assert rule["targetServiceAccounts"] == [ACCOUNT]


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


def test_objects_in_the_cluster_stay_when_another_way_leads_to_it(default: Recording, full: Recording):
    identifiers = {
        recorded.named("cluster-kubernetes").inputs["clusterIdentifier"] for recorded in (default, full)
    }
    assert identifiers == {"gke-0123456789ab.europe-west4.gke.goog"}, "or a new address replaced them all"


def test_outputs_are_registered_and_are_what_a_pool_takes(default: Recording):
    outputs = default.one("aiplatform:index:Cluster").outputs
    assert outputs is not None
    assert json.loads(json.dumps(outputs)) == outputs, "a layer's outputs survive JSON"
    reference = read(ClusterReference, outputs, "ClusterReferenceArgs")
    assert (reference.cloud, reference.project, reference.location) == ("gcp", PROJECT, "europe-west4")
    assert reference.node_service_account == ACCOUNT
    assert outputs["service_cidr"] == "10.16.128.0/20"
    assert value(default.result.security_group_id) is None
