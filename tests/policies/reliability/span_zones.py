"""Spec of reliability.span_zones."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

AVAILABILITY = "settings.availabilityType"


def _rds(**props: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"engine": "postgres", **props})


def _cache(**props: Any) -> Resource:
    return resource("aws:elasticache/replicationGroup:ReplicationGroup", props)


def _files(**props: Any) -> Resource:
    return resource("aws:efs/fileSystem:FileSystem", props)


def _sql(availability: Any = None, **props: Any) -> Resource:
    settings = {"tier": "db-custom-2-8192", "availabilityType": availability}
    return resource("gcp:sql/databaseInstance:DatabaseInstance", {"settings": settings, **props})


def _redis(**props: Any) -> Resource:
    return resource("gcp:redis/instance:Instance", props)


def _gke(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", props)


SPEC = Spec(
    passes={
        "a database with a standby": _rds(multiAz=True),
        "a read replica": _rds(replicateSourceDb="acme"),
        "a cache with replicas": _cache(automaticFailoverEnabled=True, multiAzEnabled=True),
        "files in all zones": _files(),
        "Cloud SQL with a standby": _sql("REGIONAL"),
        "a replica of Cloud SQL": _sql(masterInstanceName="acme"),
        "Memorystore with a replica": _redis(tier="STANDARD_HA"),
        "a cluster of a region": _gke(location="us-central1"),
        "a cluster where the provider says": _gke(),
    },
    fails={
        "a database": Fails(_rds(), "multiAz", "is not set: the database is in one zone"),
        "a database, set explicitly": Fails(_rds(multiAz=False), "multiAz", "is false"),
        "a cache": Fails(
            _cache(automaticFailoverEnabled=True), "multiAzEnabled", "all nodes may be in one zone"
        ),
        "a cache that nothing takes over": Fails(_cache(multiAzEnabled=True), "automaticFailoverEnabled"),
        "files": Fails(_files(availabilityZoneName="eu-central-1a"), "availabilityZoneName", "eu-central-1a"),
        "Cloud SQL": Fails(_sql(), AVAILABILITY, "not set"),
        "Cloud SQL, set explicitly": Fails(_sql("ZONAL"), AVAILABILITY, "'ZONAL'"),
        "Memorystore": Fails(_redis(), "tier", "is lost with it"),
        "a cluster": Fails(_gke(location="us-central1-a"), "location", "'us-central1-a' is a zone"),
    },
    unknown={
        "of a database": _rds(multiAz=UNKNOWN),
        "of a cache": _cache(automaticFailoverEnabled=UNKNOWN, multiAzEnabled=True),
        "of files": _files(availabilityZoneName=UNKNOWN),
        "of Cloud SQL": _sql(UNKNOWN),
        "of Memorystore": _redis(tier=UNKNOWN),
        "of a cluster": _gke(location=UNKNOWN),
    },
)
