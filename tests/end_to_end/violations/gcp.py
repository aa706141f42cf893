"""A program in plain pulumi_gcp: a dozen compliant resources, and violations."""

from __future__ import annotations

from typing import Final

from tests.end_to_end.violations import Violations

PROJECT: Final = "acme-ml-dev"
REGION: Final = "us-central1"
KEY: Final = f"projects/{PROJECT}/locations/{REGION}/keyRings/data/cryptoKeys/data"
LABELS: Final = {"owner": "ml", "cost-center": "1234", "environment": "prod"}
NETWORK: Final = f"projects/{PROJECT}/global/networks/main"
POOL: Final = (
    "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/all"
)


def program(violates: Violations) -> None:
    """Declare everything."""
    _provider(violates)
    _compliant()
    _identities(violates)
    _network(violates)
    _keys(violates)
    _stores(violates)


def _provider(violates: Violations) -> None:
    import pulumi_gcp as gcp

    gcp.Provider(violates("any-project-at-hand", "environment.pin_accounts"), region=REGION)


def _compliant() -> None:
    """Declare the resources that no policy may report."""
    from pulumi_gcp import compute, kms, logging, projects, pubsub, secretmanager, serviceaccount, storage

    ring = kms.KeyRing("right-ring", name="right", location=REGION)
    key = kms.CryptoKey("right-key", key_ring=ring.id, rotation_period="7776000s", labels=LABELS)
    account = serviceaccount.Account("right-account", account_id="right-account")
    projects.IAMMember("right-member", project=PROJECT, role="roles/logging.logWriter", member=account.member)
    network = compute.Network("right-network", auto_create_subnetworks=False)
    compute.Subnetwork(
        "right-subnetwork",
        network=network.id,
        ip_cidr_range="10.0.0.0/20",
        region=REGION,
        private_ip_google_access=True,
        log_config={"aggregation_interval": "INTERVAL_5_SEC", "flow_sampling": 0.5},
    )
    compute.Firewall(
        "right-opening",
        network=network.id,
        allows=[{"protocol": "tcp", "ports": ["8443"]}],
        source_ranges=["10.0.0.0/20"],
    )
    bucket = storage.Bucket(
        "right-bucket",
        location=REGION,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning={"enabled": True},
        encryption={"default_kms_key_name": KEY},
        lifecycle_rules=[
            {
                "action": {"type": "Delete"},
                "condition": {"num_newer_versions": 3, "days_since_noncurrent_time": 30},
            },
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        ],
        labels=LABELS,
    )
    storage.BucketIAMMember(
        "right-reader", bucket=bucket.name, role="roles/storage.objectViewer", member="group:ml@acme.example"
    )
    pubsub.Topic("right-topic", kms_key_name=key.id, labels=LABELS)
    secretmanager.Secret(
        "right-secret",
        secret_id="right",
        replication={
            "user_managed": {
                "replicas": [{"location": REGION, "customer_managed_encryption": {"kms_key_name": KEY}}]
            }
        },
        labels=LABELS,
    )
    logging.ProjectBucketConfig(
        "right-logs",
        project=PROJECT,
        location=REGION,
        bucket_id="right",
        retention_days=365,
        cmek_settings={"kms_key_name": KEY},
    )


def _identities(violates: Violations) -> None:
    from pulumi_gcp import bigquery, projects, pubsub, serviceaccount, storage

    projects.IAMMember(
        violates("owner", "identity.forbid_admin_rights"),
        project=PROJECT,
        role="roles/owner",
        member="group:ml@acme.example",
    )
    storage.BucketIAMMember(
        violates("bucket-for-all", "identity.forbid_wildcard_principals"),
        bucket="acme-public",
        role="roles/storage.objectViewer",
        member="allUsers",
    )
    pubsub.TopicIAMMember(
        violates("topic-for-all", "identity.forbid_wildcard_principals"),
        project=PROJECT,
        topic="orders",
        role="roles/pubsub.publisher",
        member="allAuthenticatedUsers",
    )
    bigquery.DatasetAccess(
        violates("dataset-for-all", "identity.forbid_wildcard_principals"),
        dataset_id="orders",
        role="READER",
        special_group="allAuthenticatedUsers",
    )
    projects.IAMMember(
        violates("administrator-of-storage", "identity.forbid_admin_rights"),
        project=PROJECT,
        role="roles/storage.admin",
        member=f"serviceAccount:app@{PROJECT}.iam.gserviceaccount.com",
    )
    projects.IAMMember(
        violates("becomes-any-account", "identity.scope_impersonation"),
        project=PROJECT,
        role="roles/iam.serviceAccountTokenCreator",
        member="group:ml@acme.example",
    )
    projects.IAMCustomRole(
        violates("gives-itself-rights", "identity.forbid_privilege_escalation"),
        role_id="escalates",
        title="Escalates",
        permissions=["iam.serviceAccounts.getAccessToken"],
    )
    bigquery.Dataset(
        violates("dataset-of-the-project", "data.grant_data_by_name", "reliability.protect_data"),
        dataset_id="orders",
        location=REGION,
        delete_contents_on_destroy=True,
        accesses=[{"role": "READER", "special_group": "projectReaders"}],
        labels=LABELS,
    )
    serviceaccount.IAMMember(
        violates("whole-pool", "identity.restrict_oidc_trust"),
        service_account_id=f"projects/{PROJECT}/serviceAccounts/deployer@{PROJECT}.iam.gserviceaccount.com",
        role="roles/iam.workloadIdentityUser",
        member=f"{POOL}/*",
    )


def _network(violates: Violations) -> None:
    from pulumi_gcp import compute, container

    compute.Firewall(
        violates("ssh-for-all", "network.forbid_public_administration"),
        network=NETWORK,
        allows=[{"protocol": "tcp", "ports": ["20-25"]}],
        source_ranges=["0.0.0.0/0"],
    )
    compute.Firewall(
        violates("service-for-all", "network.restrict_ingress"),
        network=NETWORK,
        allows=[{"protocol": "tcp", "ports": ["8080"]}],
        source_ranges=["0.0.0.0/0"],
    )
    compute.Subnetwork(
        violates("nothing-logged", "network.log_flows"),
        network=NETWORK,
        ip_cidr_range="10.9.0.0/20",
        region=REGION,
        private_ip_google_access=True,
    )
    container.Cluster(
        violates(
            "open-cluster",
            "network.restrict_cluster_endpoints",
            "network.keep_nodes_private",
            "kubernetes.enforce_network_policies",
            "encryption.encrypt_secrets",
            "identity.use_workload_identity",
            "supply_chain.admit_verified_images",
            "reliability.span_zones",
            "reliability.enable_deletion_protection",
        ),
        location=f"{REGION}-a",
        deletion_protection=False,
        network=NETWORK,
        subnetwork=f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes",
        initial_node_count=1,
        remove_default_node_pool=True,
        resource_labels=LABELS,
    )
    container.NodePool(
        violates(
            "serving",
            "encryption.encrypt_volumes",
            "identity.forbid_default_identities",
            "network.protect_metadata",
            "gpu.approve_accelerators",
            "gpu.cap_gpu_nodes",
            "gpu.avoid_spot_for_serving",
        ),
        cluster=f"projects/{PROJECT}/locations/{REGION}/clusters/main",
        location=REGION,
        autoscaling={"total_min_node_count": 0, "total_max_node_count": 64},
        node_config={
            "machine_type": "n1-standard-8",
            "guest_accelerators": [{"type": "nvidia-tesla-v100", "count": 1}],
            "spot": True,
            "workload_metadata_config": {"mode": "GCE_METADATA"},
        },
    )


def _keys(violates: Violations) -> None:
    from pulumi_gcp import kms, logging, pubsub, secretmanager

    ring = f"projects/{PROJECT}/locations/{REGION}/keyRings/data"
    kms.CryptoKey(
        violates("key-for-ever", "encryption.rotate_keys", "encryption.forbid_unused_keys"),
        key_ring=ring,
        labels=LABELS,
    )
    kms.CryptoKey(
        violates("key-for-years", "encryption.rotate_keys"),
        key_ring=ring,
        rotation_period="63072000s",
        labels=LABELS,
    )
    pubsub.Topic(violates("topic-of-google-key", "encryption.encrypt_messages"), labels=LABELS)
    secretmanager.Secret(
        violates("secret-of-google-key", "encryption.encrypt_secrets"),
        secret_id="plain",
        replication={"auto": {}},
        labels=LABELS,
    )
    logging.ProjectBucketConfig(
        violates("logs-of-google-key", "encryption.encrypt_logs", "reliability.keep_logs"),
        project=PROJECT,
        location=REGION,
        bucket_id="plain",
        retention_days=30,
    )


def _stores(violates: Violations) -> None:
    from pulumi_gcp import artifactregistry, bigtable, firestore, sql, storage

    storage.Bucket(
        violates(
            "forgetful-bucket",
            "data.block_public_buckets",
            "data.expire_checkpoints",
            "data.forbid_object_acls",
            "data.keep_object_versions",
            "reliability.protect_data",
            "cost.require_tags",
            "cost.abort_abandoned_uploads",
            "encryption.encrypt_buckets",
        ),
        location=REGION,
        soft_delete_policy={"retention_duration_seconds": 0},
        force_destroy=True,
        labels={"purpose": "checkpoints"},
    )
    releases = storage.Bucket(
        "right-releases",
        location=REGION,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption={"default_kms_key_name": KEY},
        lifecycle_rules=[
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        ],
        labels={**LABELS, "purpose": "releases"},
    )
    storage.BucketIAMMember(
        violates("writer-that-deletes", "data.keep_releases"),
        bucket=releases.name,
        role="roles/storage.objectAdmin",
        member=f"serviceAccount:writer@{PROJECT}.iam.gserviceaccount.com",
    )
    artifactregistry.Repository(
        violates(
            "moving-tags",
            "supply_chain.keep_tags",
            "supply_chain.scan_images",
            "cost.expire_images",
            "encryption.encrypt_results",
        ),
        repository_id="images",
        location=REGION,
        format="DOCKER",
        vulnerability_scanning_config={"enablement_config": "DISABLED"},
        labels=LABELS,
    )
    sql.DatabaseInstance(
        violates(
            "open-database",
            "network.keep_databases_private",
            "encryption.encrypt_databases",
            "reliability.enable_deletion_protection",
            "reliability.keep_backups",
            "reliability.keep_last_backup",
            "reliability.span_zones",
            "cost.require_tags",
            "encryption.encrypt_transport",
        ),
        database_version="POSTGRES_16",
        region=REGION,
        settings={
            "tier": "db-custom-2-7680",
            "ip_configuration": {"authorized_networks": [{"name": "all", "value": "0.0.0.0/0"}]},
        },
    )
    firestore.Database(
        violates(
            "documents-of-google-key", "encryption.encrypt_databases", "data.enable_point_in_time_recovery"
        ),
        name="features",
        location_id=REGION,
        type="FIRESTORE_NATIVE",
    )
    bigtable.Instance(
        violates("rows-of-google-key", "encryption.encrypt_databases"),
        clusters=[{"cluster_id": "one", "zone": f"{REGION}-a", "num_nodes": 1}],
        labels=LABELS,
    )
