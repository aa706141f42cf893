"""Roles of the principals of a feature store on Google Cloud: the server, the materializer, appliers,
readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import bigquery, projects, storage

from aiplatform._shared.principals import member_key, renamed
from aiplatform.feature_store import config
from aiplatform.feature_store.gcp.buckets import Staging, Storage, create_staging, url
from aiplatform.feature_store.gcp.context import Context
from aiplatform.feature_store.gcp.online import OnlineStore, Usage, grant_online_store
from aiplatform.feature_store.output_types import FeatureStoreClient

_JOBS: Final = ("roles/bigquery.jobUser", "roles/bigquery.readSessionUser")
"""To run queries, and to read their results fast. The lakehouse's grants decide what a query may read."""
READ_REGISTRY: Final = ("roles/storage.legacyBucketReader", "roles/storage.objectViewer")
WRITE_REGISTRY: Final = ("roles/storage.legacyBucketReader", "roles/storage.objectUser")
"""The first of each: Feast gets the bucket before its objects."""


@dataclass(frozen=True)
class Clients:
    """Creates what principals use Feast by."""

    context: Context
    data: Storage
    online: OnlineStore

    def grant(
        self,
        purpose: str,
        member: Input[str],
        *,
        registry: tuple[str, ...],
        usage: Usage | None,
        staging: Staging | None = None,
        key: str | None = None,
    ) -> list[pulumi.Resource]:
        """Grant the roles of one member. staging: of one that queries BigQuery. key: the member's part of the
        logical names of roles that several members have; default `purpose`."""
        key = key or purpose
        granted: list[pulumi.Resource] = []
        if self.context.settings.registry.kind == "bucket":
            bucket = self.data.registry
            granted += self._grant_bucket(f"{key}-registry", bucket, member, registry, f"{purpose}-registry")
        if staging is not None:
            granted += self._grant_bucket(f"{purpose}-staging", staging.bucket, member, WRITE_REGISTRY)
            granted += self._grant_queries(purpose, key, member, staging.dataset)
        if usage is not None:
            granted.append(grant_online_store(self.context, self.online, key, member, usage, purpose))
        return granted

    def create_named(
        self, kind: str, named: Sequence[Input[str]], registry: tuple[str, ...], usage: Usage | None
    ) -> list[FeatureStoreClient]:
        """Create what appliers or readers use; returns their entries in the output `clients`."""
        entries: list[FeatureStoreClient] = []
        for index, principal in enumerate(named):
            purpose = f"{kind}-{index}"
            staging = create_staging(self.context, self.data, purpose, principal)
            key = member_key(principal, purpose)
            self.grant(purpose, principal, registry=registry, usage=usage, staging=staging, key=key)
            entries.append(
                {
                    "principal": principal,
                    "feature_store_yaml": self.feature_store_yaml(staging),
                    "staging_bucket": staging.bucket.name,
                    "offline_database": staging.dataset.dataset_id,
                }
            )
        return entries

    def feature_store_yaml(self, staging: Staging) -> Output[str]:
        """Return a principal's `feature_store.yaml`."""
        settings = self.context.settings
        values: Output[Any] = Output.all(
            url(self.data.registry),
            url(staging.bucket),
            staging.dataset.dataset_id,
            settings.registry.cache_seconds,
        )
        return values.apply(
            lambda known: config.render(
                settings,
                cache_seconds=known[3],
                bucket=str(known[0]),
                offline=self._offline(str(known[1]), str(known[2])),
                online=self.online.config,
            )
        )

    def _offline(self, bucket: str, dataset: str) -> Mapping[str, Any]:
        """Return Feast's block `offline_store`."""
        return {
            "type": "bigquery",
            "project_id": self.context.project,
            "billing_project_id": self.context.project,
            "dataset": dataset,
            "location": self.context.region,
            "gcs_staging_location": f"{bucket}/exports",
        }

    def _grant_bucket(
        self,
        key: str,
        bucket: storage.Bucket,
        member: Input[str],
        roles: tuple[str, ...],
        former_key: str | None = None,
    ) -> list[pulumi.Resource]:
        return [
            storage.BucketIAMMember(
                f"{self.context.name}-{key}-{_short(role)}",
                bucket=bucket.name,
                role=role,
                member=member,
                opts=self.context.options(former_names=self._former_names(key, former_key, role)),
            )
            for role in roles
        ]

    def _grant_queries(
        self, purpose: str, key: str, member: Input[str], dataset: bigquery.Dataset
    ) -> list[pulumi.Resource]:
        tables = bigquery.DatasetIamMember(
            f"{self.context.name}-{purpose}-tables",
            project=self.context.project,
            dataset_id=dataset.dataset_id,
            role="roles/bigquery.dataEditor",
            member=member,
            opts=self.context.options(),
        )
        jobs = [
            projects.IAMMember(
                f"{self.context.name}-{key}-{_short(role)}",
                project=self.context.project,
                role=role,
                member=member,
                opts=self.context.options(former_names=self._former_names(key, purpose, role)),
            )
            for role in _JOBS
        ]
        return [tables, *jobs]

    def _former_names(self, key: str, former_key: str | None, role: str) -> list[str]:
        return [f"{self.context.name}-{former}-{_short(role)}" for former in renamed(key, former_key)]


def _short(role: str) -> str:
    return role.rpartition(".")[2]
