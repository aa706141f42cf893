"""The lakehouse on Google Cloud: buckets, logs, limits, and ingestion."""

from __future__ import annotations

import base64
import json

import pytest

from aiplatform.lakehouse.gcp.grants import ASK
from aiplatform.lakehouse.gcp.spark_jobs import WORK
from tests.components.aiplatform.lakehouse.google import (
    ANALYSTS,
    BY_TABLE,
    EVENTS,
    PIPELINE,
    PROJECT,
    SUPPORT,
    everything,
    lakehouse,
    logical,
)
from tests.components.recording import Recording
from twin.gcp.services.iam import data as iam

BUCKET = "gcp:storage/bucket:Bucket"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"


@pytest.fixture(scope="module")
def all_of_it() -> Recording:
    """A lakehouse with every optional part."""
    return everything()


def test_buckets_are_private_and_depend_on_their_keys_grants(all_of_it: Recording) -> None:
    for bucket in all_of_it.all(BUCKET):
        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["uniformBucketLevelAccess"] is True
        assert bucket.inputs["encryption"]["defaultKmsKeyName"]
        user = all_of_it.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "lake-key-storage")
        assert all_of_it.depends(bucket, on=user), "Cloud Storage could not use the key"
        retained = bucket.name != "lake-batches"
        assert (bucket.protect, bucket.retain_on_delete) == ((True, True) if retained else (None, None)), (
            "what batches print is no data of the lakehouse"
        )
    assert all_of_it.one("gcp:kms/cryptoKey:CryptoKey").inputs["rotationPeriod"] == "7776000s"


def test_a_legal_hold_is_a_retention_policy_without_versions(all_of_it: Recording) -> None:
    raw = all_of_it.one(BUCKET, "lake-raw").inputs
    assert raw["retentionPolicy"] == {"retentionPeriod": str(400 * 86400), "isLocked": True}
    assert raw["versioning"] == {"enabled": False}, (
        "Cloud Storage does not accept versions with a retention policy"
    )
    curated = all_of_it.one(BUCKET, "lake-curated").inputs
    assert "retentionPolicy" not in curated
    assert curated["versioning"] == {"enabled": True}
    conditions = [rule["condition"] for rule in curated["lifecycleRules"]]
    assert {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"} in conditions
    assert {"age": 90, "matchesPrefixes": ["files/"], "withState": "LIVE"} in conditions
    assert not [
        entry
        for entry in conditions
        if "age" in entry and "matchesPrefixes" not in entry and entry["age"] > 7
    ]


def test_access_is_logged_separately_and_queries_are_limited(all_of_it: Recording) -> None:
    sink = all_of_it.one("gcp:logging/projectSink:ProjectSink", "lake-access").inputs
    assert f'"acme-dev-raw-{PROJECT}"' in sink["filter"]
    assert "catalogs/acme-dev-lakehouse" in sink["filter"]
    quota = all_of_it.one("gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride").inputs
    assert (quota["overrideValue"], quota["limit"]) == (str(2 * 1024**2), "%2Fd%2Fproject%2Fuser")
    other = lakehouse(account_settings=False, tables=[], arrival_events=False)
    assert not other.all("gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride")
    assert not other.all("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    assert not other.all("gcp:pubsub/topic:Topic")


def test_a_stream_becomes_rows_or_a_file_of_errors(all_of_it: Recording) -> None:
    table = all_of_it.one("gcp:bigquery/table:Table")
    place = table.inputs["biglakeConfiguration"]["storageUri"]
    assert place == f"gs://acme-dev-streams-{PROJECT}/tables/events/"
    body, at, price = json.loads(table.inputs["schema"])
    names = [entry["name"].rpartition("/")[2].rpartition("-")[0] for entry in body["dataPolicies"]]
    assert names == ["lake-raw-events-pii", "lake-raw-events-pii-masked"]
    assert (at["type"], "dataPolicies" in at) == ("DATETIME", False)
    assert (price["precision"], price["scale"]) == ("12", "4")
    assert table.ignore_changes == ("schema",), "the provider would drop a column that is declared no more"
    assert table.inputs["encryptionConfiguration"]["kmsKeyName"], (
        "the dataset's default is its key, and a table that does not name it is replaced in every update"
    )
    job = all_of_it.one("gcp:bigquery/job:Job", "lake-raw-events-shape").inputs["query"]["query"]
    assert job.startswith(f"ALTER TABLE `{PROJECT}.acme_dev_streams.events`\n  ADD COLUMN IF NOT EXISTS")
    assert "ROW ACCESS POLICY" not in job
    assert not [
        resource
        for resource in all_of_it.all("gcp:biglake/icebergTable:IcebergTable")
        if "events" in resource.name
    ]
    rows = all_of_it.one(SUBSCRIPTION, "lake-stream-clicks")
    assert rows.inputs["bigqueryConfig"]["useTableSchema"] is True
    assert rows.inputs["bigqueryConfig"]["table"].startswith(f"{PROJECT}.acme_dev_streams.")
    assert all_of_it.depends(
        rows, on=all_of_it.one("gcp:bigquery/iamMember:IamMember", "lake-raw.events-appends")
    )
    errors = all_of_it.one(SUBSCRIPTION, "lake-stream-clicks-errors").inputs
    assert errors["cloudStorageConfig"]["filenamePrefix"] == "files/errors/clicks/"
    grant = all_of_it.one("gcp:bigquery/iamMember:IamMember", f"lake-{logical(SUPPORT)}-raw.events-read")
    assert grant.inputs["member"] == SUPPORT
    assert grant.inputs["role"].startswith("lake-row-reader")
    assert (
        all_of_it.one("gcp:bigquery/job:Job", "lake-raw-events-shape").urn
        in (grant.property_dependencies["tableId"])
    ), "it waits for the table's policies"


def test_tables_of_streams_are_in_a_bucket_that_bigquery_supports(all_of_it: Recording) -> None:
    bucket = all_of_it.one(BUCKET, "lake-streams").inputs
    assert bucket["versioning"] == {"enabled": False}, "not supported under tables that BigQuery manages"
    assert "retentionPolicy" not in bucket, "a legal hold is neither"
    assert [rule["action"]["type"] for rule in bucket["lifecycleRules"]] == [
        "AbortIncompleteMultipartUpload"
    ], "BigQuery alone knows which files its tables need"
    members = {
        resource.inputs["member"]
        for resource in all_of_it.all("gcp:storage/bucketIAMMember:BucketIAMMember")
        if resource.inputs["bucket"] == bucket["name"]
    }
    assert len(members) == 1, "BigQuery's connection"
    assert members.pop().endswith("gcp-sa-bigquery-condel.iam.gserviceaccount.com")
    raw = all_of_it.one(BUCKET, "lake-raw").inputs["name"]
    others = [
        resource.inputs["member"]
        for resource in all_of_it.all("gcp:storage/bucketIAMMember:BucketIAMMember")
        if resource.inputs["bucket"] == raw
    ]
    assert not [entry for entry in others if "bigquery" in entry], "it reaches no other data"
    logs = all_of_it.one("gcp:logging/projectSink:ProjectSink", "lake-access").inputs["filter"]
    assert f'"{bucket["name"]}"' in logs
    assert '"acme_dev_streams"' in logs
    assert not lakehouse().all("gcp:bigquery/connection:Connection")
    assert "lake-streams" not in [resource.name for resource in lakehouse().all(BUCKET)], (
        "without streams none"
    )


def test_writers_change_only_rows_of_stream_tables(all_of_it: Recording) -> None:
    dataset = all_of_it.one("gcp:bigquery/dataset:Dataset", "lake-streams").inputs["datasetId"]
    members = all_of_it.all("gcp:bigquery/datasetIamMember:DatasetIamMember")
    assert dataset not in {resource.inputs["datasetId"] for resource in members}, (
        "a role there alters and drops them"
    )
    for name in (f"{logical(PIPELINE)}-raw.events-write", "batch-raw.events"):
        member = all_of_it.one("gcp:bigquery/iamMember:IamMember", f"lake-{name}").inputs
        assert (member["datasetId"], member["role"].startswith("lake-row-writer")) == (dataset, True)
    both = lakehouse(
        tables=[EVENTS],
        streams=[{"name": "clicks", "table": "raw.events"}],
        grants=[{**BY_TABLE, "principal": PIPELINE, "tables": ["raw.events"], "rows": None}],
    )
    names = [resource.name for resource in both.all("gcp:bigquery/iamMember:IamMember")]
    assert names == ["lake-raw.events-appends", f"lake-{logical(PIPELINE)}-raw.events-write"], (
        "one binding of one principal"
    )


def test_a_grant_to_write_a_stream_table_changes_only_rows() -> None:
    columns = [{"name": "at", "type": "timestamp", "classification": "public"}]
    grant = {**BY_TABLE, "tables": ["raw.events"], "rows": None, "actions": ["read", "write"]}
    recorded = lakehouse(
        tables=[{"zone": "raw", "name": "events", "columns": columns}],
        streams=[{"name": "clicks", "table": "raw.events"}],
        grants=[grant],
    )
    member = recorded.one(
        "gcp:bigquery/iamMember:IamMember", f"lake-{logical(SUPPORT)}-raw.events-write"
    ).inputs
    assert member["role"].startswith("lake-row-writer")
    role = recorded.one("gcp:projects/iAMCustomRole:IAMCustomRole", "lake-row-writer").inputs
    assert role["permissions"] == [
        "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.updateData",
    ]  # fmt: skip


def test_each_target_has_a_separate_subscription(all_of_it: Recording) -> None:
    notification = all_of_it.one("gcp:storage/notification:Notification").inputs
    assert (notification["eventTypes"], notification["objectNamePrefix"]) == (["OBJECT_FINALIZE"], "files/")
    reader = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
    assert all_of_it.one(reader, "lake-arrivals-loader").inputs["member"] == PIPELINE
    assert all_of_it.one(reader, "lake-quality-stewards").inputs["member"] == ANALYSTS
    reported = all_of_it.one(SUBSCRIPTION, "lake-quality-stewards").inputs
    assert reported["deadLetterPolicy"]["maxDeliveryAttempts"] == 5
    assert reported["expirationPolicy"] == {"ttl": ""}
    for topic in all_of_it.all("gcp:pubsub/topic:Topic"):
        assert topic.inputs["kmsKeyName"], topic.name
        assert topic.inputs["messageStoragePolicy"]["allowedPersistenceRegions"] == ["europe-west4"]


def test_the_scanner_reads_only_tables_with_rules(all_of_it: Recording) -> None:
    scan = all_of_it.one("gcp:dataplex/datascan:Datascan").inputs
    place = f"//biglake.googleapis.com/projects/{PROJECT}/catalogs/acme-dev-lakehouse"
    assert scan["data"]["resource"] == f"{place}/namespaces/acme_dev_curated/tables/orders"
    assert scan["dataScanId"] == "acme-dev-curated-orders"
    complete, between, matches, rows, fresh = scan["dataQualitySpec"]["rules"]
    assert (complete["threshold"], complete["nonNullExpectation"]) == (1.0, {})
    assert (between["threshold"], between["rangeExpectation"]) == (0.99, {"minValue": "0"})
    assert matches["regexExpectation"] == {"regex": "^(?:.+@.+)$"}
    assert rows["tableConditionExpectation"]["sqlExpression"] == "COUNT(*) >= 1"
    assert fresh["tableConditionExpectation"]["sqlExpression"] == (
        "TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), MAX(`ordered_at`), SECOND) <= 86400"
    )
    assert scan["executionSpec"]["trigger"]["schedule"]["cron"] == "TZ=Etc/UTC 0 6 * * *"
    policy = "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy"
    pii = all_of_it.one(policy, "lake-curated-orders-pii").inputs["grantees"]
    assert any("gcp-sa-dataplex" in entry for entry in pii)
    without_rules = all_of_it.one(policy, "lake-raw-events-pii").inputs["grantees"]
    assert not any("gcp-sa-dataplex" in entry for entry in without_rules), (
        "it runs the scans of everybody that may create one"
    )
    grant = all_of_it.one(
        "gcp:biglake/icebergTableIamMember:IcebergTableIamMember", "lake-scans-curated.orders"
    )
    scanned = all_of_it.one("gcp:dataplex/datascan:Datascan")
    assert all_of_it.depends(scanned, on=grant)
    assert grant.urn not in scanned.property_dependencies.get("data", ()), (
        "a grant that is withdrawn while policies change must not take the scan along"
    )
    asks = all_of_it.one("gcp:projects/iAMMember:IAMMember", "lake-asks-scanner").inputs
    assert "gcp-sa-dataplex" in asks["member"], "it runs queries in the project"


def test_batches_are_scheduled_and_run_as_a_writer(all_of_it: Recording) -> None:
    job = "gcp:cloudscheduler/job:Job"
    load, once = all_of_it.one(job, "lake-batch-load").inputs, all_of_it.one(job, "lake-batch-once").inputs
    assert (load["schedule"], load["paused"], once["paused"]) == ("15 3 * * *", False, True)
    body = json.loads(base64.b64decode(once["httpTarget"]["body"]))
    assert body["pysparkBatch"] == {
        "mainPythonFileUri": "gs://acme-scripts/once.py",
        "args": ["--day", "all"],
    }
    execution = body["environmentConfig"]["executionConfig"]
    assert execution["serviceAccount"].startswith("acme-dev-lake-batch@")
    assert execution["subnetworkUri"].endswith("/subnetworks/nodes")
    properties = body["runtimeConfig"]["properties"]
    assert properties["spark.sql.catalog.lakehouse.warehouse"] == (
        f"bl://projects/{PROJECT}/catalogs/acme-dev-lakehouse"
    )
    assert all_of_it.one("gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember", "lake-batch")
    scripts = all_of_it.one("gcp:storage/bucketIAMMember:BucketIAMMember", "lake-batch-acme-scripts").inputs
    assert scripts["role"] == "roles/storage.objectViewer"


def test_batches_access_only_their_scripts_and_output(all_of_it: Recording) -> None:
    account = all_of_it.one("gcp:projects/iAMMember:IAMMember", "lake-batch").inputs
    assert account["role"].startswith("lake-batch"), "Google's worker role reaches all objects of the project"
    role = all_of_it.one("gcp:projects/iAMCustomRole:IAMCustomRole", "lake-batch").inputs
    assert tuple(role["permissions"]) == WORK
    assert not [permission for permission in WORK if permission.startswith("storage.")]
    buckets = {
        resource.inputs["bucket"]: resource.inputs["role"]
        for resource in all_of_it.all("gcp:storage/bucketIAMMember:BucketIAMMember")
        if resource.inputs["member"] == account["member"]
    }
    assert set(buckets) == {"acme-scripts", f"acme-dev-batches-{PROJECT}"}
    load = all_of_it.one("gcp:cloudscheduler/job:Job", "lake-batch-load")
    execution = json.loads(base64.b64decode(load.inputs["httpTarget"]["body"]))["environmentConfig"]
    assert execution["executionConfig"]["stagingBucket"] == f"acme-dev-batches-{PROJECT}"
    for service in ("compute", "dataproc"):
        user = all_of_it.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", f"lake-key-{service}")
        assert all_of_it.depends(load, on=user), "it could not use the key of its disks and its output"


def test_clients_find_namespaces_by_permissions_that_google_has_and_no_table() -> None:
    assert {"biglake.namespaces.get", "biglake.namespaces.list"} <= set(ASK)
    assert all(iam.is_permission(permission) for permission in ASK), "a custom role could not have them"
    assert not [permission for permission in ASK if ".tables." in permission], "grants are by table"


def test_batches_have_the_permissions_of_googles_worker_role_without_storage() -> None:
    worker = iam.permissions("roles/dataproc.worker")
    assert tuple(permission for permission in worker if not permission.startswith("storage.")) == WORK, (
        "or runtime 2.3 fails"
    )
    assert all(iam.is_permission(permission) for permission in WORK), "a custom role could not have them"


def test_a_perimeter_allows_deployers(all_of_it: Recording) -> None:
    perimeter = all_of_it.one("gcp:accesscontextmanager/servicePerimeter:ServicePerimeter").inputs
    assert perimeter["name"] == "accessPolicies/123456789/servicePerimeters/acme_dev_lakehouse"
    status = perimeter["status"]
    assert status["resources"] == ["projects/123456789012"]
    closed = {entry.removesuffix(".googleapis.com") for entry in status["restrictedServices"]}
    assert {"biglake", "bigquery", "storage", "pubsub"} <= closed, "the lakehouse"
    assert {"bigtable", "firestore", "logging", "secretmanager", "sqladmin"} <= closed, (
        "the feature store, the model registry and the logs: their data must not leave either"
    )
    assert "artifactregistry" not in closed, "caches of images could not reach what they cache"
    let_in = status["ingressPolicies"][0]["ingressFrom"]
    assert let_in["identities"] == [f"serviceAccount:deployer@{PROJECT}.iam.gserviceaccount.com"]
    assert "spec" not in perimeter
