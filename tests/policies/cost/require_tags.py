"""Spec of cost.require_tags."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource

_BOTH = {"owner": "ml-platform", "cost-center": "ml"}


def _bucket(tags: Any, **more: Any) -> Resource:
    return resource("aws:s3/bucket:Bucket", {"bucket": "acme", "tags": tags}, **more)


def _template(**tags: Any) -> Resource:
    specified = [{"resourceType": kind, "tags": values} for kind, values in tags.items()]
    return resource("aws:ec2/launchTemplate:LaunchTemplate", {"tagSpecifications": specified})


def _sql(labels: Any, **more: Any) -> Resource:
    props = {"settings": {"tier": "db-f1-micro", "userLabels": labels}}
    return resource("gcp:sql/databaseInstance:DatabaseInstance", props, **more)


SPEC = Spec(
    passes={
        "both": _bucket(_BOTH),
        "both from the provider": _bucket({}, provider={"defaultTags": json.dumps({"tags": _BOTH})}),
        "one from the provider": _bucket(
            {"owner": "a"}, provider={"defaultTags": {"tags": {"cost-center": "b"}}}
        ),
        "labels from the provider": resource(
            "gcp:storage/bucket:Bucket", {}, provider={"defaultLabels": json.dumps(_BOTH)}
        ),
        "a cluster's labels": resource("gcp:container/cluster:Cluster", {"resourceLabels": _BOTH}),
        "a value that is unknown": _bucket({"owner": UNKNOWN, "cost-center": "ml"}),
        "a template's": _template(instance=_BOTH, volume=_BOTH),
        "Cloud SQL's": _sql(_BOTH),
    },
    fails={
        "none": Fails(_bucket({}), "tags", "has no 'owner' and no 'cost-center'"),
        "one": Fails(_bucket({"owner": "ml-platform"}), "tags", "has no 'cost-center'"),
        "an empty one": Fails(_bucket({"owner": "", "cost-center": "ml"}), "tags", "has no 'owner'"),
        "Google's": Fails(resource("gcp:storage/bucket:Bucket", {"labels": {"team": "a"}}), "labels"),
        "Cloud SQL, whatever the provider has": Fails(
            _sql({}, provider={"defaultLabels": json.dumps(_BOTH)}), "settings.userLabels"
        ),
        "a template without": Fails(
            resource(
                "aws:ec2/launchTemplate:LaunchTemplate",
                {"tags": _BOTH},
                provider={"defaultTags": {"tags": _BOTH}},
            ),
            "tagSpecifications",
            "each instance",
            count=2,
        ),
        "a template's volumes": Fails(
            _template(instance=_BOTH, volume={"owner": "a"}),
            "tagSpecifications[1].tags",
            "has no 'cost-center'",
        ),
    },
    unknown={
        "tags": _bucket(UNKNOWN),
        "Cloud SQL's labels": _sql(UNKNOWN),
        "a template's tags": resource(
            "aws:ec2/launchTemplate:LaunchTemplate", {"tagSpecifications": UNKNOWN}
        ),
    },
    configured={
        "the owner alone": Case(_bucket({"owner": "a"}), {"keys": ["owner"]}, fails=False),
        "a team, too": Case(_bucket(_BOTH), {"keys": ["owner", "team"]}, fails=True),
    },
)
