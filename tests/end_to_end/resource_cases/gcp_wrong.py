"""Resources that Google Cloud or its provider refuses, by subject: each has one error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi_gcp as gcp

from tests.end_to_end.resource_cases.gcp_base import PROJECT, REGION, ZONE, Base

Case = Callable[[str, Base], Any]


def _subnet(name: str, base: Base, **arguments: Any) -> None:
    good: dict[str, Any] = {"region": REGION, "network": base.network, "ip_cidr_range": "10.50.0.0/24"}
    gcp.compute.Subnetwork(name, **{**good, **arguments})


def _firewall(name: str, base: Base, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "network": base.network,
        "allows": [{"protocol": "tcp", "ports": ["443"]}],
        "source_ranges": ["10.0.0.0/8"],
    }
    gcp.compute.Firewall(name, **{**good, **arguments})


def _bucket(label: str, **arguments: Any) -> gcp.storage.Bucket:
    good: dict[str, Any] = {
        "location": "US",
        "uniform_bucket_level_access": True,
        "name": f"acme-{label}"[:63],
    }
    return gcp.storage.Bucket(label, **{**good, **arguments})


def _database(name: str, settings: Mapping[str, Any] | None = None, **arguments: Any) -> None:
    config: Any = {"tier": "db-f1-micro", "edition": "ENTERPRISE", **(settings or {})}
    good: dict[str, Any] = {
        "region": REGION,
        "database_version": "POSTGRES_16",
        "deletion_protection": False,
        "settings": config,
    }
    gcp.sql.DatabaseInstance(name, **{**good, **arguments})


def _table(name: str, schema: Any = None, **arguments: Any) -> None:
    columns = schema or [{"name": "at", "type": "TIMESTAMP"}, {"name": "id", "type": "STRING"}]
    gcp.bigquery.Table(
        name,
        dataset_id=gcp.bigquery.Dataset(f"{name}-of", dataset_id=name.replace("-", "_")).dataset_id,
        table_id="rows",
        deletion_protection=False,
        schema=json.dumps(columns),
        **arguments,
    )


def _subscription(name: str, **arguments: Any) -> None:
    topic = gcp.pubsub.Topic(f"{name}-of")
    gcp.pubsub.Subscription(name, topic=topic.id, **arguments)


def _service(name: str, template: Mapping[str, Any] | None = None, **arguments: Any) -> None:
    good: Any = {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}], **(template or {})}
    gcp.cloudrunv2.Service(name, location=REGION, deletion_protection=False, template=good, **arguments)


def _job(name: str, **arguments: Any) -> None:
    good: dict[str, Any] = {
        "region": REGION,
        "schedule": "0 * * * *",
        "time_zone": "Etc/UTC",
        "http_target": {"uri": "https://example.com/"},
    }
    gcp.cloudscheduler.Job(name, **{**good, **arguments})


def _alert(name: str, condition: Mapping[str, Any], **arguments: Any) -> None:
    conditions: Any = [{"display_name": "one", **condition}]
    gcp.monitoring.AlertPolicy(name, display_name=name, combiner="OR", conditions=conditions, **arguments)


def _threshold(**arguments: Any) -> dict[str, Any]:
    kind = 'metric.type="compute.googleapis.com/instance/cpu/utilization" AND resource.type="gce_instance"'
    return {
        "condition_threshold": {
            "filter": kind,
            "comparison": "COMPARISON_GT",
            "duration": "60s",
            "threshold_value": 1,
            **arguments,
        }
    }


NETWORK: Final[Mapping[str, Case]] = {
    "subnet-with-host-bits": lambda name, base: _subnet(name, base, ip_cidr_range="10.50.0.1/24"),
    "subnet-of-30": lambda name, base: _subnet(name, base, ip_cidr_range="10.50.0.0/30"),
    "subnet-of-loopback": lambda name, base: _subnet(name, base, ip_cidr_range="127.0.0.0/24"),
    "subnet-with-a-range-twice": lambda name, base: _subnet(
        name,
        base,
        secondary_ip_ranges=[
            {"range_name": "pods", "ip_cidr_range": "10.51.0.0/20"},
            {"range_name": "pods", "ip_cidr_range": "10.52.0.0/20"},
        ],
    ),
    "subnet-with-flow-logs-of-two": lambda name, base: _subnet(
        name, base, log_config={"flow_sampling": 2, "aggregation_interval": "INTERVAL_5_SEC"}
    ),
    "firewall-with-ports-of-icmp": lambda name, base: _firewall(
        name, base, allows=[{"protocol": "icmp", "ports": ["8"]}]
    ),
    "firewall-that-allows-and-denies": lambda name, base: _firewall(name, base, denies=[{"protocol": "udp"}]),
    "firewall-with-a-port-above-65535": lambda name, base: _firewall(
        name, base, allows=[{"protocol": "tcp", "ports": ["70000"]}]
    ),
    "firewall-egress-with-sources": lambda name, base: _firewall(name, base, direction="EGRESS"),
    "firewall-of-tags-and-accounts": lambda name, base: _firewall(
        name, base, target_tags=["gpu"], target_service_accounts=[base.account]
    ),
    "firewall-of-priority-70000": lambda name, base: _firewall(name, base, priority=70_000),
    "address-outside-its-subnet": lambda name, base: gcp.compute.Address(
        name, region=REGION, address_type="INTERNAL", subnetwork=base.subnet, address="192.168.1.5"
    ),
    "nat-without-its-addresses": lambda name, base: gcp.compute.RouterNat(
        name,
        router=gcp.compute.Router(f"{name}-of", region=REGION, network=base.network).name,
        region=REGION,
        nat_ip_allocate_option="MANUAL_ONLY",
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    ),
    "nat-of-a-list-without-subnets": lambda name, base: gcp.compute.RouterNat(
        name,
        router=gcp.compute.Router(f"{name}-of", region=REGION, network=base.network).name,
        region=REGION,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
    ),
    "router-of-a-public-asn": lambda name, base: gcp.compute.Router(
        name, region=REGION, network=base.network, bgp={"asn": 15169}
    ),
    "zone-without-a-final-dot": lambda name, _: gcp.dns.ManagedZone(name, dns_name="acme.example"),
    "record-outside-its-zone": lambda name, _: gcp.dns.RecordSet(
        name,
        managed_zone=gcp.dns.ManagedZone(f"{name}-of", dns_name="acme.example.").name,
        name="www.other.example.",
        type="A",
        ttl=300,
        rrdatas=["192.0.2.1"],
    ),
    "record-whose-address-is-none": lambda name, _: gcp.dns.RecordSet(
        name,
        managed_zone=gcp.dns.ManagedZone(f"{name}-of", dns_name="acme.example.").name,
        name="www.acme.example.",
        type="A",
        ttl=300,
        rrdatas=["192.0.2.300"],
    ),
}

IDENTITY: Final[Mapping[str, Case]] = {
    "account-with-an-underscore": lambda name, _: gcp.serviceaccount.Account(name, account_id="ml_nodes"),
    "account-of-five-characters": lambda name, _: gcp.serviceaccount.Account(name, account_id="nodes"),
    "role-with-a-permission-that-is-none": lambda name, _: gcp.projects.IAMCustomRole(
        name, role_id="noPermission", title="none", permissions=["storage.objects.read"]
    ),
    "role-with-a-hyphen": lambda name, _: gcp.projects.IAMCustomRole(
        name, role_id="read-only", title="none", permissions=["storage.objects.get"]
    ),
    "member-without-a-kind": lambda name, _: gcp.projects.IAMMember(
        name, project=PROJECT, role="roles/storage.objectViewer", member="someone@acme.example"
    ),
    "member-that-is-no-account": lambda name, _: gcp.projects.IAMMember(
        name,
        project=PROJECT,
        role="roles/storage.objectViewer",
        member=f"serviceAccount:none@{PROJECT}.iam.gserviceaccount.com",
    ),
    "condition-on-a-basic-role": lambda name, base: gcp.projects.IAMMember(
        name,
        project=PROJECT,
        role="roles/viewer",
        member=f"serviceAccount:{base.account}",
        condition={"title": "soon", "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")'},
    ),
    "condition-that-does-not-parse": lambda name, base: gcp.projects.IAMMember(
        name,
        project=PROJECT,
        role="roles/storage.objectViewer",
        member=f"serviceAccount:{base.account}",
        condition={"title": "open", "expression": "resource.name.startsWith("},
    ),
    "condition-on-an-attribute-that-is-none": lambda name, base: gcp.projects.IAMMember(
        name,
        project=PROJECT,
        role="roles/storage.objectViewer",
        member=f"serviceAccount:{base.account}",
        condition={"title": "open", "expression": 'resources.name == "x"'},
    ),
    "key-rotated-each-hour": lambda name, base: gcp.kms.CryptoKey(
        name, key_ring=base.ring, rotation_period="3600s"
    ),
    "key-of-an-algorithm-of-another-purpose": lambda name, base: gcp.kms.CryptoKey(
        name,
        key_ring=base.ring,
        purpose="ASYMMETRIC_SIGN",
        version_template={"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"},
    ),
    "signing-key-that-rotates": lambda name, base: gcp.kms.CryptoKey(
        name,
        key_ring=base.ring,
        purpose="ASYMMETRIC_SIGN",
        rotation_period="7776000s",
        version_template={"algorithm": "EC_SIGN_P256_SHA256"},
    ),
    "ring-in-no-location": lambda name, _: gcp.kms.KeyRing(name, location="us-middle1"),
    "secret-with-a-dot": lambda name, _: gcp.secretmanager.Secret(
        name, secret_id="team.key", replication={"auto": {}}
    ),
    "secret-that-rotates-without-a-topic": lambda name, _: gcp.secretmanager.Secret(
        name,
        secret_id=name,
        replication={"auto": {}},
        rotation={"rotation_period": "3600s", "next_rotation_time": "2030-01-01T00:00:00Z"},
    ),
}

DATA: Final[Mapping[str, Case]] = {
    "bucket-with-upper-case": lambda name, _: _bucket(name, name="Acme-Raw"),
    "bucket-with-goog": lambda name, _: _bucket(name, name="goog-raw-data"),
    "bucket-in-no-location": lambda name, _: _bucket(name, location="US-MIDDLE1"),
    "bucket-with-a-class-that-is-none": lambda name, _: _bucket(name, storage_class="COLD"),
    "bucket-of-a-condition-that-is-none": lambda name, _: _bucket(
        name, lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {}}]
    ),
    "bucket-that-sets-no-class": lambda name, _: _bucket(
        name, lifecycle_rules=[{"action": {"type": "SetStorageClass"}, "condition": {"age": 30}}]
    ),
    "bucket-with-soft-delete-of-a-day": lambda name, _: _bucket(
        name, soft_delete_policy={"retention_duration_seconds": 86_400}
    ),
    "bucket-with-a-retention-of-zero": lambda name, _: _bucket(
        name, retention_policy={"retention_period": "0"}
    ),
    "dataset-with-a-hyphen": lambda name, _: gcp.bigquery.Dataset(name, dataset_id="raw-data"),
    "dataset-whose-tables-expire-in-a-minute": lambda name, _: gcp.bigquery.Dataset(
        name, dataset_id="short", default_table_expiration_ms=60_000
    ),
    "table-partitioned-by-a-string": lambda name, _: _table(
        name, time_partitioning={"type": "DAY", "field": "id"}
    ),
    "table-partitioned-by-what-it-lacks": lambda name, _: _table(
        name, time_partitioning={"type": "DAY", "field": "day"}
    ),
    "table-that-requires-a-filter-without-partitions": lambda name, _: _table(
        name, require_partition_filter=True
    ),
    "table-clustered-by-five": lambda name, _: _table(
        name,
        schema=[{"name": f"c{index}", "type": "STRING"} for index in range(5)],
        clusterings=[f"c{index}" for index in range(5)],
    ),
    "table-with-a-type-that-is-none": lambda name, _: _table(name, schema=[{"name": "a", "type": "TEXT"}]),
    "table-with-a-column-twice": lambda name, _: _table(
        name, schema=[{"name": "a", "type": "STRING"}, {"name": "A", "type": "STRING"}]
    ),
    "database-of-a-tier-that-is-none": lambda name, _: _database(name, {"tier": "db-f1-mini"}),
    "database-with-a-flag-of-another-engine": lambda name, _: _database(
        name, {"database_flags": [{"name": "slow_query_log", "value": "on"}]}
    ),
    "database-with-binary-logs": lambda name, _: _database(
        name, {"backup_configuration": {"enabled": True, "binary_log_enabled": True}}
    ),
    "database-with-a-maintenance-hour-of-24": lambda name, _: _database(
        name, {"maintenance_window": {"day": 7, "hour": 24}}
    ),
    "database-without-any-address": lambda name, _: _database(
        name, {"ip_configuration": {"ipv4_enabled": False}}
    ),
    "database-of-5-gb": lambda name, _: _database(name, {"disk_size": 5}),
    "database-with-logs-of-8-days": lambda name, _: _database(
        name,
        {
            "backup_configuration": {
                "enabled": True,
                "point_in_time_recovery_enabled": True,
                "transaction_log_retention_days": 8,
            }
        },
    ),
    "two-clusters-in-a-zone": lambda name, _: gcp.bigtable.Instance(
        name,
        deletion_protection=False,
        clusters=[
            {"cluster_id": f"acme-cluster-{index}", "zone": ZONE, "num_nodes": 1} for index in range(2)
        ],
    ),
    "repository-of-no-format": lambda name, _: gcp.artifactregistry.Repository(
        name, location=REGION, repository_id=name, format="OCI"
    ),
    "repository-with-upper-case": lambda name, _: gcp.artifactregistry.Repository(
        name, location=REGION, repository_id="Images", format="DOCKER"
    ),
}

EVENTS: Final[Mapping[str, Case]] = {
    "topic-that-begins-with-goog": lambda name, _: gcp.pubsub.Topic(name, name="goog-events"),
    "topic-kept-a-minute": lambda name, _: gcp.pubsub.Topic(name, message_retention_duration="60s"),
    "subscription-with-a-deadline-of-5-seconds": lambda name, _: _subscription(name, ack_deadline_seconds=5),
    "subscription-that-expires-in-an-hour": lambda name, _: _subscription(
        name, expiration_policy={"ttl": "3600s"}
    ),
    "subscription-with-a-filter-that-does-not-parse": lambda name, _: _subscription(
        name, filter="attributes.state = failed"
    ),
    "subscription-with-three-attempts": lambda name, _: _subscription(
        name,
        dead_letter_policy={
            "dead_letter_topic": gcp.pubsub.Topic(f"{name}-dead").id,
            "max_delivery_attempts": 3,
        },
    ),
    "subscription-pushed-by-http": lambda name, _: _subscription(
        name, push_config={"push_endpoint": "http://acme.example/push"}
    ),
    "sink-with-a-filter-that-does-not-parse": lambda name, _: gcp.logging.ProjectSink(
        name, destination=f"storage.googleapis.com/acme-{PROJECT}", filter="severity >= "
    ),
    "sink-to-no-kind-of-destination": lambda name, _: gcp.logging.ProjectSink(
        name, destination="s3://acme-logs", filter="severity>=ERROR"
    ),
    "log-bucket-kept-4000-days": lambda name, _: gcp.logging.ProjectBucketConfig(
        name, project=PROJECT, location=REGION, bucket_id="long", retention_days=4000
    ),
    "job-with-a-schedule-of-six-fields": lambda name, _: _job(name, schedule="0 0 * * * *"),
    "job-at-minute-60": lambda name, _: _job(name, schedule="60 * * * *"),
    "job-in-an-unknown-zone": lambda name, _: _job(name, time_zone="Europe/Berln"),
    "job-with-a-deadline-of-an-hour": lambda name, _: _job(name, attempt_deadline="3600s"),
    "service-of-nine-cpus": lambda name, _: _service(
        name,
        {
            "containers": [
                {
                    "image": "us-docker.pkg.dev/cloudrun/container/hello",
                    "resources": {"limits": {"cpu": "9", "memory": "1Gi"}},
                }
            ]
        },
    ),
    "service-with-too-little-memory": lambda name, _: _service(
        name,
        {
            "containers": [
                {
                    "image": "us-docker.pkg.dev/cloudrun/container/hello",
                    "resources": {"limits": {"cpu": "4", "memory": "512Mi"}},
                }
            ]
        },
    ),
    "service-with-a-timeout-of-two-hours": lambda name, _: _service(name, {"timeout": "7200s"}),
    "service-with-more-instances-at-least-than-at-most": lambda name, _: _service(
        name, {"scaling": {"min_instance_count": 5, "max_instance_count": 2}}
    ),
    "service-with-a-concurrency-of-1001": lambda name, _: _service(
        name, {"max_instance_request_concurrency": 1001}
    ),
    "service-with-a-reserved-variable": lambda name, _: _service(
        name,
        {
            "containers": [
                {
                    "image": "us-docker.pkg.dev/cloudrun/container/hello",
                    "envs": [{"name": "PORT", "value": "80"}],
                }
            ]
        },
    ),
    "service-whose-traffic-is-90-percent": lambda name, _: _service(
        name, traffics=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 90}]
    ),
    "workflow-that-does-not-parse": lambda name, base: gcp.workflows.Workflow(
        name,
        region=REGION,
        service_account=base.account,
        source_contents="main:\n  steps:\n  - a: [",
        deletion_protection=False,
    ),
    "workflow-with-a-step-that-is-missing": lambda name, base: gcp.workflows.Workflow(
        name,
        region=REGION,
        service_account=base.account,
        source_contents="main:\n  steps:\n  - first:\n      next: second\n",
        deletion_protection=False,
    ),
    "alert-with-a-filter-that-does-not-parse": lambda name, _: _alert(
        name, _threshold(filter='metric.type="')
    ),
    "alert-with-a-duration-of-90-seconds": lambda name, _: _alert(name, _threshold(duration="90s")),
    "alert-to-a-channel-that-is-none": lambda name, _: _alert(
        name, _threshold(), notification_channels=[f"projects/{PROJECT}/notificationChannels/1"]
    ),
    "channel-of-an-unknown-type": lambda name, _: gcp.monitoring.NotificationChannel(
        name, type="mail", labels={"email_address": "owners@acme.example"}
    ),
}

CASES: Final[Mapping[str, Case]] = {**NETWORK, **IDENTITY, **DATA, **EVENTS}
