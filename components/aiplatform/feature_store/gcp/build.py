"""The feature store on Google Cloud: its parts, in the order in which they need each other."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi import Input, Output
from pulumi_gcp import bigquery, projects, storage

from aiplatform._shared.gcp.apis import switched_on
from aiplatform._shared.kubernetes.workloads import Home, namespace
from aiplatform._shared.principals import member_key, renamed
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.feature_store import config
from aiplatform.feature_store.args import IDENTITY, NAMESPACE, SERVER, FeatureStoreSettings
from aiplatform.feature_store.gcp.buckets import Kept, Staging, kept, staging, url
from aiplatform.feature_store.gcp.context import Context
from aiplatform.feature_store.gcp.online import Does, Online, let, online
from aiplatform.feature_store.workloads import Platform, Who, Workloads
from aiplatform.workload_identity import WorkloadIdentity

_JOBS = ("roles/bigquery.jobUser", "roles/bigquery.readSessionUser")
"""To run queries, and to read their results fast. What a query may read, the lakehouse's grants decide."""
_READ_REGISTRY = ("roles/storage.legacyBucketReader", "roles/storage.objectViewer")
_WRITE_REGISTRY = ("roles/storage.legacyBucketReader", "roles/storage.objectUser")
"""The first of each: Feast looks at the bucket before it looks into it."""


def build(parent: pulumi.ComponentResource, name: str, settings: FeatureStoreSettings) -> dict[str, Any]:
    """All of it, as children of one component. Answers its outputs."""
    project = settings.cluster.project or ""
    context = Context(parent, name, settings, switched_on(parent, name, project, _apis(settings)))
    stored = kept(context)
    store = online(context, stored.key)
    server = WorkloadIdentity(
        f"{name}-server",
        {
            "prefix": settings.prefix,
            "name": IDENTITY,
            "cluster": cast("ClusterReferenceArgs", settings.cluster),
            "namespace": NAMESPACE,
            "service_account": SERVER,
        },
        pulumi.ResourceOptions(parent=parent),
    )
    grants = _Grants(context, stored, store)
    rights = grants.to("server", server.principal, registry=_READ_REGISTRY, does="read")
    who = "materializer"
    schedule = staging(context, stored, who, settings.materializer.principal)
    rights += grants.to(
        who, settings.materializer.principal, registry=_WRITE_REGISTRY, does="write", own=schedule
    )

    def file(own: Staging) -> Output[str]:
        """A principal's `feature_store.yaml`."""
        return Output.all(url(stored.registry), url(own.bucket), own.dataset.dataset_id).apply(
            lambda known: config.rendered(
                settings,
                bucket=str(known[0]),
                offline=_offline(context, str(known[1]), str(known[2])),
                online=store.config,
            )
        )

    clients: list[dict[str, Any]] = []
    kinds: list[tuple[str, list[Input[str]], tuple[str, ...], Does | None]] = [
        ("applier", settings.appliers, _WRITE_REGISTRY, "apply"),
        ("reader", settings.readers, _READ_REGISTRY, None),
    ]
    for kind, principals, registry, does in kinds:
        for index, principal in enumerate(principals):
            own = staging(context, stored, f"{kind}-{index}", principal)
            key = member_key(principal, f"{kind}-{index}")
            grants.to(f"{kind}-{index}", principal, registry=registry, does=does, own=own, shared=key)
            clients.append(
                {
                    "principal": principal,
                    "feature_store_yaml": file(own),
                    "staging_bucket": own.bucket.name,
                    "offline_database": own.dataset.dataset_id,
                }
            )
    text = file(schedule)
    home = Home(parent, name, NAMESPACE, {"app.kubernetes.io/part-of": NAMESPACE})
    Workloads(
        home,
        settings,
        text,
        Platform(
            server=Who(server.annotations, server.ready),
            materializer=Who(settings.materializer.annotations or {}, settings.materializer.ready or ""),
            variables={"GOOGLE_CLOUD_PROJECT": project},
        ),
        [*namespace(home), *stored.ready, store.made, *rights],
    ).build()
    return {
        "cloud": "gcp",
        "project": settings.project,
        "clients": clients,
        "feature_store_yaml": text,
        "registry": "sql"
        if settings.registry.kind == "sql"
        else Output.concat(url(stored.registry), f"/{config.REGISTRY}"),
        "registry_bucket": stored.registry.name,
        "staging_bucket": schedule.bucket.name,
        "offline_database": schedule.dataset.dataset_id,
        "workgroup": None,
        "online_store": settings.store,
        "online_tables": [],
        "kms_key": stored.key.id,
        "namespace": NAMESPACE,
        "endpoint": f"http://{SERVER}.{NAMESPACE}.svc.cluster.local",
        "server_principal": server.principal,
    }


def _apis(settings: FeatureStoreSettings) -> list[str]:
    store = ["bigtable", "bigtableadmin"] if settings.store == "bigtable" else ["datastore", "firestore"]
    return ["bigquery", "bigquerystorage", "cloudkms", "iam", "storage", *store]


def _offline(context: Context, bucket: str, dataset: str) -> Mapping[str, Any]:
    """Feast's block `offline_store`."""
    return {
        "type": "bigquery",
        "project_id": context.project,
        "billing_project_id": context.project,
        "dataset": dataset,
        "location": context.region,
        "gcs_staging_location": f"{bucket}/exports",
    }


class _Grants:
    """Gives members their rights."""

    def __init__(self, context: Context, stored: Kept, store: Online) -> None:
        self.context = context
        self.stored = stored
        self.store = store

    def to(
        self,
        who: str,
        member: Input[str],
        *,
        registry: tuple[str, ...],
        does: Does | None,
        own: Staging | None = None,
        shared: str | None = None,
    ) -> list[pulumi.Resource]:
        """All that one member may do. own: of one that asks BigQuery. shared: what names the member in roles
        on what others have roles on, too; else who."""
        key = shared or who
        made: list[pulumi.Resource] = []
        if self.context.settings.registry.kind == "bucket":
            made += self._bucket(f"{key}-registry", self.stored.registry, member, registry, f"{who}-registry")
        if own is not None:
            made += self._bucket(f"{who}-staging", own.bucket, member, _WRITE_REGISTRY)
            made += self._queries(who, key, member, own.dataset)
        if does is not None:
            made.append(let(self.context, self.store, key, member, does, who))
        return made

    def _bucket(
        self,
        who: str,
        bucket: storage.Bucket,
        member: Input[str],
        roles: tuple[str, ...],
        former: str | None = None,
    ) -> list[pulumi.Resource]:
        return [
            storage.BucketIAMMember(
                f"{self.context.name}-{who}-{role.rpartition('.')[2]}",
                bucket=bucket.name,
                role=role,
                member=member,
                opts=self.context.options(formerly=self._formerly(who, former, role)),
            )
            for role in roles
        ]

    def _formerly(self, who: str, former: str | None, role: str) -> list[str]:
        return [f"{self.context.name}-{each}-{role.rpartition('.')[2]}" for each in renamed(who, former)]

    def _queries(
        self, who: str, key: str, member: Input[str], own: bigquery.Dataset
    ) -> list[pulumi.Resource]:
        dataset = bigquery.DatasetIamMember(
            f"{self.context.name}-{who}-tables",
            project=self.context.project,
            dataset_id=own.dataset_id,
            role="roles/bigquery.dataEditor",
            member=member,
            opts=self.context.options(),
        )
        jobs = [
            projects.IAMMember(
                f"{self.context.name}-{key}-{role.rpartition('.')[2]}",
                project=self.context.project,
                role=role,
                member=member,
                opts=self.context.options(formerly=self._formerly(key, who, role)),
            )
            for role in _JOBS
        ]
        return [dataset, *jobs]
