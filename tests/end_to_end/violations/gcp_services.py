"""More of the plain pulumi_gcp program: clusters, machines, services and tables, and compliant ones."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.end_to_end.violations import Violations, gcp_models
from tests.end_to_end.violations.gcp import KEY, LABELS, NETWORK, PROJECT, REGION

SUBNETWORK: Final = f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes"
ACCOUNT: Final = f"serviceAccount:keys@{PROJECT}.iam.gserviceaccount.com"


def program(violates: Violations) -> None:
    """Declare everything."""
    _clusters(violates)
    _nodes(violates)
    _networks(violates)
    _machines(violates)
    _services(violates)
    _keys(violates)
    _tables(violates)
    _logged(violates)
    _places(violates)
    gcp_models.program(violates)


def _clusters(violates: Violations) -> None:
    from pulumi_gcp import container

    container.Cluster(
        violates(
            "cluster-of-old",
            "kubernetes.forbid_legacy_access",
            "kubernetes.log_control_plane",
            "kubernetes.stay_supported",
            "network.forbid_default_networks",
        ),
        location=REGION,
        initial_node_count=1,
        remove_default_node_pool=True,
        enable_legacy_abac=True,
        logging_service="none",
        release_channel={"channel": "UNSPECIFIED"},
        resource_labels=LABELS,
    )
    container.Cluster(
        violates("certificates-for-ever", "kubernetes.forbid_legacy_access", "kubernetes.log_control_plane"),
        location=REGION,
        network=NETWORK,
        subnetwork=SUBNETWORK,
        initial_node_count=1,
        remove_default_node_pool=True,
        master_auth={"client_certificate_config": {"issue_client_certificate": True}},
        logging_config={"enable_components": ["WORKLOADS"]},
        resource_labels=LABELS,
    )


def _nodes(violates: Violations) -> None:
    from pulumi_gcp import container, projects, serviceaccount

    account = serviceaccount.Account("right-nodes", account_id="right-nodes")
    container.NodePool(
        "right-pool",
        cluster=f"projects/{PROJECT}/locations/{REGION}/clusters/main",
        location=REGION,
        node_config={
            "machine_type": "n2-standard-8",
            "boot_disk_kms_key": KEY,
            "service_account": account.email,
            "workload_metadata_config": {"mode": "GKE_METADATA"},
            "shielded_instance_config": {"enable_secure_boot": True},
        },
        network_config={"enable_private_nodes": True},
    )
    for name, role in {
        "right-node-rights": "roles/container.defaultNodeServiceAccount",
        violates("rights-of-every-pod", "identity.use_workload_identity"): "roles/storage.objectViewer",
    }.items():
        projects.IAMMember(name, project=PROJECT, role=role, member=account.member)


def _networks(violates: Violations) -> None:
    from pulumi_gcp import compute

    compute.Network(violates("network-everywhere", "network.forbid_default_networks"))
    rule: dict[str, Any] = {
        "network": NETWORK,
        "direction": "EGRESS",
        "destination_ranges": ["0.0.0.0/0"],
    }
    compute.Firewall("right-way-out", allows=[{"protocol": "tcp", "ports": ["443"]}], **rule)
    compute.Firewall(
        violates("everything-leaves", "network.limit_egress"), allows=[{"protocol": "all"}], **rule
    )
    used = compute.Address("right-address", region=REGION)
    router = compute.Router("right-router", region=REGION, network=NETWORK)
    compute.RouterNat(
        "right-nat",
        router=router.name,
        region=REGION,
        nat_ip_allocate_option="MANUAL_ONLY",
        nat_ips=[used.self_link],
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    )
    compute.Address("right-inner-address", region=REGION, address_type="INTERNAL", subnetwork=SUBNETWORK)
    compute.Address(violates("idle-address", "cost.attach_addresses"), region=REGION)
    compute.GlobalAddress(violates("idle-global-address", "cost.attach_addresses"))


def _machines(violates: Violations) -> None:
    from pulumi_gcp import compute, workbench

    options: dict[str, Any] = {
        "machine_type": "n2-standard-4",
        "zone": f"{REGION}-a",
        "boot_disk": {"kms_key_self_link": KEY, "initialize_params": {"image": "debian-cloud/debian-12"}},
        "network_interfaces": [{"subnetwork": SUBNETWORK}],
        "service_account": {
            "email": f"machine@{PROJECT}.iam.gserviceaccount.com",
            "scopes": ["cloud-platform"],
        },
        "metadata": {"block-project-ssh-keys": "true", "enable-oslogin": "true"},
        "labels": LABELS,
    }
    compute.Instance("right-machine", **options)
    compute.Instance(
        violates("door-of-its-own", "network.forbid_remote_shells"),
        **{**options, "metadata": {"ssh-keys": "admin:ssh-ed25519 AAAA admin"}},
    )
    compute.Instance(violates("router", "network.forbid_packet_forwarding"), can_ip_forward=True, **options)
    disk: dict[str, Any] = {"region": REGION, "replica_zones": [f"{REGION}-a", f"{REGION}-b"], "size": 100}
    compute.RegionDisk("right-disk", disk_encryption_key={"kms_key_name": KEY}, labels=LABELS, **disk)
    compute.RegionDisk(violates("disk-of-google-key", "encryption.encrypt_volumes"), labels=LABELS, **disk)
    notebook: dict[str, Any] = {"location": f"{REGION}-a", "labels": LABELS}
    disks: Any = {"disk_encryption": "CMEK", "kms_key": KEY}
    workbench.Instance(
        "right-notebook",
        gce_setup={"disable_public_ip": True, "boot_disk": disks, "data_disks": disks},
        **notebook,
    )
    workbench.Instance(
        violates("notebook", "network.keep_workbenches_private"),
        gce_setup={"machine_type": "n2-standard-4"},
        **notebook,
    )


def _services(violates: Violations) -> None:
    from pulumi_gcp import cloudrunv2, compute, redis

    template: Any = {
        "containers": [{"image": f"{REGION}-docker.pkg.dev/{PROJECT}/images/app:1.4.2"}],
        "service_account": f"app@{PROJECT}.iam.gserviceaccount.com",
    }
    cloudrunv2.Service(
        "right-service", location=REGION, ingress="INGRESS_TRAFFIC_INTERNAL_ONLY", template=template
    )
    cloudrunv2.Service(
        violates("service-of-the-internet", "network.restrict_functions"), location=REGION, template=template
    )
    service: dict[str, Any] = {
        "protocol": "HTTPS",
        "load_balancing_scheme": "INTERNAL_MANAGED",
        "log_config": {"enable": True, "sample_rate": 1},
    }
    group = f"projects/{PROJECT}/zones/{REGION}-a/networkEndpointGroups/app"
    compute.BackendService("right-backend", backends=[{"group": group}], **service)
    compute.BackendService(violates("idle-backend", "cost.use_load_balancers"), **service)
    compute.SSLPolicy("right-tls", min_tls_version="TLS_1_2", profile="MODERN")
    compute.SSLPolicy(violates("tls-of-old", "encryption.encrypt_transport"))
    cache: dict[str, Any] = {
        "memory_size_gb": 5,
        "tier": "STANDARD_HA",
        "region": REGION,
        "authorized_network": NETWORK,
        "customer_managed_key": KEY,
        "auth_enabled": True,
        "labels": LABELS,
    }
    redis.Instance("right-cache", transit_encryption_mode="SERVER_AUTHENTICATION", **cache)
    redis.Instance(violates("cache-in-the-clear", "encryption.encrypt_transport"), **cache)


def _keys(violates: Violations) -> None:
    from pulumi_gcp import kms, logging, projects, serviceaccount

    serviceaccount.Key(
        violates("key-of-an-account", "identity.forbid_long_lived_keys"),
        service_account_id=f"projects/{PROJECT}/serviceAccounts/app@{PROJECT}.iam.gserviceaccount.com",
    )
    logging.ProjectBucketConfig(
        violates("logs-of-ten-years", "cost.expire_logs"),
        project=PROJECT,
        location=REGION,
        bucket_id="archive",
        retention_days=3650,
        cmek_settings={"kms_key_name": KEY},
    )

    kms.CryptoKey(
        "right-signature",
        key_ring=f"projects/{PROJECT}/locations/{REGION}/keyRings/data",
        purpose="ASYMMETRIC_SIGN",
        version_template={"algorithm": "EC_SIGN_P256_SHA256"},
        labels=LABELS,
    )
    kms.CryptoKeyIAMMember(
        "right-user",
        crypto_key_id=KEY,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=ACCOUNT,
    )
    projects.IAMMember(
        violates("rules-and-reads", "identity.separate_key_duties"),
        project=PROJECT,
        role="roles/cloudkms.admin",
        member=ACCOUNT,
    )


def _tables(violates: Violations) -> None:
    from pulumi_gcp import bigquery

    tag = {"policyTags": {"names": [f"projects/{PROJECT}/locations/us/taxonomies/1/policyTags/2"]}}
    email = {"name": "rider_email", "type": "STRING"}
    options: dict[str, Any] = {
        "dataset_id": "orders",
        "encryption_configuration": {"kms_key_name": KEY},
        "labels": LABELS,
    }
    bigquery.Table("right-riders", table_id="riders", schema=json.dumps([{**email, **tag}]), **options)
    bigquery.Table(
        violates("unmarked", "data.classify_personal_columns"),
        table_id="drivers",
        schema=json.dumps([email]),
        **options,
    )
    dataset: dict[str, Any] = {"location": REGION, "labels": LABELS}
    bigquery.Dataset(
        "right-dataset",
        dataset_id="right",
        default_encryption_configuration={"kms_key_name": KEY},
        **dataset,
    )
    bigquery.Dataset(
        violates("two-days-back", "data.enable_point_in_time_recovery", "encryption.encrypt_results"),
        dataset_id="short",
        max_time_travel_hours="48",
        **dataset,
    )


def _logged(violates: Violations) -> None:
    """A bucket with its usage logs in another, whose objects only Google writes."""
    from pulumi_gcp import storage

    bucket: dict[str, Any] = {
        "location": REGION,
        "uniform_bucket_level_access": True,
        "public_access_prevention": "enforced",
        "labels": LABELS,
    }
    logs = storage.Bucket("right-usage-logs", **bucket)
    storage.Bucket(
        violates(
            "bucket-as-it-comes",
            "encryption.encrypt_buckets",
            "cost.abort_abandoned_uploads",
        ),
        logging={"log_bucket": logs.name},
        **bucket,
    )


def _places(violates: Violations) -> None:
    """What is of another environment or in another region than its own. The stack is dev's."""
    from pulumi_gcp import kms, pubsub

    topic: dict[str, Any] = {"kms_key_name": KEY, "labels": {**LABELS, "environment": "dev"}}
    pubsub.Topic("right-name", name="acme-dev-orders", **topic)
    pubsub.Topic(violates("name-of-prod", "environment.name_environments"), name="acme-prod-orders", **topic)
    pubsub.Topic(
        violates("in-the-project-of-prod", "environment.separate_accounts"), project="acme-ml-prod", **topic
    )
    kms.KeyRing(violates("abroad", "environment.restrict_regions"), name="abroad", location="europe-west4")
