"""The model registry on AWS: its resources, in the order of their dependencies."""

from typing import Final

import pulumi
from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Problem
from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.buckets import Bucket
from aiplatform._shared.kubernetes.workloads import Application, namespace
from aiplatform.model_registry.args import ModelRegistrySettings
from aiplatform.model_registry.aws import database as rds_database
from aiplatform.model_registry.aws.access import (
    FOLDER,
    Identities,
    Secrets,
    create_identities,
    create_secrets,
    grant_permissions,
)
from aiplatform.model_registry.aws.context import Context
from aiplatform.model_registry.aws.existing_database import existing_server
from aiplatform.model_registry.aws.storage import create_buckets, create_key
from aiplatform.model_registry.platform import (
    Built,
    Database,
    Platform,
    identity_of,
    names_of_databases,
    setup_of_existing,
)
from aiplatform.model_registry.workloads import Workloads

_SSL_MODE: Final = "verify-full"
"""libpq's mode: encrypted, with a certificate of this authority for this host's name."""


def build(parent: pulumi.ComponentResource, name: str, settings: ModelRegistrySettings) -> Built:
    """Create the resources as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    certificates = _certificates(context)
    existing = settings.database.existing
    # First, as it refuses what is of another region.
    database = None if existing is None else existing_server(context, existing)

    identities = create_identities(context)
    key = create_key(context)
    buckets = create_buckets(context, key, identities.server.role_arn.apply(lambda arn: arn or ""))
    if database is None:
        database = rds_database.create_server(context, key)
    secrets = create_secrets(context, key)
    policies = grant_permissions(context, identities, key, database, secrets)

    application = Application(
        parent, name, settings.namespace, {"app.kubernetes.io/part-of": "model-registry"}
    )
    platform = _platform(context, identities, database, certificates, buckets.artifacts, secrets)
    depends_on = [*namespace(application), *policies, *secrets.ready, *buckets.artifacts.ready]
    deployment = Workloads(application, settings, platform, depends_on).build()
    return Built(
        server=deployment.id,
        artifact_bucket=buckets.artifacts.bucket.bucket,
        log_bucket=buckets.logs.name,
        database_endpoint=Output.from_input(database.host),
        kms_key=key.arn,
        principal=identities.server.principal,
        secrets={account: secret.arn for account, secret in secrets.accounts.items()},
    )


def _certificates(context: Context) -> Input[str]:
    """Return the certificates of RDS's authority in the region. Raises an ArgumentError where none is
    known."""
    region = context.account.region
    certificates = context.settings.database.certificates or rds_database.authority(region)
    if certificates is None:
        reason = f"missing; expected RDS's certificate bundle of {region}, which is not known here"
        raise ArgumentError([Problem("ModelRegistryArgs.database.certificates", reason)])
    return certificates


def _platform(
    context: Context,
    identities: Identities,
    database: rds_database.DatabaseServer,
    certificates: Input[str],
    artifacts: Bucket,
    secrets: Secrets,
) -> Platform:
    region, existing = context.account.region, context.settings.database.existing
    return Platform(
        server=identity_of(identities.server),
        setup=identity_of(identities.setup),
        variables={"AWS_REGION": region, "AWS_DEFAULT_REGION": region},
        setup_variables={
            "REGISTRY_MASTER_SECRET": database.master_secret,
            **setup_of_existing(existing, context.settings.prefix),
        },
        database=Database(
            names=names_of_databases(existing),
            host=database.host,
            port=database.port,
            user=database.user,
            ssl_mode=_SSL_MODE,
            certificates=certificates,
            addresses=database.addresses,
        ),
        artifacts=Output.concat("s3://", artifacts.bucket.bucket, f"/{FOLDER}"),
        server_secret=secrets.signing_key.arn,
        secrets={account: secret.arn for account, secret in secrets.accounts.items()},
    )
