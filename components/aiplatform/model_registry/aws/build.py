"""The model registry on AWS: its parts, in the order in which they need each other."""

from typing import Any, Final

import pulumi
from pulumi import Output

from aiplatform._shared.args import ArgumentError, Problem
from aiplatform._shared.aws.account import place
from aiplatform._shared.kubernetes.workloads import Home, namespace
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import ModelRegistrySettings
from aiplatform.model_registry.aws import access as aws_access
from aiplatform.model_registry.aws import database as aws_database
from aiplatform.model_registry.aws import storage as aws_storage
from aiplatform.model_registry.aws.context import Context
from aiplatform.model_registry.workloads import DATABASE, Database, Platform, Who, Workloads
from aiplatform.workload_identity import WorkloadIdentity

_VERIFIED: Final = "verify-full"
"""libpq's word for: encrypted, by a certificate of this authority, for this host's name."""


def build(parent: pulumi.ComponentResource, name: str, settings: ModelRegistrySettings) -> dict[str, Any]:
    """All of it, as children of one component; answers its outputs."""
    where = place(parent)
    authority = settings.database.certificates or aws_database.authority(where.region)
    if authority is None:
        reason = f"missing, expected RDS's certificate bundle of {where.region}, which is not known here"
        raise ArgumentError([Problem("ModelRegistryArgs.database.certificates", reason)])
    context = Context(parent, name, settings, where)
    who = aws_access.identities(context)
    key = aws_storage.key(context)
    server_arn = who.server.role_arn.apply(lambda arn: arn or "")
    artifacts, logs = aws_storage.buckets(context, key, server_arn)
    database = aws_database.instance(context, key)
    kept = aws_access.secrets(context, key)
    rights = aws_access.rights(context, who, key, database, kept)
    home = Home(parent, name, settings.namespace, {"app.kubernetes.io/part-of": "model-registry"})
    platform = Platform(
        server=_who(who.server),
        setup=_who(who.setup),
        variables={"AWS_REGION": where.region, "AWS_DEFAULT_REGION": where.region},
        setup_variables={"REGISTRY_MASTER_SECRET": aws_database.master_secret(database)},
        database=Database(
            host=database.address,
            port=aws_database.PORT,
            user=aws_database.USER,
            ssl_mode=_VERIFIED,
            certificates=authority,
            # A failover changes its address, inside of its subnets.
            addresses=settings.network.cidr,
        ),
        artifacts=Output.concat("s3://", artifacts.bucket.bucket, f"/{aws_access.FOLDER}"),
        server_secret=kept.signing_key.arn,
        secrets={account: secret.arn for account, secret in kept.accounts.items()},
    )
    needed = [*namespace(home), *rights, *kept.ready, *artifacts.ready]
    deployment = Workloads(home, settings, platform, needed).build()
    return {
        "artifact_bucket": artifacts.bucket.bucket,
        "log_bucket": logs.bucket.bucket,
        "database_endpoint": database.address,
        "database_name": DATABASE,
        "kms_key": key.arn,
        "principal": who.server.principal,
        "admin_secret": kept.accounts[ADMIN].arn,
        "secrets": [{"account": account, "secret": each.arn} for account, each in kept.accounts.items()],
        "ready": deployment.id,
    }


def _who(identity: WorkloadIdentity) -> Who:
    return Who(annotations=identity.annotations, ready=identity.ready)
