"""Spec of environment.name_environments."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource


def _bucket(name: Any, **more: Any) -> Any:
    return resource("aws:s3/bucket:Bucket", {"bucket": name, **more})


def _dataset(name: str) -> Any:
    return resource(
        "gcp:bigquery/dataset:Dataset",
        {"datasetId": name},
        provider={"defaultLabels": {"environment": "production"}},
    )


# The stack of every subject is called `dev`.
SPEC = Spec(
    passes={
        "a name with the stack's environment": _bucket("acme-dev-models"),
        "a name that says none": _bucket("acme-models"),
        "a name by the tag, which is more than the stack's": _bucket(
            "acme-staging-models", tags={"environment": "staging"}
        ),
        "another word for the same": _dataset("acme_prod_raw"),
        "a word that only begins so": _bucket("acme-product-images"),
        "no name, which Pulumi makes from the stack's": _bucket(None),
    },
    fails={
        "a name of another environment": Fails(_bucket("acme-prod-models"), "bucket", "is 'dev'"),
        "another environment than that of the tag": Fails(
            _bucket("acme-dev-models", tags={"environment": "prod"}), "bucket", "is 'prod'"
        ),
        "a dataset of another than its provider's label": Fails(_dataset("acme_dev_raw"), "datasetId"),
    },
    unknown={"a name that is unknown": _bucket(UNKNOWN)},
    configured={
        "a name that must say it": Case(_bucket("acme-models"), {"required": True}, fails=True),
        "words declared explicitly": Case(
            _bucket("acme-prod-models"), {"environments": ["dev", "live"]}, fails=False
        ),
    },
)
