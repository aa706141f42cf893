"""Spec of network.keep_databases_private."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _sql(**config: Any) -> Any:
    settings = {"tier": "db-custom-2-8192", "ipConfiguration": config}
    return resource("gcp:sql/databaseInstance:DatabaseInstance", {"settings": settings})


_PRIVATE = {"ipv4Enabled": False, "privateNetwork": "projects/acme/global/networks/acme"}
_EVERYBODY = {"name": "all", "value": "0.0.0.0/0"}

SPEC = Spec(
    passes={
        "a database with defaults": resource("aws:rds/instance:Instance", {"engine": "postgres"}),
        "a private one": resource("aws:rds/clusterInstance:ClusterInstance", {"publiclyAccessible": False}),
        "a private one on Cloud SQL": _sql(**_PRIVATE),
        "a private one on AlloyDB": resource("gcp:alloydb/instance:Instance", {"networkConfig": {}}),
    },
    fails={
        "a public database": Fails(
            resource("aws:rds/instance:Instance", {"publiclyAccessible": True}), "publiclyAccessible"
        ),
        "a public warehouse": Fails(
            resource("aws:redshift/cluster:Cluster", {"publiclyAccessible": True}), "publiclyAccessible"
        ),
        "Cloud SQL with defaults": Fails(_sql(), "settings.ipConfiguration.ipv4Enabled", "is not set"),
        "everyone may reach it": Fails(
            _sql(ipv4Enabled=True, authorizedNetworks=[_EVERYBODY]),
            "settings.ipConfiguration.authorizedNetworks[0].value",
            count=2,
        ),
        "a public one on AlloyDB": Fails(
            resource("gcp:alloydb/instance:Instance", {"networkConfig": {"enablePublicIp": True}}),
            "networkConfig.enablePublicIp",
        ),
    },
    unknown={
        "an unknown value": resource("aws:rds/instance:Instance", {"publiclyAccessible": UNKNOWN}),
        "settings that is unknown": _sql(ipv4Enabled=UNKNOWN),
    },
)
