"""A program in plain pulumi_gcp: a dozen resources that are right, and faults beside them."""

from __future__ import annotations

from typing import Final

from tests.end_to_end.seeded import Seeds

PROJECT: Final = "acme-ml-dev"
REGION: Final = "us-central1"
KEY: Final = f"projects/{PROJECT}/locations/{REGION}/keyRings/data/cryptoKeys/data"
LABELS: Final = {"owner": "ml", "cost-center": "1234", "environment": "prod"}
NETWORK: Final = f"projects/{PROJECT}/global/networks/main"
POOL: Final = (
    "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/all"
)


def program(seed: Seeds) -> None:
    """Declare everything."""
    _provider(seed)
    _right()
    _identities(seed)
    _network(seed)
    _keys(seed)
    _stores(seed)


def _provider(seed: Seeds) -> None:
    import pulumi_gcp as gcp

    gcp.Provider(seed("any-project-at-hand", "environment.pin_accounts"), region=REGION)


def _right() -> None:
    """What no policy may accuse."""
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


def _identities(seed: Seeds) -> None:
    from pulumi_gcp import bigquery, projects, pubsub, serviceaccount, storage

    projects.IAMMember(
        seed("owner", "identity.forbid_wildcard_actions"),
        project=PROJECT,
        role="roles/owner",
        member="group:ml@acme.example",
    )
    storage.BucketIAMMember(
        seed("bucket-for-all", "identity.forbid_wildcard_principals"),
        bucket="acme-public",
        role="roles/storage.objectViewer",
        member="allUsers",
    )
    pubsub.TopicIAMMember(
        seed("topic-for-all", "identity.forbid_wildcard_principals"),
        project=PROJECT,
        topic="orders",
        role="roles/pubsub.publisher",
        member="allAuthenticatedUsers",
    )
    bigquery.DatasetAccess(
        seed("dataset-for-all", "identity.forbid_wildcard_principals"),
        dataset_id="orders",
        role="READER",
        special_group="allAuthenticatedUsers",
    )
    projects.IAMMember(
        seed("administrator-of-storage", "identity.forbid_admin_rights"),
        project=PROJECT,
        role="roles/storage.admin",
        member=f"serviceAccount:app@{PROJECT}.iam.gserviceaccount.com",
    )
    projects.IAMMember(
        seed("becomes-any-account", "identity.scope_impersonation"),
        project=PROJECT,
        role="roles/iam.serviceAccountTokenCreator",
        member="group:ml@acme.example",
    )
    projects.IAMCustomRole(
        seed("gives-itself-rights", "identity.forbid_privilege_escalation"),
        role_id="escalates",
        title="Escalates",
        permissions=["iam.serviceAccounts.getAccessToken"],
    )
    bigquery.Dataset(
        seed("dataset-of-the-project", "data.grant_data_by_name", "reliability.protect_data"),
        dataset_id="orders",
        location=REGION,
        delete_contents_on_destroy=True,
        accesses=[{"role": "READER", "special_group": "projectReaders"}],
        labels=LABELS,
    )
    serviceaccount.IAMMember(
        seed("whole-pool", "identity.restrict_oidc_trust"),
        service_account_id=f"projects/{PROJECT}/serviceAccounts/deployer@{PROJECT}.iam.gserviceaccount.com",
        role="roles/iam.workloadIdentityUser",
        member=f"{POOL}/*",
    )


def _network(seed: Seeds) -> None:
    from pulumi_gcp import compute, container

    compute.Firewall(
        seed("ssh-for-all", "network.forbid_public_administration"),
        network=NETWORK,
        allows=[{"protocol": "tcp", "ports": ["20-25"]}],
        source_ranges=["0.0.0.0/0"],
    )
    compute.Firewall(
        seed("service-for-all", "network.restrict_ingress"),
        network=NETWORK,
        allows=[{"protocol": "tcp", "ports": ["8080"]}],
        source_ranges=["0.0.0.0/0"],
    )
    compute.Subnetwork(
        seed("nothing-logged", "network.log_flows"),
        network=NETWORK,
        ip_cidr_range="10.9.0.0/20",
        region=REGION,
        private_ip_google_access=True,
    )
    container.Cluster(
        seed(
            "open-cluster",
            "network.close_endpoints",
            "network.keep_nodes_private",
            "kubernetes.enforce_network_policies",
            "encryption.encrypt_secrets",
            "identity.use_workload_identity",
            "supply_chain.admit_verified_images",
            "reliability.span_zones",
            "reliability.guard_deletion",
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
        seed(
            "serving",
            "encryption.encrypt_volumes",
            "identity.forbid_default_identities",
            "network.protect_metadata",
            "gpu.approve_accelerators",
            "gpu.cap_gpu_nodes",
            "gpu.serve_on_lasting_nodes",
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


def _keys(seed: Seeds) -> None:
    from pulumi_gcp import kms, logging, pubsub, secretmanager

    ring = f"projects/{PROJECT}/locations/{REGION}/keyRings/data"
    kms.CryptoKey(
        seed("key-for-ever", "encryption.rotate_keys", "encryption.use_every_key"),
        key_ring=ring,
        labels=LABELS,
    )
    kms.CryptoKey(
        seed("key-for-years", "encryption.rotate_keys"),
        key_ring=ring,
        rotation_period="63072000s",
        labels=LABELS,
    )
    pubsub.Topic(seed("topic-of-google-key", "encryption.encrypt_messages"), labels=LABELS)
    secretmanager.Secret(
        seed("secret-of-google-key", "encryption.encrypt_secrets"),
        secret_id="plain",
        replication={"auto": {}},
        labels=LABELS,
    )
    logging.ProjectBucketConfig(
        seed("logs-of-google-key", "encryption.encrypt_logs", "reliability.keep_logs"),
        project=PROJECT,
        location=REGION,
        bucket_id="plain",
        retention_days=30,
    )


def _stores(seed: Seeds) -> None:
    from pulumi_gcp import artifactregistry, bigtable, firestore, sql, storage

    storage.Bucket(
        seed(
            "forgetful-bucket",
            "data.block_public_buckets",
            "data.grant_without_acls",
            "data.keep_object_versions",
            "reliability.protect_data",
            "cost.require_tags",
            "cost.abort_abandoned_uploads",
            "encryption.encrypt_buckets",
        ),
        location=REGION,
        soft_delete_policy={"retention_duration_seconds": 0},
        force_destroy=True,
    )
    artifactregistry.Repository(
        seed(
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
        seed(
            "open-database",
            "network.keep_databases_private",
            "encryption.encrypt_databases",
            "reliability.guard_deletion",
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
        seed("documents-of-google-key", "encryption.encrypt_databases", "data.recover_tables"),
        name="features",
        location_id=REGION,
        type="FIRESTORE_NATIVE",
    )
    bigtable.Instance(
        seed("rows-of-google-key", "encryption.encrypt_databases"),
        clusters=[{"cluster_id": "one", "zone": f"{REGION}-a", "num_nodes": 1}],
        labels=LABELS,
    )
