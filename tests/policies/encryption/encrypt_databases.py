"""Spec of encryption.encrypt_databases."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
_GOOGLE_KEY = "projects/acme/locations/europe-west1/keyRings/a/cryptoKeys/b"


def _rds(**props: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"engine": "postgres", **props})


def _table(**sse: Any) -> Resource:
    return resource("aws:dynamodb/table:Table", {"hashKey": "id", "serverSideEncryption": sse})


def _cache(**props: Any) -> Resource:
    return resource("aws:elasticache/replicationGroup:ReplicationGroup", {"description": "x", **props})


def _sql(**props: Any) -> Resource:
    return resource("gcp:sql/databaseInstance:DatabaseInstance", {"databaseVersion": "POSTGRES_17", **props})


SPEC = Spec(
    passes={
        "an instance with a key": _rds(storageEncrypted=True, kmsKeyId=_KEY),
        "a replica, which has its source's": _rds(replicateSourceDb="primary"),
        "what a snapshot has": _rds(snapshotIdentifier="nightly"),
        "Redshift with a key": resource("aws:redshift/cluster:Cluster", {"kmsKeyId": _KEY}),
        "AlloyDB with a key": resource(
            "gcp:alloydb/cluster:Cluster", {"encryptionConfig": {"kmsKeyName": _GOOGLE_KEY}}
        ),
        "Spanner with a key a region": resource(
            "gcp:spanner/database:Database", {"encryptionConfig": {"kmsKeyNames": [_GOOGLE_KEY]}}
        ),
        "a table with a key": _table(enabled=True, kmsKeyArn=_KEY),
        "a cache with a key": _cache(atRestEncryptionEnabled=True, kmsKeyId=_KEY),
        "Cloud SQL with a key": _sql(encryptionKeyName=_GOOGLE_KEY),
        "a replica of Cloud SQL": _sql(masterInstanceName="primary"),
        "Firestore with a key": resource(
            "gcp:firestore/database:Database", {"cmekConfig": {"kmsKeyName": _GOOGLE_KEY}}
        ),
        "Bigtable with a key": resource(
            "gcp:bigtable/instance:Instance", {"clusters": [{"clusterId": "a", "kmsKeyName": _GOOGLE_KEY}]}
        ),
    },
    fails={
        "an instance without encryption": Fails(_rds(), "storageEncrypted", "is not set"),
        "an instance with AWS's key": Fails(_rds(storageEncrypted=True), "kmsKeyId", "names no key"),
        "a table with defaults": Fails(
            resource("aws:dynamodb/table:Table", {"hashKey": "id"}), "serverSideEncryption.kmsKeyArn"
        ),
        "a Redis cache without encryption": Fails(_cache(engine="redis"), "atRestEncryptionEnabled"),
        "a Valkey cache with AWS's key": Fails(_cache(engine="valkey"), "kmsKeyId"),
        "a serverless cache": Fails(resource("aws:elasticache/serverlessCache:ServerlessCache"), "kmsKeyId"),
        "Redshift without encryption": Fails(
            resource("aws:redshift/cluster:Cluster", {"encrypted": "false"}), "encrypted", "not encrypted"
        ),
        "Redshift with defaults": Fails(
            resource("aws:redshift/cluster:Cluster", {"encrypted": "true"}), "kmsKeyId"
        ),
        "MemoryDB with defaults": Fails(resource("aws:memorydb/cluster:Cluster"), "kmsKeyArn"),
        "AlloyDB with defaults": Fails(
            resource("gcp:alloydb/cluster:Cluster"), "encryptionConfig.kmsKeyName"
        ),
        "Spanner with defaults": Fails(
            resource("gcp:spanner/database:Database"), "encryptionConfig.kmsKeyName"
        ),
        "Cloud SQL with Google's key": Fails(_sql(), "encryptionKeyName"),
        "Firestore with Google's key": Fails(
            resource("gcp:firestore/database:Database", {"type": "DATASTORE_MODE"}), "cmekConfig.kmsKeyName"
        ),
        "a cluster of Bigtable": Fails(
            resource("gcp:bigtable/instance:Instance", {"clusters": [{"clusterId": "a"}]}),
            "clusters[0].kmsKeyName",
        ),
    },
    unknown={
        "a key that does not exist yet": _rds(storageEncrypted=True, kmsKeyId=UNKNOWN),
        "a flag that does not exist yet": _rds(storageEncrypted=UNKNOWN),
        "a table's flag": _table(enabled=UNKNOWN),
    },
)
