"""Entries of lists that a component has as outputs."""

from typing import NotRequired, TypedDict

from pulumi import Input


class FeatureStoreClient(TypedDict):
    """What one applier or reader uses Feast by. No other principal reads its staged files."""

    principal: Input[str]
    """The principal, as in `appliers` or `readers`."""
    feature_store_yaml: Input[str]
    """Its `feature_store.yaml`; it holds no secret."""
    staging_bucket: Input[str]
    """The bucket of its files between Feast and the query engine."""
    offline_database: Input[str]
    """The database, or dataset, of its temporary tables."""
    workgroup: NotRequired[Input[str]]
    """AWS: the Athena workgroup of its queries."""
