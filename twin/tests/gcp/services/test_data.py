"""Pub/Sub, Dataplex, Scheduler, perimeters, quotas, audit logs, Firestore, Bigtable, on an API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.api_server import inventory
from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.api_servers import refused as refusal
from twin.tests.gcp.resources.life import make, refused
from twin.tests.gcp.services.bigquery import test_resources

TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SCAN = "gcp:dataplex/datascan:Datascan"
JOB = "gcp:cloudscheduler/job:Job"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
LEVEL = "gcp:accesscontextmanager/accessLevel:AccessLevel"
QUOTA = "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
FIRESTORE = "gcp:firestore/database:Database"
SCHEDULE = "gcp:firestore/backupSchedule:BackupSchedule"
BIGTABLE = "gcp:bigtable/instance:Instance"
ACCOUNT = "gcp:serviceaccount/account:Account"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"


def pubsub(gcp: GcpContext) -> str:
    """Pub/Sub's own member."""
    return str(make(gcp, IDENTITY, service="pubsub.googleapis.com").outputs["member"])


def test_a_topic_and_its_subscription_live(data: GcpContext) -> None:
    topic = make(
        data,
        TOPIC,
        name="arrivals",
        messageStoragePolicy={"allowedPersistenceRegions": ["us-central1"]},
        messageRetentionDuration="604800s",
        labels={"team": "ml"},
    )
    assert topic.update(messageRetentionDuration="86400s")["messageRetentionDuration"] == "86400s"
    assert topic.update(labels={"team": "data"})["effectiveLabels"]["team"] == "data"
    dead = make(data, TOPIC, name="arrivals-dead")
    subscription = make(
        data,
        SUBSCRIPTION,
        name="arrivals-a",
        topic="arrivals",
        expirationPolicy={"ttl": ""},
        deadLetterPolicy={"deadLetterTopic": dead.id, "maxDeliveryAttempts": 5},
        retryPolicy={"minimumBackoff": "10s", "maximumBackoff": "600s"},
    )
    assert subscription.outputs["topic"] == "arrivals"
    assert subscription.update(ackDeadlineSeconds=60)["ackDeadlineSeconds"] == 60
    member = make(data, TOPIC_MEMBER, topic="arrivals", role="roles/pubsub.publisher", member=pubsub(data))
    with pytest.raises(CloudError, match="is not supported for this resource"):
        make(data, TOPIC_MEMBER, topic="arrivals", role="roles/storage.objectViewer", member=pubsub(data))
    for resource in (member, subscription, dead, topic):
        resource.delete()
        assert resource.read() is None
    settings = {"schema": f"projects/{PROJECT}/schemas/event", "encoding": "JSON"}
    with pytest.raises(CloudError, match=r"Resource not found \(resource=event\)"):
        make(data, TOPIC, name="typed", schemaSettings=settings)
    with pytest.raises(CloudError, match=r"Resource not found \(resource=gone\)"):
        make(data, SUBSCRIPTION, name="lost", topic="gone")
    assert "bigqueryConfig" in refused(
        data,
        SUBSCRIPTION,
        name="two",
        topic="t",
        bigqueryConfig={"table": "a.b.c"},
        cloudStorageConfig={"bucket": "b"},
    )


def test_a_subscription_writes_only_where_pubsub_may(data: GcpContext) -> None:
    test_resources.dataset(data)
    test_resources.table(data)
    make(data, TOPIC, name="stream")
    config = {"table": f"{PROJECT}.curated.events", "useTableSchema": True, "dropUnknownFields": True}
    arguments: dict[str, Any] = {"name": "rows", "topic": "stream", "bigqueryConfig": config}
    with pytest.raises(CloudError, match=r"needs bigquery\.tables\.get"):
        make(data, SUBSCRIPTION, **arguments)
    make(
        data,
        "gcp:bigquery/iamMember:IamMember",
        datasetId="curated",
        tableId="events",
        role="roles/bigquery.dataEditor",
        member=pubsub(data),
    )
    assert make(data, SUBSCRIPTION, **arguments).outputs["bigqueryConfig"]["useTableSchema"] is True
    with pytest.raises(CloudError, match="must have a column data"):
        make(data, SUBSCRIPTION, **{**arguments, "name": "raw", "bigqueryConfig": {"table": config["table"]}})
    make(data, "gcp:storage/bucket:Bucket", name="acme-raw", location="us-central1")
    files = {"bucket": "acme-raw", "filenamePrefix": "errors/"}
    with pytest.raises(CloudError, match=r"needs storage\.buckets\.get"):
        make(data, SUBSCRIPTION, name="files", topic="stream", cloudStorageConfig=files)


def test_a_scan_checks_columns_that_there_are(data: GcpContext) -> None:
    test_resources.dataset(data)
    test_resources.table(data)
    rule = {"dimension": "COMPLETENESS", "column": "id", "threshold": 1.0, "nonNullExpectation": {}}
    arguments: dict[str, Any] = {
        "dataScanId": "events",
        "location": "us-central1",
        "data": {"resource": f"//bigquery.googleapis.com/projects/{PROJECT}/datasets/curated/tables/events"},
        "executionSpec": {"trigger": {"schedule": {"cron": "TZ=Etc/UTC 0 3 * * *"}}},
        "dataQualitySpec": {"rules": [rule]},
    }
    scan = make(data, SCAN, **arguments, labels={"team": "ml"})
    assert scan.outputs["type"] == "DATA_QUALITY"
    assert scan.update(description="Events")["description"] == "Events"
    scan.delete()
    assert scan.read() is None
    for changed, words in (
        ({**rule, "column": "gone"}, "the column gone is not in the table"),
        ({**rule, "setExpectation": {"values": ["a"]}}, "exactly one expectation"),
        ({**rule, "threshold": 2.0}, "from 0.0 to 1.0"),
    ):
        with pytest.raises(CloudError, match=words):
            make(data, SCAN, **{**arguments, "dataQualitySpec": {"rules": [changed]}})
    trigger = {"schedule": {"cron": "0 30 * * *"}}
    with pytest.raises(CloudError, match="is no hour"):
        make(data, SCAN, **{**arguments, "executionSpec": {"trigger": trigger}})
    assert "data.entity" in refused(data, SCAN, **{**arguments, "data": {}})


def test_a_scheduled_call_lives_and_pauses(data: GcpContext) -> None:
    email = make(data, ACCOUNT, accountId="starter").outputs["email"]
    target = {
        "uri": f"https://dataproc.googleapis.com/v1/projects/{PROJECT}/locations/us-central1/batches",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": "e30=",
        "oauthToken": {"serviceAccountEmail": email},
    }
    arguments: dict[str, Any] = {"name": "batch", "region": "us-central1", "schedule": "0 3 * * *"}
    job = make(data, JOB, **arguments, httpTarget=target, paused=True)
    assert job.outputs["state"] == "PAUSED"
    assert job.update(paused=False)["state"] == "ENABLED"
    assert job.update(schedule="0 4 * * 1")["schedule"] == "0 4 * * 1"
    job.delete()
    assert job.read() is None
    with pytest.raises(CloudError, match="five fields"):
        make(data, JOB, **{**arguments, "schedule": "daily"}, httpTarget=target)
    gone = {"serviceAccountEmail": f"gone@{PROJECT}.iam.gserviceaccount.com"}
    with pytest.raises(CloudError, match="does not exist"):
        make(data, JOB, **arguments, httpTarget={**target, "oauthToken": gone})
    assert "httpTarget.body" in refused(data, JOB, **arguments, httpTarget={**target, "body": "{}"})


def test_a_perimeter_holds_the_own_project_once(data: GcpContext, google: ApiServer) -> None:
    number = google.project_number
    level = make(
        data,
        LEVEL,
        parent="accessPolicies/123456",
        name="accessPolicies/123456/accessLevels/office",
        title="office",
        basic={"conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]},
    )
    status = {
        "resources": [f"projects/{number}"],
        "restrictedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
        "ingressPolicies": [
            {
                "ingressFrom": {"identities": ["user:ann@example.com"], "sources": [{"accessLevel": "*"}]},
                "ingressTo": {"resources": ["*"], "operations": [{"serviceName": "*"}]},
            }
        ],
    }
    arguments: dict[str, Any] = {"parent": "accessPolicies/123456", "title": "data", "status": status}
    name = "accessPolicies/123456/servicePerimeters"
    perimeter = make(data, PERIMETER, name=f"{name}/data", **arguments)
    assert perimeter.id == f"{name}/data"
    assert perimeter.update(description="Data")["description"] == "Data"
    for more, words in (
        ({"name": f"{name}/other"}, "in the regular perimeter"),
        ({"name": f"{name}/other", "status": {**status, "resources": ["projects/1"]}}, "was not found"),
        (
            {
                "name": f"{name}/other",
                "status": {**status, "resources": [], "restrictedServices": ["no.example.com"]},
            },
            "is not supported by VPC Service Controls",
        ),
    ):
        with pytest.raises(CloudError, match=words):
            make(data, PERIMETER, **{**arguments, **more})
    perimeter.delete()
    level.delete()
    assert perimeter.read() is None


def test_a_quota_is_lowered_by_force_alone(data: GcpContext, google: ApiServer) -> None:
    arguments: dict[str, Any] = {
        "service": "bigquery.googleapis.com",
        "metric": "bigquery.googleapis.com%2Fquota%2Fquery%2Fusage",
        "limit": "%2Fd%2Fproject%2Fuser",
        "overrideValue": "1048576",
    }
    with pytest.raises(CloudError, match="more than 10%"):
        make(data, QUOTA, **arguments)
    quota = make(data, QUOTA, **arguments, force=True)
    assert quota.update(overrideValue="2097152")["overrideValue"] == "2097152"
    assert "serviceusage.consumerOverrides" in inventory.of(google)
    quota.delete()
    assert quota.read() is None
    with pytest.raises(CloudError, match="not found"):
        make(data, QUOTA, **{**arguments, "metric": "bigquery.googleapis.com%2Fnothing"}, force=True)


def test_audit_logs_of_a_service_are_part_of_the_projects_policy(data: GcpContext, google: ApiServer) -> None:
    arguments: dict[str, Any] = {"project": PROJECT, "service": "storage.googleapis.com"}
    configs = [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]
    audit_config = make(data, AUDIT, **arguments, auditLogConfigs=configs)
    assert audit_config.id == f"{PROJECT}/audit_config/storage.googleapis.com"
    member = make(
        data,
        "gcp:projects/iAMMember:IAMMember",
        project=PROJECT,
        role="roles/logging.logWriter",
        member=make(data, ACCOUNT, accountId="writer").outputs["member"],
    )
    assert audit_config.read() is not None, "members leave it as it is"
    audit_config.update(auditLogConfigs=configs[:1])
    policy = (
        client(google, "cloudresourcemanager").projects().getIamPolicy(resource=PROJECT, body={}).execute()
    )
    assert policy["auditConfigs"] == [{"service": "storage.googleapis.com", "auditLogConfigs": configs[:1]}]
    audit_config.delete()
    assert audit_config.read() is None
    assert member.read() is not None
    assert "auditLogConfigs[0].logType" in refused(
        data, AUDIT, **arguments, auditLogConfigs=[{"logType": "ALL"}]
    )


def granted_key(gcp: GcpContext, service: str) -> str:
    """A key that the agent of a service may use."""
    agent = make(gcp, IDENTITY, service=f"{service}.googleapis.com").outputs["member"]
    ring = make(gcp, "gcp:kms/keyRing:KeyRing", name="ring", location="us-central1")
    key = make(gcp, "gcp:kms/cryptoKey:CryptoKey", name="data", keyRing=ring.id).id
    make(
        gcp,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=key,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent,
    )
    return key


def test_a_firestore_lives_with_its_backups(data: GcpContext) -> None:
    key = granted_key(data, "firestore")
    arguments: dict[str, Any] = {
        "name": "features",
        "locationId": "us-central1",
        "type": "DATASTORE_MODE",
        "deletionPolicy": "DELETE",
        "cmekConfig": {"kmsKeyName": key},
    }
    database = make(data, FIRESTORE, **arguments, deleteProtectionState="DELETE_PROTECTION_ENABLED")
    daily: dict[str, Any] = {"database": "features", "dailyRecurrence": {}}
    schedule = make(data, SCHEDULE, **daily, retention="604800s")
    assert schedule.update(retention="1209600s")["retention"] == "1209600s"
    with pytest.raises(CloudError, match="already"):
        make(data, SCHEDULE, **daily, retention="604800s")
    with pytest.raises(CloudError, match="delete protection is enabled"):
        database.kind.delete(data, database.id, database.outputs)
    database.update(deleteProtectionState="DELETE_PROTECTION_DISABLED")
    schedule.delete()
    database.delete()
    assert database.read() is None
    left = {name: value for name, value in arguments.items() if name != "deletionPolicy"}
    firestore = make(data, FIRESTORE, **left)
    firestore.delete()
    assert firestore.read() is not None, "without a word the provider leaves a database where it is"
    with pytest.raises(CloudError, match="Invalid Database id"):
        make(data, FIRESTORE, **{**arguments, "name": "Features"})


def test_a_bigtable_lives(data: GcpContext) -> None:
    key = granted_key(data, "bigtableadmin")
    cluster = {
        "clusterId": "features",
        "zone": "us-central1-a",
        "kmsKeyName": key,
        "autoscalingConfig": {"minNodes": 1, "maxNodes": 5, "cpuTarget": 60},
    }
    arguments: dict[str, Any] = {
        "name": "acme-features",
        "displayName": "features",
        "deletionProtection": False,
    }
    instance = make(data, BIGTABLE, **arguments, clusters=[cluster], labels={"team": "ml"})
    assert instance.outputs["clusters"][0]["numNodes"] == 1
    assert instance.update(displayName="the features")["displayName"] == "the features"
    more = {**cluster, "autoscalingConfig": {"minNodes": 2, "maxNodes": 5, "cpuTarget": 60}}
    assert instance.update(clusters=[more])["clusters"][0]["autoscalingConfig"]["minNodes"] == 2
    member = make(
        data,
        "gcp:bigtable/instanceIamMember:InstanceIamMember",
        instance="acme-features",
        role="roles/bigtable.reader",
        member="group:ml@example.com",
    )
    member.delete()
    with pytest.raises(CloudError, match="without setting deletion_protection=false"):
        instance.kind.delete(data, instance.id, {**instance.outputs, "deletionProtection": True})
    instance.delete()
    assert instance.read() is None
    wide = {"minNodes": 1, "maxNodes": 50, "cpuTarget": 60}
    with pytest.raises(CloudError, match="at most ten times"):
        make(data, BIGTABLE, **arguments, clusters=[{**cluster, "autoscalingConfig": wide}])


def test_what_a_policy_of_a_resource_lets_its_members_do(data: GcpContext, google: ApiServer) -> None:
    member = make(data, ACCOUNT, accountId="team-a").outputs["member"]
    token = google.identity.token(member)
    test_resources.dataset(data)
    make(
        data,
        "gcp:storage/bucket:Bucket",
        name="acme-raw",
        location="us-central1",
        uniformBucketLevelAccess=True,
    )
    make(data, "gcp:storage/managedFolder:ManagedFolder", bucket="acme-raw", name="a/")
    make(data, TOPIC, name="arrivals")
    bigquery = client(google, "bigquery", "v2", token=token)
    objects = client(google, "storage", token=token).objects()
    topics = client(google, "pubsub", token=token).projects().topics()
    topic = f"projects/{PROJECT}/topics/arrivals"
    requests = (
        bigquery.datasets().get(projectId=PROJECT, datasetId="curated"),
        objects.get(bucket="acme-raw", object="a/x"),
        topics.get(topic=topic),
    )
    assert [refusal(request).code for request in requests] == [403, 403, 403]
    role = "roles/bigquery.dataViewer"
    make(
        data, "gcp:bigquery/datasetIamMember:DatasetIamMember", datasetId="curated", role=role, member=member
    )
    make(
        data,
        "gcp:storage/managedFolderIamMember:ManagedFolderIamMember",
        bucket="acme-raw",
        managedFolder="a/",
        role="roles/storage.objectViewer",
        member=member,
    )
    make(data, TOPIC_MEMBER, topic="arrivals", role="roles/pubsub.viewer", member=member)
    assert requests[0].execute()["id"] == f"{PROJECT}:curated"
    assert refusal(requests[1]).code == 404, "it may look, and there is nothing"
    assert refusal(objects.get(bucket="acme-raw", object="b/x")).code == 403, "the folder alone"
    assert requests[2].execute()["name"] == topic
