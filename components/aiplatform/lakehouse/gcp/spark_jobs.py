"""Batches: Serverless for Apache Spark (Dataproc), configured for the Iceberg catalog.

A batch is a run and no resource: the resources are its service account, and a job of Cloud Scheduler that
starts it, on its schedule or when a user runs the job.
"""

import base64
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import cloudscheduler, projects, serviceaccount, storage

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.gcp.buckets import BUCKET_READER, OBJECT_USER
from aiplatform.lakehouse.gcp.catalog import Catalog
from aiplatform.lakehouse.gcp.context import Context
from aiplatform.lakehouse.gcp.grants import custom_role
from aiplatform.lakehouse.gcp.rules import BATCH_ACCOUNT, STARTER_ACCOUNT
from aiplatform.lakehouse.ingestion import LakehouseBatchSettings

_RUNTIME: Final = "2.3"
"""Spark 3.5 with Java 17 ("Serverless for Apache Spark runtime releases")."""
_CORES: Final = {"small": 4, "medium": 8, "large": 16}
_NEVER: Final = "0 0 1 1 *"
"""The schedule of a paused job, which must have one."""
WORK: Final = (
    "cloudprofiler.profiles.create",
    "cloudprofiler.profiles.update",
    "datalineage.locations.processOpenLineageMessage",
    "dataproc.agents.create",
    "dataproc.agents.delete",
    "dataproc.agents.get",
    "dataproc.agents.list",
    "dataproc.agents.update",
    "dataproc.batches.computeTuningConfig",
    "dataproc.batches.sparkApplicationWrite",
    "dataproc.sessions.sparkApplicationWrite",
    "dataproc.tasks.lease",
    "dataproc.tasks.listInvalidatedLeases",
    "dataproc.tasks.reportStatus",
    "dataprocrm.nodePools.create",
    "dataprocrm.nodePools.delete",
    "dataprocrm.nodePools.deleteNodes",
    "dataprocrm.nodePools.get",
    "dataprocrm.nodePools.list",
    "dataprocrm.nodePools.resize",
    "dataprocrm.nodes.get",
    "dataprocrm.nodes.heartbeat",
    "dataprocrm.nodes.list",
    "dataprocrm.nodes.mintOAuthToken",
    "dataprocrm.operations.get",
    "logging.logEntries.create",
    "logging.logEntries.route",
    "monitoring.metricDescriptors.create",
    "monitoring.metricDescriptors.get",
    "monitoring.metricDescriptors.list",
    "monitoring.monitoredResourceDescriptors.get",
    "monitoring.monitoredResourceDescriptors.list",
    "monitoring.timeSeries.create",
)
"""The permissions of roles/dataproc.worker, which runtime 2.3 needs ("Serverless for Apache Spark service
accounts"), without those of storage: Google's role also reads, writes and shares every object of the
project."""
_STAGED_DAYS: Final = 30
"""How long output of drivers and Spark's histories are kept."""
CATALOG_URI: Final = "https://biglake.googleapis.com/iceberg/v1/restcatalog"


def create_batch_account(context: Context) -> serviceaccount.Account | None:
    """Create the service account of batches, a writer of the lakehouse; None without batches."""
    if not context.settings.batches:
        return None
    return _account(
        context, "batch", BATCH_ACCOUNT.of(context.settings.prefix), "Batches write the lakehouse"
    )


def _account(context: Context, purpose: str, account_id: str, description: str) -> serviceaccount.Account:
    return serviceaccount.Account(
        f"{context.name}-{purpose}",
        project=context.project,
        account_id=account_id,
        display_name=f"{context.settings.prefix} lakehouse {purpose}",
        description=description,
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )


def _create_output_bucket(
    context: Context, key: DataKey, account: serviceaccount.Account
) -> tuple[storage.Bucket, list[pulumi.Resource]]:
    """Create the bucket that batches write their output to, encrypted by the lakehouse's key; returns it and
    the roles of batches on it. Without one Dataproc creates a bucket in the project, with Google's key and
    without an expiry."""
    bucket = storage.Bucket(
        f"{context.name}-batches",
        project=context.project,
        name=context.batches_bucket,
        location=context.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.key.id),
        # Output of drivers may contain pii: deleted objects cannot be restored.
        soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=0),
        lifecycle_rules=[
            storage.BucketLifecycleRuleArgs(
                action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=storage.BucketLifecycleRuleConditionArgs(age=_STAGED_DAYS),
            )
        ],
        force_destroy=True,
        labels=context.labels,
        opts=context.options(context.apis["storage"], *key.grants, delete_before_replace=True),
    )
    return bucket, [
        storage.BucketIAMMember(
            f"{context.name}-batches-{purpose}",
            bucket=bucket.name,
            role=role,
            member=account.member,
            opts=context.options(),
        )
        for purpose, role in (("objects", OBJECT_USER), ("bucket", BUCKET_READER))
    ]


def create_batches(
    context: Context, key: DataKey, catalog: Catalog, account: serviceaccount.Account | None
) -> None:
    """Create the jobs that start batches. account: that of batches, None without batches."""
    if account is None:
        return
    output, output_roles = _create_output_bucket(context, key, account)
    role = custom_role(context, "batch", "Works in batches of", WORK)
    starter = _account(
        context, "starter", STARTER_ACCOUNT.of(context.settings.prefix), "Starts batches of the lakehouse"
    )
    permissions: list[Dependency] = [
        projects.IAMMember(
            f"{context.name}-starter",
            project=context.project,
            role="roles/dataproc.serverlessEditor",
            member=starter.member,
            opts=context.options(context.apis["cloudresourcemanager"]),
        ),
        serviceaccount.IAMMember(
            f"{context.name}-starter",
            service_account_id=account.name,
            role="roles/iam.serviceAccountUser",
            member=starter.member,
            opts=context.options(),
        ),
        projects.IAMMember(
            f"{context.name}-batch",
            project=context.project,
            role=role.name,
            member=account.member,
            opts=context.options(context.apis["cloudresourcemanager"]),
        ),
        *output_roles,
        *key.grants,
    ]
    for bucket in sorted({_script_bucket(batch) for batch in context.settings.batches}):
        permissions.append(
            storage.BucketIAMMember(
                f"{context.name}-batch-{bucket}",
                bucket=bucket,
                role="roles/storage.objectViewer",
                member=account.member,
                opts=context.options(),
            )
        )
    for batch in context.settings.batches:
        body = _body(context, batch, account.email, key.key.id, catalog.catalog.name, output.name)
        cloudscheduler.Job(
            f"{context.name}-batch-{batch.name}",
            project=context.project,
            region=context.region,
            name=f"{context.settings.prefix}-batch-{batch.name}",
            description=f"Starts the batch {batch.name}",
            schedule=_NEVER if batch.schedule is None else batch.schedule,
            time_zone="Etc/UTC",
            paused=batch.schedule is None,
            attempt_deadline="180s",
            http_target=cloudscheduler.JobHttpTargetArgs(
                http_method="POST",
                uri=""
                f"https://dataproc.googleapis.com/v1/projects/{context.project}/locations/{context.region}/batches",
                headers={"Content-Type": "application/json"},
                body=body.apply(lambda text: base64.b64encode(text.encode()).decode()),
                oauth_token=cloudscheduler.JobHttpTargetOauthTokenArgs(
                    service_account_email=starter.email,
                    scope="https://www.googleapis.com/auth/cloud-platform",
                ),
            ),
            opts=context.options(
                context.apis["cloudscheduler"],
                context.apis["dataproc"],
                *permissions,
                delete_before_replace=True,
            ),
        )


def _script_bucket(batch: LakehouseBatchSettings) -> str:
    return batch.script.partition("://")[2].partition("/")[0]


def _subnet(context: Context) -> Output[Any]:
    network = context.settings.network
    # Arguments with batches and without a network are refused.
    subnets = network.private_subnet_ids if network is not None else [""]
    return Output.from_input(subnets).apply(lambda known: known[0])


def _body(
    context: Context,
    batch: LakehouseBatchSettings,
    email: Input[str],
    key: Input[str],
    catalog: Input[str],
    output: Input[str],
) -> Output[str]:
    """Return the request that creates a batch (Dataproc API, Batch)."""
    return Output.json_dumps(
        {
            "labels": context.settings.tags,
            "pysparkBatch": {
                "mainPythonFileUri": batch.script,
                "args": [part for name, value in batch.arguments.items() for part in (f"--{name}", value)],
            },
            "runtimeConfig": {"version": _RUNTIME, "properties": _properties(context, batch, catalog)},
            "environmentConfig": {
                "executionConfig": {
                    "serviceAccount": email,
                    "kmsKey": key,
                    "stagingBucket": output,
                    "subnetworkUri": _subnet(context),
                    "ttl": mapped(batch.timeout_minutes, lambda minutes: f"{minutes * 60}s"),
                }
            },
        },
        sort_keys=True,
    )


def _properties(
    context: Context, batch: LakehouseBatchSettings, catalog: Input[str]
) -> dict[str, Input[str]]:
    """Return Spark's properties, with the catalog as the default ("Set up the Lakehouse Iceberg REST
    catalog")."""
    cores = _CORES[batch.worker_size]
    prefix = "spark.sql.catalog.lakehouse"
    return {
        "spark.driver.cores": str(cores),
        "spark.executor.cores": str(cores),
        "spark.dynamicAllocation.maxExecutors": mapped(batch.workers, str),
        "spark.sql.defaultCatalog": "lakehouse",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "rest",
        f"{prefix}.uri": CATALOG_URI,
        f"{prefix}.warehouse": mapped(catalog, lambda name: warehouse(context.project, name)),
        f"{prefix}.header.x-goog-user-project": context.project,
        f"{prefix}.header.X-Iceberg-Access-Delegation": "vended-credentials",
        f"{prefix}.rest.auth.type": "org.apache.iceberg.gcp.auth.GoogleAuthManager",
        f"{prefix}.io-impl": "org.apache.iceberg.gcp.gcs.GCSFileIO",
        f"{prefix}.rest-metrics-reporting-enabled": "false",
    }


def warehouse(project: str, catalog: str) -> str:
    """Return the name of a catalog for Iceberg's REST clients."""
    return f"bl://projects/{project}/catalogs/{catalog}"
