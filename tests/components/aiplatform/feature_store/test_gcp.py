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
def made() -> Recording:
    """One with everybody in it, in Firestore."""
    return google(appliers=[APPLIER], readers=[READER], backup_days=7, protect=True)


@pytest.fixture(scope="module")
def bigtable() -> Recording:
    """One that answers in milliseconds."""
    return google(latency="milliseconds", appliers=[APPLIER], tags={"team": "shop"})


def roles(recorded: Recording, type_: str) -> set[tuple[str, str]]:
    """(member, role) of all grants of a kind."""
    return {(each.inputs["member"], each.inputs["role"]) for each in recorded.all(type_)}


def test_the_logical_names_are_a_contract(made: Recording) -> None:
    names = [name for name in made.names() if name.startswith("gcp:") and "Member " not in name]
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


def test_firestore_is_kept_for_datastores_clients_encrypted_and_backed_up(made: Recording) -> None:
    database = made.one("gcp:firestore/database:Database")
    assert database.inputs["type"] == "DATASTORE_MODE", "Feast's client is Datastore's"
    assert database.inputs["cmekConfig"]["kmsKeyName"]
    assert database.inputs["deleteProtectionState"] == "DELETE_PROTECTION_ENABLED"
    assert database.inputs["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    assert database.inputs["deletionPolicy"] == "DELETE", "without it a destroy leaves it where it is"
    assert database.protect is True
    schedule = made.one("gcp:firestore/backupSchedule:BackupSchedule").inputs
    assert schedule["retention"] == "604800s"
    grant = made.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "features-firestore-key")
    assert made.depends(database, grant), "Firestore's agent must be let to use the key first"


def test_rights_in_firestore_end_at_its_database(made: Recording) -> None:
    granted = [each for each in made.all("gcp:projects/iAMMember:IAMMember") if each.name.endswith("-online")]
    assert {(each.inputs["member"], each.inputs["role"]) for each in granted} == {
        (value(made.result.server_principal), "roles/datastore.viewer"),
        (MATERIALIZER, "roles/datastore.user"),
        (APPLIER, "roles/datastore.user"),
    }
    for each in granted:
        assert each.inputs["condition"]["expression"] == (
            f'resource.name == "projects/{PROJECT}/databases/acme-dev-features"'
        )


def test_the_registry_is_read_by_all_and_written_by_those_who_change_it(made: Recording) -> None:
    server = value(made.result.server_principal)
    registry = {
        (each.inputs["member"], each.inputs["role"])
        for each in made.all(MEMBER)
        if "-registry-" in each.name and "legacy" not in each.inputs["role"]
    }
    assert registry == {
        (server, "roles/storage.objectViewer"),
        (READER, "roles/storage.objectViewer"),
        (APPLIER, "roles/storage.objectUser"),
        (MATERIALIZER, "roles/storage.objectUser"),
    }
    first = made.one("gcp:storage/bucketObject:BucketObject")
    assert first.inputs["content"]["value"] == "\x1a\x011", "the provider keeps contents as secrets"
    assert "content" in first.ignore_changes


def test_each_principal_makes_tables_and_files_where_no_other_reads(made: Recording) -> None:
    principals = {"materializer": MATERIALIZER, "applier-0": APPLIER, "reader-0": READER}
    granted = [
        (each.inputs["datasetId"], each.inputs["member"], each.inputs["role"])
        for each in made.all("gcp:bigquery/datasetIamMember:DatasetIamMember")
    ]
    assert sorted(granted) == [
        (f"acme_dev_features_{who.replace('-', '_')}", member, "roles/bigquery.dataEditor")
        for who, member in sorted(principals.items())
    ]
    staging = {
        (each.inputs["bucket"], each.inputs["member"])
        for each in made.all(MEMBER)
        if "-staging-" in each.name
    }
    assert staging == {(f"acme-dev-feast-{who}-{PROJECT}", member) for who, member in principals.items()}
    digests = set[str]()
    for who in principals:
        for kind, name in (
            ("gcp:storage/bucket:Bucket", f"features-staging-{who}"),
            ("gcp:bigquery/dataset:Dataset", f"features-{who}"),
        ):
            resource = made.one(kind, name)
            digests.add(resource.inputs["labels"]["principal"])
            assert bool(resource.replace_on_changes) is not bool(resource.protect), (
                "what is protected cannot be replaced, and all else is"
            )
            assert resource.replace_on_changes in ((), ("labels.principal",)), (
                "another principal in its place finds nothing of what was staged before"
            )
            assert who == "materializer" or resource.protect is None, "or it could not be replaced"
    assert len(digests) == len(principals)
    dataset = made.one("gcp:bigquery/dataset:Dataset", "features-reader-0").inputs
    assert dataset["defaultTableExpirationMs"] == 24 * 3600 * 1000
    assert dataset["defaultEncryptionConfiguration"]["kmsKeyName"]
    jobs = {
        each.inputs["member"]
        for each in made.all("gcp:projects/iAMMember:IAMMember")
        if each.inputs["role"] == "roles/bigquery.jobUser"
    }
    assert jobs == {MATERIALIZER, APPLIER, READER}, "the server asks no queries"


def test_buckets_are_closed_and_staging_goes_by_itself(made: Recording) -> None:
    for name in ("registry", "staging-reader-0"):
        bucket = made.one("gcp:storage/bucket:Bucket", f"features-{name}").inputs
        assert bucket["uniformBucketLevelAccess"] is True
        assert bucket["publicAccessPrevention"] == "enforced"
        assert bucket["encryption"]["defaultKmsKeyName"]
    assert bucket["lifecycleRules"][0]["condition"] == {"age": 1}
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 0}


def test_bigtable_grows_by_its_load_and_its_tables_are_feasts(bigtable: Recording) -> None:
    instance = bigtable.one("gcp:bigtable/instance:Instance").inputs
    (cluster,) = instance["clusters"]
    assert cluster["zone"] == "europe-west4-a"
    assert cluster["autoscalingConfig"] == {"cpuTarget": 60, "maxNodes": 5, "minNodes": 1}
    assert cluster["kmsKeyName"]
    assert instance["labels"] == {"team": "shop"}
    role = bigtable.one("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert role.inputs["roleId"] == "acme_dev_features_apply"
    assert not any("instances.delete" in each for each in role.inputs["permissions"])
    granted = {
        each.inputs["member"]: each.inputs["role"]
        for each in bigtable.all("gcp:bigtable/instanceIamMember:InstanceIamMember")
    }
    assert granted[value(bigtable.result.server_principal)] == "roles/bigtable.reader"
    assert granted[MATERIALIZER] == "roles/bigtable.user"


def test_each_applier_and_reader_has_a_file_of_its_own(made: Recording) -> None:
    clients = value(made.result.clients)
    assert [each["principal"] for each in clients] == [APPLIER, READER]
    for who, client in zip(("applier-0", "reader-0"), clients, strict=True):
        offline = yaml.safe_load(client["feature_store_yaml"])["offline_store"]
        assert offline["dataset"] == f"acme_dev_features_{who.replace('-', '_')}"
        assert offline["gcs_staging_location"] == f"gs://acme-dev-feast-{who}-{PROJECT}/exports"


def test_the_file_names_what_is_made(made: Recording, bigtable: Recording) -> None:
    config = rendered(made)
    assert config["registry"]["path"] == f"gs://acme-dev-features-{PROJECT}/registry/registry.db"
    assert config["online_store"] == {
        "type": "datastore",
        "project_id": PROJECT,
        "database": made.one("gcp:firestore/database:Database").inputs["name"],
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


def test_it_takes_what_a_workload_identity_gives() -> None:
    cluster: Any = {**GOOGLE_CLUSTER, "workload_pool": f"{PROJECT}.svc.id.goog"}

    def made() -> FeatureStore:
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
        given: Any = {
            "prefix": "acme-dev",
            "cluster": cluster,
            "lakehouse": GOOGLE_LAKEHOUSE,
            "materializer": identity.outputs,
        }
        return FeatureStore("features", given)

    recorded = record(made, answers=ANSWERS)
    account = recorded.one("kubernetes:core/v1:ServiceAccount", "features-feature-materializer-account")
    email = account.inputs["metadata"]["annotations"]["iam.gke.io/gcp-service-account"]
    members = roles(recorded, "gcp:bigquery/datasetIamMember:DatasetIamMember")
    assert members == {(f"serviceAccount:{email}", "roles/bigquery.dataEditor")}


def test_pods_are_who_their_service_accounts_say(made: Recording) -> None:
    accounts = {each.name: each.inputs["metadata"] for each in made.all("kubernetes:core/v1:ServiceAccount")}
    materializer = accounts["features-feature-materializer-account"]
    assert materializer["annotations"] == GOOGLE_MATERIALIZER["annotations"]
    server = accounts["features-feature-server-account"]["annotations"]["iam.gke.io/gcp-service-account"]
    assert value(made.result.server_principal) == f"serviceAccount:{server}"
    policies = {
        each.name: each.inputs["spec"] for each in made.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
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
        f"{each.type} {each.name}": each.inputs
        for each in recorded.resources
        if each.inputs.get("member") in (APPLIER, READER)
        and "-staging-" not in each.name
        and not each.name.endswith("-tables")
    }


@pytest.mark.parametrize("latency", ["tens_of_milliseconds", "milliseconds"])
def test_without_the_first_applier_no_role_of_another_is_deleted(latency: str) -> None:
    """Deleting a member removes the principal from the role, whichever resource put it there."""
    before = _shared(google(latency=latency, appliers=[APPLIER, READER]))
    after = _shared(google(latency=latency, appliers=[READER]))
    assert {before[name]["member"] for name in before if name not in after} == {APPLIER}
    assert all(before[name] == inputs for name, inputs in after.items())


def test_an_applier_that_becomes_a_reader_keeps_what_readers_may_do() -> None:
    before, after = (_shared(google(**{kind: [READER]})) for kind in ("appliers", "readers"))
    deleted = [before[name] for name in before if name not in after]
    assert not [each for each in deleted if each in after.values()]
