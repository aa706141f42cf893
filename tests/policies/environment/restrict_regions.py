"""Spec of environment.restrict_regions."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource

_EUROPE = {"region": "eu-central-1"}
_NETHERLANDS = {"region": "europe-west4", "project": "acme"}


def _bucket(region: Any = None) -> Any:
    props = {"bucket": "acme", **({} if region is None else {"region": region})}
    return resource("aws:s3/bucket:Bucket", props, provider=_EUROPE)


def _dataset(location: Any) -> Any:
    return resource("gcp:bigquery/dataset:Dataset", {"location": location}, provider=_NETHERLANDS)


SPEC = Spec(
    passes={
        "a bucket where its provider is": _bucket(),
        "one that says so": _bucket("eu-central-1"),
        "a dataset there, in capitals": _dataset("EUROPE-WEST4"),
        "a disk in a zone of the region": resource(
            "gcp:compute/disk:Disk", {"zone": "europe-west4-b"}, provider=_NETHERLANDS
        ),
        "a key ring for all the internet's names": resource(
            "gcp:certificatemanager/certificate:Certificate", {"location": "global"}, provider=_NETHERLANDS
        ),
        "a provider, where nothing is listed": resource("pulumi:providers:aws", _EUROPE),
    },
    fails={
        "a bucket elsewhere": Fails(_bucket("us-east-1"), "region", "expected eu-central-1"),
        "a dataset on another continent": Fails(_dataset("US"), "location", "'US'"),
        "a copy elsewhere": Fails(
            resource(
                "aws:dynamodb/table:Table",
                {"replicas": [{"regionName": "eu-central-1"}, {"regionName": "us-east-1"}]},
                provider=_EUROPE,
            ),
            "replicas[1]",
            "is 'us-east-1'",
        ),
    },
    unknown={
        "a place that is unknown": _dataset(UNKNOWN),
        "a provider's region that is unknown": resource("pulumi:providers:gcp", {"region": UNKNOWN}),
    },
    configured={
        "a multi-region that is listed": Case(
            _dataset("EU"), {"regions": ["europe-west4", "EU"]}, fails=False
        ),
        "a provider that is not listed": Case(
            resource("pulumi:providers:aws", {"region": "us-east-1"}),
            {"regions": ["eu-central-1"]},
            fails=True,
        ),
        "a bucket in one's own region, which is not listed": Case(
            _bucket("eu-central-1"), {"regions": ["eu-west-1"]}, fails=True
        ),
    },
)
