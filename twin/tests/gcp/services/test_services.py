"""KMS, DNS, logging, storage, Binary Authorization."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from googleapiclient.http import MediaIoBaseUpload

from twin.gcp.api_server import inventory
from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, client, refused

PLACE = f"projects/{PROJECT}/locations/us-central1"
KEY = f"{PLACE}/keyRings/ring/cryptoKeys/key"


def make_key(server: ApiServer, **more: Any) -> Any:
    """A key ring and the request for a key."""
    rings = client(server, "cloudkms").projects().locations().keyRings()
    if not server.state.get(f"cloudkms/{PLACE}/keyRings/ring"):
        rings.create(parent=PLACE, keyRingId="ring", body={}).execute()
    body = {"purpose": "ENCRYPT_DECRYPT", **more}
    return rings.cryptoKeys().create(parent=f"{PLACE}/keyRings/ring", cryptoKeyId="key", body=body)


def soon() -> str:
    """A time tomorrow."""
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"rotationPeriod": "3600s", "nextRotationTime": "2030-01-01T00:00:00Z"},
            "rotation_period must be from 86400s",
        ),
        ({"rotationPeriod": "7776000s"}, "next_rotation_time must be set"),
        ({"rotationPeriod": "90d"}, 'seconds such as "3.5s" are right'),
        ({"labels": {"A": "b"}}, "Label key must match"),
        ({"purpose": "MAC"}, "is not for purpose MAC"),
        ({"destroyScheduledDuration": "60s"}, "destroy_scheduled_duration must be from"),
    ],
)
def test_a_key_that_cannot_be_is_refused(shared: ApiServer, more: dict[str, Any], words: str) -> None:
    assert words in refused(make_key(shared, **more)).message


def test_a_keys_name_is_taken_until_all_its_versions_are_gone(google: ApiServer) -> None:
    key = make_key(google, rotationPeriod="7776000s", nextRotationTime=soon()).execute()
    rings = client(google, "cloudkms").projects().locations().keyRings()
    assert key["primary"]["state"] == "ENABLED"
    assert refused(rings.create(parent=PLACE, keyRingId="ring", body={})).code == 409
    assert refused(make_key(google)).status == "ALREADY_EXISTS"
    versions = rings.cryptoKeys().cryptoKeyVersions()
    gone = versions.destroy(name=f"{KEY}/cryptoKeyVersions/1", body={}).execute()
    assert gone["state"] == "DESTROY_SCHEDULED"
    assert inventory.of(google) == {}, "a destroy leaves names without a price"


def test_a_private_zone_answers_a_network_once(google: ApiServer) -> None:
    link = api_servers.network(google)
    dns = client(google, "dns")
    zone: dict[str, Any] = {"name": "z", "dnsName": "corp.internal", "visibility": "private"}
    assert (
        "ends with a dot is right" in refused(dns.managedZones().create(project=PROJECT, body=zone)).message
    )
    zone.update(dnsName="corp.internal.", privateVisibilityConfig={"networks": [{"networkUrl": link}]})
    dns.managedZones().create(project=PROJECT, body=zone).execute()
    error = refused(dns.managedZones().create(project=PROJECT, body={**zone, "name": "z2"}))
    assert "is already bound to the network" in error.message
    record = {"name": "db.corp.internal.", "type": "A", "ttl": 60, "rrdatas": ["10.0.0.300"]}
    at = {"project": PROJECT, "managedZone": "z"}
    change = {"additions": [record]}
    assert "is no A record" in refused(dns.changes().create(**at, body=change)).message
    record["rrdatas"] = ["10.0.0.3"]
    assert dns.changes().create(**at, body=change).execute()["status"] == "done"
    assert refused(dns.changes().create(**at, body=change)).code == 409
    assert refused(dns.managedZones().delete(**at)).reason == "containerNotEmpty"
    assert refused(dns.changes().create(**at, body={"deletions": [{**record, "ttl": 5}]})).code == 412
    dns.changes().create(**at, body={"deletions": [record]}).execute()
    dns.managedZones().delete(**at).execute()


def test_a_bound_dns_policy_stays(google: ApiServer) -> None:
    link = api_servers.network(google)
    policies = client(google, "dns").policies()
    body = {"name": "p", "enableLogging": True, "networks": [{"networkUrl": link}]}
    policies.create(project=PROJECT, body=body).execute()
    assert refused(policies.create(project=PROJECT, body={**body, "name": "q"})).code == 400
    assert refused(policies.delete(project=PROJECT, policy="p")).code == 400
    policies.patch(project=PROJECT, policy="p", body={"networks": []}).execute()
    policies.delete(project=PROJECT, policy="p").execute()


def test_sinks_and_log_buckets(google: ApiServer) -> None:
    logs, parent = client(google, "logging", "v2"), f"projects/{PROJECT}"
    sinks = logs.projects().sinks().list(parent=parent).execute()["sinks"]
    assert [sink["name"] for sink in sinks] == ["_Default", "_Required"]
    error = refused(
        logs.projects().sinks().create(parent=parent, body={"name": "s", "destination": "s3://x"})
    )
    assert "Invalid destination" in error.message
    body = {"name": "s", "destination": "storage.googleapis.com/logs", "filter": "severity>=ERROR"}
    response = logs.projects().sinks().create(parent=parent, body=body, uniqueWriterIdentity=True).execute()
    assert response["writerIdentity"].startswith("serviceAccount:service-")
    buckets = logs.projects().locations().buckets()
    assert (
        "1 to 3650"
        in refused(
            buckets.create(parent=f"{parent}/locations/global", bucketId="b", body={"retentionDays": 4000})
        ).message
    )
    name = f"{parent}/locations/global/buckets/_Default"
    buckets.patch(name=name, updateMask="retentionDays", body={"retentionDays": 90}).execute()
    assert buckets.get(name=name).execute()["retentionDays"] == 90
    assert list(inventory.of(google)) == ["logging.sinks"], "the project's own bucket is no resource"


def test_a_bucket_is_deleted_empty(google: ApiServer) -> None:
    storage = client(google, "storage")
    error = refused(storage.buckets().insert(project=PROJECT, body={"name": "Wrong_Name"}))
    assert "Invalid bucket name" in error.message
    storage.buckets().insert(project=PROJECT, body={"name": "acme-data", "location": "us-central1"}).execute()
    assert refused(storage.buckets().insert(project=PROJECT, body={"name": "acme-data"})).code == 409
    media = MediaIoBaseUpload(io.BytesIO(b"hello"), mimetype="text/plain")
    request = storage.objects().insert(
        bucket="acme-data", name="a/b.txt", body={"metadata": {"k": "v"}}, media_body=media
    )
    assert request.execute()["size"] == "5"
    assert storage.objects().get_media(bucket="acme-data", object="a/b.txt").execute() == b"hello"
    assert storage.objects().list(bucket="acme-data", delimiter="/").execute()["prefixes"] == ["a/"]
    assert (
        refused(storage.buckets().delete(bucket="acme-data")).message
        == "The bucket you tried to delete is not empty."
    )
    storage.buckets().insert(project=PROJECT, body={"name": "acme-copies", "location": "us"}).execute()
    there = {"sourceBucket": "acme-data", "sourceObject": "a/b.txt", "destinationBucket": "acme-copies"}
    copied = storage.objects().rewrite(**there, destinationObject="c/d.txt", body={}).execute()
    assert (copied["done"], copied["resource"]["name"], copied["objectSize"]) == (True, "c/d.txt", "5")
    assert storage.objects().get_media(bucket="acme-copies", object="c/d.txt").execute() == b"hello"
    missing = {**there, "sourceObject": "none", "destinationObject": "e"}
    assert refused(storage.objects().rewrite(**missing, body={})).code == 404
    storage.objects().delete(bucket="acme-copies", object="c/d.txt").execute()
    storage.buckets().delete(bucket="acme-copies").execute()
    storage.objects().delete(bucket="acme-data", object="a/b.txt").execute()
    storage.buckets().delete(bucket="acme-data").execute()
    assert inventory.of(google) == {}


def test_a_copy_takes_rights_on_both_buckets(google: ApiServer) -> None:
    storage = client(google, "storage")
    for name in ("acme-source", "acme-target"):
        storage.buckets().insert(project=PROJECT, body={"name": name, "location": "us"}).execute()
    media = MediaIoBaseUpload(io.BytesIO(b"hello"), mimetype="text/plain")
    storage.objects().insert(bucket="acme-source", name="a", body={}, media_body=media).execute()
    who = "serviceAccount:ci@elsewhere.iam.gserviceaccount.com"
    theirs = client(google, "storage", token=google.identity.token(who)).objects()
    names = {"sourceBucket": "acme-source", "sourceObject": "a", "destinationObject": "a"}
    copy = theirs.rewrite(**names, destinationBucket="acme-target", body={})
    for bucket, role, lacks in (
        ("acme-target", "roles/storage.objectCreator", "storage.objects.get"),
        ("acme-source", "roles/storage.objectViewer", ""),
    ):
        policy = {"bindings": [{"role": role, "members": [who]}]}
        storage.buckets().setIamPolicy(bucket=bucket, body=policy).execute()
        if lacks:
            error = refused(copy)
            assert (error.code, lacks in error.message) == (403, True)
    assert copy.execute()["done"]


def test_a_buckets_key_must_be_granted_and_near(google: ApiServer) -> None:
    make_key(google).execute()
    buckets = client(google, "storage").buckets()
    body = {"name": "acme-data", "location": "us-east1", "encryption": {"defaultKmsKeyName": KEY}}
    assert "location" in refused(buckets.insert(project=PROJECT, body=body)).message
    body["location"] = "us-central1"
    assert refused(buckets.insert(project=PROJECT, body=body)).code == 403
    agent = (
        client(google, "storage")
        .projects()
        .serviceAccount()
        .get(projectId=PROJECT)
        .execute()["email_address"]
    )
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [f"serviceAccount:{agent}"]}
    keys = client(google, "cloudkms").projects().locations().keyRings().cryptoKeys()
    keys.setIamPolicy(resource=KEY, body={"policy": {"bindings": [binding]}}).execute()
    buckets.insert(project=PROJECT, body=body).execute()


def test_binary_authorization_has_one_policy(google: ApiServer) -> None:
    projects = client(google, "binaryauthorization").projects()
    name = f"projects/{PROJECT}/policy"
    assert projects.getPolicy(name=name).execute()["defaultAdmissionRule"]["evaluationMode"] == "ALWAYS_ALLOW"
    rule = {"evaluationMode": "REQUIRE_ATTESTATION", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    error = refused(projects.updatePolicy(name=name, body={"defaultAdmissionRule": rule}))
    assert "require_attestations_by" in error.message
    rule["evaluationMode"] = "ALWAYS_DENY"
    projects.updatePolicy(name=name, body={"defaultAdmissionRule": rule}).execute()
    assert projects.getPolicy(name=name).execute()["defaultAdmissionRule"] == rule
    assert inventory.of(google) == {}
