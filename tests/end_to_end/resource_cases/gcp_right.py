"""Resources that Google Cloud accepts, though they are unusual: values at a limit, rare forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi_gcp as gcp

from tests.end_to_end.resource_cases.gcp_base import PROJECT, REGION, Base

Case = Callable[[str, Base], Any]
IMAGE: Final = "us-docker.pkg.dev/cloudrun/container/hello"


def _bucket(label: str, **arguments: Any) -> gcp.storage.Bucket:
    good: dict[str, Any] = {"location": "us", "uniform_bucket_level_access": True, "force_destroy": True}
    return gcp.storage.Bucket(label, **{**good, "name": f"acme-{label}"[:63], **arguments})


def _database(name: str, version: str, settings: Mapping[str, Any], **arguments: Any) -> None:
    config: Any = {"edition": "ENTERPRISE", **settings}
    gcp.sql.DatabaseInstance(
        name,
        region=REGION,
        database_version=version,
        deletion_protection=False,
        settings=config,
        **arguments,
    )


def _table(name: str, schema: Any, **arguments: Any) -> None:
    gcp.bigquery.Table(
        name,
        dataset_id=gcp.bigquery.Dataset(f"{name}-of", dataset_id=f"{name.replace('-', '_')}__1").dataset_id,
        table_id="rows",
        deletion_protection=False,
        schema=json.dumps(schema),
        **arguments,
    )


def _subscription(name: str, **arguments: Any) -> None:
    topic = gcp.pubsub.Topic(f"{name}-of", message_retention_duration="2678400s")
    gcp.pubsub.Subscription(name, topic=topic.id, **arguments)


def _sink(name: str, filter: str) -> None:
    bucket = gcp.storage.Bucket(f"{name}-of", location="US", name=f"acme-{name}")
    destination = bucket.name.apply(lambda bucket: f"storage.googleapis.com/{bucket}")
    gcp.logging.ProjectSink(name, destination=destination, filter=filter, unique_writer_identity=True)


def _job(name: str, schedule: str, **arguments: Any) -> None:
    gcp.cloudscheduler.Job(
        name,
        region=REGION,
        schedule=schedule,
        http_target={"uri": "https://example.com/", "http_method": "POST"},
        **arguments,
    )


def _service(name: str, template: Mapping[str, Any], **arguments: Any) -> None:
    revision: Any = dict(template)
    gcp.cloudrunv2.Service(name, location=REGION, deletion_protection=False, template=revision, **arguments)


def _container(**arguments: Any) -> list[dict[str, Any]]:
    return [{"image": IMAGE, **arguments}]


def _workflow(name: str, base: Base) -> None:
    source = """
main:
  params: [input]
  steps:
    - start:
        assign:
          - count: ${default(map.get(input, "count"), 0)}
    - repeat:
        switch:
          - condition: ${count < 3 and not("x" in ["a"])}
            next: more
        next: done
    - more:
        try:
          call: http.get
          args: {url: "https://example.com/"}
          result: answer
        retry: ${http.default_retry}
        except:
          as: error
          steps:
            - failed:
                raise: ${error}
    - increment:
        assign:
          - count: ${count + 1}
        next: repeat
    - done:
        return: ${count}
"""
    gcp.workflows.Workflow(
        name,
        region=REGION,
        service_account=base.account,
        source_contents=source,
        call_log_level="LOG_ERRORS_ONLY",
        deletion_protection=False,
    )


NETWORK: Final[Mapping[str, Case]] = {
    "subnet-of-29-in-shared-space": lambda name, base: gcp.compute.Subnetwork(
        name,
        region=REGION,
        network=base.network,
        ip_cidr_range="100.64.0.0/29",
        log_config={"flow_sampling": 0.1, "aggregation_interval": "INTERVAL_15_MIN"},
    ),
    "firewall-by-the-number-of-a-protocol": lambda name, base: gcp.compute.Firewall(
        name,
        network=base.network,
        allows=[{"protocol": "6", "ports": ["1-65535"]}, {"protocol": "icmp"}],
        source_tags=["a"],
        priority=65_535,
    ),
    "firewall-of-egress": lambda name, base: gcp.compute.Firewall(
        name,
        network=base.network,
        direction="EGRESS",
        denies=[{"protocol": "all"}],
        destination_ranges=["0.0.0.0/0"],
        priority=0,
    ),
    "router-of-a-private-asn": lambda name, base: gcp.compute.Router(
        name, region=REGION, network=base.network, bgp={"asn": 4_200_000_000}
    ),
    "zone-of-the-network": lambda name, base: gcp.dns.ManagedZone(
        name,
        dns_name="_internal.acme.example.",
        visibility="private",
        private_visibility_config={"networks": [{"network_url": base.network}]},
    ),
    "record-of-text": lambda name, _: gcp.dns.RecordSet(
        name,
        managed_zone=gcp.dns.ManagedZone(f"{name}-of", dns_name="text.acme.example.").name,
        name="_acme-challenge.text.acme.example.",
        type="TXT",
        ttl=0,
        rrdatas=['"one two"', '"three"'],
    ),
}

IDENTITY: Final[Mapping[str, Case]] = {
    "account-of-30-characters": lambda name, _: gcp.serviceaccount.Account(
        name, account_id="a--b" + "c" * 26
    ),
    "role-with-dots-and-underscores": lambda name, _: gcp.projects.IAMCustomRole(
        name, role_id="acme.ml__reader1", title="Reader", permissions=["storage.objects.get"], stage="ALPHA"
    ),
    "condition-of-several-clauses": lambda name, base: gcp.projects.IAMMember(
        name,
        project=PROJECT,
        role="roles/storage.objectViewer",
        member=f"serviceAccount:{base.account}",
        condition={
            "title": "business hours",
            "expression": (
                'request.time.getHours("Europe/Berlin") >= 9 '
                '&& request.time.getDayOfWeek("Europe/Berlin") < 6 '
                '&& (resource.type != "storage.googleapis.com/Object" || '
                'resource.name.extract("/objects/{folder}/") in ["raw", "curated"])'
            ),
        },
    ),
    "key-that-signs": lambda name, base: gcp.kms.CryptoKey(
        name,
        key_ring=base.ring,
        purpose="ASYMMETRIC_SIGN",
        version_template={"algorithm": "EC_SIGN_P256_SHA256", "protection_level": "HSM"},
    ),
    "key-of-messages": lambda name, base: gcp.kms.CryptoKey(
        name, key_ring=base.ring, purpose="MAC", version_template={"algorithm": "HMAC_SHA256"}
    ),
    "key-rotated-each-day": lambda name, base: gcp.kms.CryptoKey(
        name, key_ring=base.ring, rotation_period="86400s", destroy_scheduled_duration="86400s"
    ),
    "secret-in-two-regions": lambda name, _: gcp.secretmanager.Secret(
        name,
        secret_id="Team__key-1",
        replication={"user_managed": {"replicas": [{"location": "us-central1"}, {"location": "us-east1"}]}},
        ttl="86400s",
    ),
}

DATA: Final[Mapping[str, Case]] = {
    "bucket-with-dots-and-underscores": lambda name, _: _bucket(name, name="acme_raw__data-1"),
    "bucket-in-two-regions": lambda name, _: _bucket(
        name, location="US", custom_placement_config={"data_locations": ["US-EAST1", "US-WEST1"]}
    ),
    "bucket-without-soft-delete": lambda name, _: _bucket(
        name,
        soft_delete_policy={"retention_duration_seconds": 0},
        lifecycle_rules=[
            {
                "action": {"type": "SetStorageClass", "storage_class": "ARCHIVE"},
                "condition": {"created_before": "2025-01-01", "matches_prefixes": ["raw/"]},
            },
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 0}},
            {"action": {"type": "Delete"}, "condition": {"num_newer_versions": 3, "with_state": "ARCHIVED"}},
        ],
    ),
    "bucket-that-chooses-classes": lambda name, _: _bucket(
        name, autoclass={"enabled": True, "terminal_storage_class": "ARCHIVE"}
    ),
    "dataset-of-the-least-travel": lambda name, _: gcp.bigquery.Dataset(
        name,
        dataset_id="raw__data_1",
        location="EU",
        max_time_travel_hours="48",
        storage_billing_model="PHYSICAL",
    ),
    "table-partitioned-by-an-integer": lambda name, _: _table(
        name,
        [{"name": "id", "type": "INT64"}, {"name": "name", "type": "STRING", "maxLength": "20"}],
        range_partitioning={"field": "id", "range": {"start": 0, "end": 1000, "interval": 10}},
        require_partition_filter=True,
        clusterings=["name"],
    ),
    "table-of-records": lambda name, _: _table(
        name,
        [
            {"name": "at", "type": "DATETIME", "mode": "REQUIRED"},
            {
                "name": "items",
                "type": "STRUCT",
                "mode": "REPEATED",
                "fields": [{"name": "price", "type": "BIGNUMERIC", "precision": "40", "scale": "2"}],
            },
            {"name": "place", "type": "GEOGRAPHY"},
            {"name": "raw", "type": "JSON", "description": "as it came"},
        ],
        time_partitioning={"type": "MONTH", "field": "at", "expiration_ms": 86_400_000},
    ),
    "database-of-mysql": lambda name, _: _database(
        name,
        "MYSQL_8_4",
        {
            "tier": "db-g1-small",
            "backup_configuration": {"enabled": True, "binary_log_enabled": True, "start_time": "23:00"},
            "database_flags": [{"name": "slow_query_log", "value": "on"}],
            "maintenance_window": {"day": 1, "hour": 0, "update_track": "week5"},
        },
    ),
    "database-of-postgres-at-its-limits": lambda name, _: _database(
        name,
        "POSTGRES_17",
        {
            "tier": "db-custom-2-7680",
            "availability_type": "REGIONAL",
            "disk_size": 10,
            "disk_autoresize_limit": 0,
            "backup_configuration": {
                "enabled": True,
                "point_in_time_recovery_enabled": True,
                "transaction_log_retention_days": 7,
            },
            "database_flags": [
                {"name": "cloudsql.iam_authentication", "value": "on"},
                {"name": "log_min_duration_statement", "value": "-1"},
            ],
            "insights_config": {"query_insights_enabled": True, "query_string_length": 4500},
        },
    ),
    "bigtable-that-scales": lambda name, _: gcp.bigtable.Instance(
        name,
        deletion_protection=False,
        clusters=[
            {
                "cluster_id": f"acme-cluster-{zone}",
                "zone": f"{REGION}-{zone}",
                "storage_type": "HDD",
                "autoscaling_config": {"min_nodes": 1, "max_nodes": 10, "cpu_target": 10},
            }
            for zone in "bc"
        ],
    ),
    "repository-of-a-remote": lambda name, _: gcp.artifactregistry.Repository(
        name,
        location="us",
        repository_id="cache-1",
        format="DOCKER",
        mode="REMOTE_REPOSITORY",
        remote_repository_config={"docker_repository": {"public_repository": "DOCKER_HUB"}},
        cleanup_policies=[
            {"id": "old", "action": "DELETE", "condition": {"older_than": "30d", "tag_state": "ANY"}},
            {"id": "few", "action": "KEEP", "most_recent_versions": {"keep_count": 2}},
        ],
    ),
}

EVENTS: Final[Mapping[str, Case]] = {
    "subscription-with-a-filter": lambda name, _: _subscription(
        name,
        filter='hasPrefix(attributes.kind, "raw/") AND NOT attributes:test AND attributes."x-y" != "1"',
        ack_deadline_seconds=600,
        message_retention_duration="600s",
        expiration_policy={"ttl": ""},
        enable_exactly_once_delivery=True,
        retry_policy={"minimum_backoff": "0s", "maximum_backoff": "600s"},
    ),
    "topic-with-odd-characters": lambda name, _: gcp.pubsub.Topic(name, name="acme__events.raw~1+2%3"),
    "sink-of-several-lines": lambda name, _: _sink(
        name,
        'resource.type=("k8s_container" OR "k8s_pod")\nseverity>=WARNING -- of the pods\n'
        '(jsonPayload.message=~"^error: \\\\d+" OR NOT labels."k8s-pod/app":*)\n'
        'timestamp>="2026-01-01T00:00:00Z"',
    ),
    "log-bucket-of-a-day": lambda name, _: gcp.logging.ProjectBucketConfig(
        name, project=PROJECT, location=REGION, bucket_id="short__1", retention_days=1, enable_analytics=True
    ),
    "job-in-plain-english": lambda name, _: _job(name, "every 12 hours", time_zone="Asia/Kathmandu"),
    "job-on-days-of-months": lambda name, _: _job(
        name, "every mon,wed of jan,jul 09:30", attempt_deadline="1800s"
    ),
    "job-by-names-and-steps": lambda name, _: _job(
        name, "*/15 8-17 1-7 * MON-FRI", retry_config={"retry_count": 5, "min_backoff_duration": "5s"}
    ),
    "service-at-its-limits": lambda name, _: _service(
        name,
        {
            "containers": _container(
                resources={
                    "limits": {"cpu": "8", "memory": "32Gi"},
                    "cpu_idle": False,
                    "startup_cpu_boost": True,
                }
            ),
            "timeout": "3600s",
            "max_instance_request_concurrency": 1000,
            "scaling": {"min_instance_count": 0, "max_instance_count": 100},
        },
        ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
    ),
    "service-of-a-small-cpu": lambda name, _: _service(
        name,
        {
            "containers": _container(resources={"limits": {"cpu": "500m", "memory": "256Mi"}}),
            "max_instance_request_concurrency": 1,
            "execution_environment": "EXECUTION_ENVIRONMENT_GEN1",
        },
    ),
    "workflow-with-retry-and-switch": _workflow,
    "alert-on-missing-data": lambda name, _: gcp.monitoring.AlertPolicy(
        name,
        display_name=name,
        combiner="AND",
        conditions=[
            {
                "display_name": "absent",
                "condition_absent": {
                    "filter": (
                        'metric.type = "compute.googleapis.com/instance/cpu/utilization" '
                        'AND resource.type = "gce_instance" AND resource.labels.zone = starts_with("us-")'
                    ),
                    "duration": "84600s",
                    "aggregations": [{"alignment_period": "60s", "per_series_aligner": "ALIGN_MEAN"}],
                },
            }
        ],
        alert_strategy={"auto_close": "1800s"},
    ),
    "channel-of-a-topic": lambda name, _: gcp.monitoring.NotificationChannel(
        name, type="pubsub", labels={"topic": gcp.pubsub.Topic(f"{name}-of").id}
    ),
}

CASES: Final[Mapping[str, Case]] = {**NETWORK, **IDENTITY, **DATA, **EVENTS}
