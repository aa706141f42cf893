"""A feature store on Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from aiplatform.feature_store import FeatureStore
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.feature_store.example import (
    ANSWERS,
    GOOGLE_LAKEHOUSE,
    GOOGLE_MATERIALIZER,
    PROJECT,
    google,
    rendered,
)
from tests.components.aiplatform.pools import GOOGLE_CLUSTER
from tests.components.recording import Recording, record, value

READER = "user:ada@acme.example"
APPLIER = "group:data-science@acme.example"
MATERIALIZER = GOOGLE_MATERIALIZER["principal"]
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"


@pytest.fixture(scope="module")
def recording() -> Recording:
    """One with everybody in it, in Firestore."""
    return google(appliers=[APPLIER], readers=[READER], backup_days=7, protect=True)


@pytest.fixture(scope="module")
def bigtable() -> Recording:
    """One that answers in milliseconds."""
    return google(latency="milliseconds", appliers=[APPLIER], tags={"team": "shop"})


def roles(recorded: Recording, type_: str) -> set[tuple[str, str]]:
    """(member, role) of all grants of a kind."""
    return {(resource.inputs["member"], resource.inputs["role"]) for resource in recorded.all(type_)}


def test_the_logical_names_are_a_contract(recording: Recording) -> None:
    names = [name for name in recording.names() if name.startswith("gcp:") and "Member " not in name]
    assert names == [
        "gcp:bigquery/dataset:Dataset features-applier-0",
        "gcp:bigquery/dataset:Dataset features-materializer",
        "gcp:bigquery/dataset:Dataset features-reader-0",
        "gcp:firestore/backupSchedule:BackupSchedule features-online",
        "gcp:firestore/database:Database features-online",
        "gcp:kms/cryptoKey:CryptoKey features-key",
        "gcp:kms/keyRing:KeyRing features-keys",
        "gcp:projects/service:Service features-api-bigquery",
        "gcp:projects/service:Service features-api-bigquerystorage",
        "gcp:projects/service:Service features-api-cloudkms",
        "gcp:projects/service:Service features-api-datastore",
        "gcp:projects/service:Service features-api-firestore",
        "gcp:projects/service:Service features-api-iam",
        "gcp:projects/service:Service features-api-storage",
        "gcp:projects/service:Service features-server-api-iam",
        "gcp:projects/serviceIdentity:ServiceIdentity features-firestore-agent",
        "gcp:serviceaccount/account:Account features-server-account",
        "gcp:storage/bucket:Bucket features-registry",
        "gcp:storage/bucket:Bucket features-staging-applier-0",
        "gcp:storage/bucket:Bucket features-staging-materializer",
        "gcp:storage/bucket:Bucket features-staging-reader-0",
        "gcp:storage/bucketObject:BucketObject features-registry",
    ]


def test_firestore_is_in_datastore_mode_encrypted_and_backed_up(recording: Recording) -> None:
    database = recording.one("gcp:firestore/database:Database")
    assert database.inputs["type"] == "DATASTORE_MODE", "Feast's client is Datastore's"
    assert database.inputs["cmekConfig"]["kmsKeyName"]
    assert database.inputs["deleteProtectionState"] == "DELETE_PROTECTION_ENABLED"
    assert database.inputs["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    assert database.inputs["deletionPolicy"] == "DELETE", "without it a destroy leaves it where it is"
    assert database.protect is True
    schedule = recording.one("gcp:firestore/backupSchedule:BackupSchedule").inputs
    assert schedule["retention"] == "604800s"
    grant = recording.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "features-firestore-key")
    assert recording.depends(database, grant), "Firestore's agent must be allowed to use the key first"


def test_roles_of_firestore_are_limited_to_its_database(recording: Recording) -> None:
    granted = [
        resource
        for resource in recording.all("gcp:projects/iAMMember:IAMMember")
        if resource.name.endswith("-online")
    ]
    assert {(resource.inputs["member"], resource.inputs["role"]) for resource in granted} == {
        (value(recording.result.server_principal), "roles/datastore.viewer"),
        (MATERIALIZER, "roles/datastore.user"),
        (APPLIER, "roles/datastore.user"),
    }
    for resource in granted:
        assert resource.inputs["condition"]["expression"] == (
            f'resource.name == "projects/{PROJECT}/databases/acme-dev-features"'
        )


def test_all_principals_read_the_registry_and_only_some_write_it(recording: Recording) -> None:
    server = value(recording.result.server_principal)
    registry = {
        (resource.inputs["member"], resource.inputs["role"])
        for resource in recording.all(MEMBER)
        if "-registry-" in resource.name and "legacy" not in resource.inputs["role"]
    }
    assert registry == {
        (server, "roles/storage.objectViewer"),
        (READER, "roles/storage.objectViewer"),
        (APPLIER, "roles/storage.objectUser"),
        (MATERIALIZER, "roles/storage.objectUser"),
    }
    first = recording.one("gcp:storage/bucketObject:BucketObject")
    assert first.inputs["content"]["value"] == "\x1a\x011", "the provider keeps contents as secrets"
    assert "content" in first.ignore_changes


def test_each_principal_has_a_separate_bucket_and_dataset(recording: Recording) -> None:
    principals = {"materializer": MATERIALIZER, "applier-0": APPLIER, "reader-0": READER}
    granted = [
        (resource.inputs["datasetId"], resource.inputs["member"], resource.inputs["role"])
        for resource in recording.all("gcp:bigquery/datasetIamMember:DatasetIamMember")
    ]
    assert sorted(granted) == [
        (f"acme_dev_features_{who.replace('-', '_')}", member, "roles/bigquery.dataEditor")
        for who, member in sorted(principals.items())
    ]
    staging = {
        (resource.inputs["bucket"], resource.inputs["member"])
        for resource in recording.all(MEMBER)
        if "-staging-" in resource.name
    }
    assert staging == {(f"acme-dev-feast-{who}-{PROJECT}", member) for who, member in principals.items()}
    digests = set[str]()
    for who in principals:
        for kind, name in (
            ("gcp:storage/bucket:Bucket", f"features-staging-{who}"),
            ("gcp:bigquery/dataset:Dataset", f"features-{who}"),
        ):
            resource = recording.one(kind, name)
            digests.add(resource.inputs["labels"]["principal"])
            assert bool(resource.replace_on_changes) is not bool(resource.protect), (
                "what is protected cannot be replaced, and all else is"
            )
            assert resource.replace_on_changes in ((), ("labels.principal",)), (
                "another principal in its place finds nothing of what was staged before"
            )
            assert who == "materializer" or resource.protect is None, "or it could not be replaced"
    assert len(digests) == len(principals)
    dataset = recording.one("gcp:bigquery/dataset:Dataset", "features-reader-0").inputs
    assert dataset["defaultTableExpirationMs"] == 24 * 3600 * 1000
    assert dataset["defaultEncryptionConfiguration"]["kmsKeyName"]
    jobs = {
        resource.inputs["member"]
        for resource in recording.all("gcp:projects/iAMMember:IAMMember")
        if resource.inputs["role"] == "roles/bigquery.jobUser"
    }
    assert jobs == {MATERIALIZER, APPLIER, READER}, "the server asks no queries"


def test_buckets_are_private_and_staging_expires(recording: Recording) -> None:
    for name in ("registry", "staging-reader-0"):
        bucket = recording.one("gcp:storage/bucket:Bucket", f"features-{name}").inputs
        assert bucket["uniformBucketLevelAccess"] is True
        assert bucket["publicAccessPrevention"] == "enforced"
        assert bucket["encryption"]["defaultKmsKeyName"]
    assert bucket["lifecycleRules"][0]["condition"] == {"age": 1}
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 0}


def test_bigtable_scales_by_load_and_feast_creates_its_tables(bigtable: Recording) -> None:
    instance = bigtable.one("gcp:bigtable/instance:Instance").inputs
    (cluster,) = instance["clusters"]
    assert cluster["zone"] == "europe-west4-a"
    assert cluster["autoscalingConfig"] == {"cpuTarget": 60, "maxNodes": 5, "minNodes": 1}
    assert cluster["kmsKeyName"]
    assert instance["labels"] == {"team": "shop"}
    role = bigtable.one("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert role.inputs["roleId"] == "acme_dev_features_apply"
    assert not any("instances.delete" in permission for permission in role.inputs["permissions"])
    granted = {
        resource.inputs["member"]: resource.inputs["role"]
        for resource in bigtable.all("gcp:bigtable/instanceIamMember:InstanceIamMember")
    }
    assert granted[value(bigtable.result.server_principal)] == "roles/bigtable.reader"
    assert granted[MATERIALIZER] == "roles/bigtable.user"


def test_each_applier_and_reader_has_a_separate_configuration(recording: Recording) -> None:
    clients = value(recording.result.clients)
    assert [client["principal"] for client in clients] == [APPLIER, READER]
    for who, client in zip(("applier-0", "reader-0"), clients, strict=True):
        offline = yaml.safe_load(client["feature_store_yaml"])["offline_store"]
        assert offline["dataset"] == f"acme_dev_features_{who.replace('-', '_')}"
        assert offline["gcs_staging_location"] == f"gs://acme-dev-feast-{who}-{PROJECT}/exports"


def test_the_configuration_names_the_created_resources(recording: Recording, bigtable: Recording) -> None:
    config = rendered(recording)
    assert config["registry"]["path"] == f"gs://acme-dev-features-{PROJECT}/registry/registry.db"
    assert config["online_store"] == {
        "type": "datastore",
        "project_id": PROJECT,
        "database": recording.one("gcp:firestore/database:Database").inputs["name"],
    }
    assert config["offline_store"] == {
        "type": "bigquery",
        "project_id": PROJECT,
        "billing_project_id": PROJECT,
        "dataset": "acme_dev_features_materializer",
        "location": "europe-west4",
        "gcs_staging_location": f"gs://acme-dev-feast-materializer-{PROJECT}/exports",
    }
    assert rendered(bigtable)["online_store"] == {
        "type": "bigtable",
        "project_id": PROJECT,
        "instance": "acme-dev-features",
    }


def test_outputs_of_a_workload_identity_are_accepted() -> None:
    cluster: Any = {**GOOGLE_CLUSTER, "workload_pool": f"{PROJECT}.svc.id.goog"}

    def program() -> FeatureStore:
        identity = WorkloadIdentity(
            "who",
            {
                "prefix": "acme-dev",
                "name": "features",
                "cluster": cluster,
                "namespace": "feature-store",
                "service_account": "feature-materializer",
            },
        )
        arguments: Any = {
            "prefix": "acme-dev",
            "cluster": cluster,
            "lakehouse": GOOGLE_LAKEHOUSE,
            "materializer": identity.outputs,
        }
        return FeatureStore("features", arguments)

    recorded = record(program, answers=ANSWERS)
    account = recorded.one("kubernetes:core/v1:ServiceAccount", "features-feature-materializer-account")
    email = account.inputs["metadata"]["annotations"]["iam.gke.io/gcp-service-account"]
    members = roles(recorded, "gcp:bigquery/datasetIamMember:DatasetIamMember")
    assert members == {(f"serviceAccount:{email}", "roles/bigquery.dataEditor")}


def test_pods_have_the_identity_of_their_service_accounts(recording: Recording) -> None:
    accounts = {
        resource.name: resource.inputs["metadata"]
        for resource in recording.all("kubernetes:core/v1:ServiceAccount")
    }
    materializer = accounts["features-feature-materializer-account"]
    assert materializer["annotations"] == GOOGLE_MATERIALIZER["annotations"]
    server = accounts["features-feature-server-account"]["annotations"]["iam.gke.io/gcp-service-account"]
    assert value(recording.result.server_principal) == f"serviceAccount:{server}"
    policies = {
        resource.name: resource.inputs["spec"]
        for resource in recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    }
    ways = policies["features-feature-server-network-policy"]["egress"]
    open_ = {
        (peer["ipBlock"]["cidr"], port["port"])
        for way in ways
        for peer in way.get("to") or []
        if "ipBlock" in peer
        for port in way["ports"]
    }
    assert open_ == {
        ("169.254.169.252/32", 988),
        ("169.254.169.254/32", 80),
        ("169.254.169.254/32", 53),
        ("169.254.20.10/32", 53),
    }, "GKE's metadata server and its resolvers, which no selector of Pods meets"


def _shared(recorded: Recording) -> dict[str, Any]:
    """Members of what several principals have roles on, by type and name."""
    return {
        f"{resource.type} {resource.name}": resource.inputs
        for resource in recorded.resources
        if resource.inputs.get("member") in (APPLIER, READER)
        and "-staging-" not in resource.name
        and not resource.name.endswith("-tables")
    }


@pytest.mark.parametrize("latency", ["tens_of_milliseconds", "milliseconds"])
def test_removing_the_first_applier_deletes_no_role_of_others(latency: str) -> None:
    """Deleting a member removes the principal from the role, whichever resource put it there."""
    before = _shared(google(latency=latency, appliers=[APPLIER, READER]))
    after = _shared(google(latency=latency, appliers=[READER]))
    assert {before[name]["member"] for name in before if name not in after} == {APPLIER}
    assert all(before[name] == inputs for name, inputs in after.items())


def test_an_applier_that_becomes_a_reader_keeps_the_roles_of_readers() -> None:
    before, after = (_shared(google(**{kind: [READER]})) for kind in ("appliers", "readers"))
    deleted = [before[name] for name in before if name not in after]
    assert not [entry for entry in deleted if entry in after.values()]
