"""A database server of a model registry on AWS that exists: an instance of RDS, or a cluster of Aurora."""

from typing import Final

from pulumi import Input
from pulumi_aws import vpc

from aiplatform._shared.args import Rule
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.outputs import checked, mapped
from aiplatform.model_registry.aws.context import Context
from aiplatform.model_registry.aws.database import PORT, DatabaseServer
from aiplatform.model_registry.existing_database import (
    ModelRegistryExistingDatabaseSettings,
    endpoint_in,
    secret_in,
)

_PATH: Final = "ModelRegistryArgs.database.existing"


def existing_server(context: Context, existing: ModelRegistryExistingDatabaseSettings) -> DatabaseServer:
    """Return the server that the settings name, and allow the cluster to reach it where they name its
    security group. Raises ArgumentError for an endpoint, a secret or a key of another region; that of an
    output once it is known."""
    account, key = context.account, existing.master_secret_kms_key
    port = existing.port or PORT
    # Another account can only use a key of the customer (Secrets Manager user guide, "Access AWS Secrets
    # Manager secrets from a different account").
    owner = account.account_id if key is None else None
    server = DatabaseServer(
        host=_obeying("host", existing.host, endpoint_in(account.region)),
        port=port,
        resource_id=_stated(existing.resource_id),
        user=existing.name,
        master_secret=_obeying("master_secret", existing.master_secret, secret_in(account.region, owner)),
        master_key=None if key is None else existing_key(key, account, f"{_PATH}.master_secret_kms_key").arn,
        addresses=context.settings.network.cidr if existing.cidr is None else existing.cidr,
    )
    if existing.security_group_id is not None:
        _allow_cluster(context, existing.security_group_id, port)
    return server


def _obeying(key: str, value: Input[str] | None, rule: Rule) -> Input[str]:
    return mapped(_stated(value), lambda known: checked(known, f"{_PATH}.{key}", rule))


def _stated(value: Input[str] | None) -> Input[str]:
    """Return a value that is required on AWS."""
    return "" if value is None else value


def _allow_cluster(context: Context, group: Input[str], port: int) -> None:
    """Allow the cluster's nodes and Pods to connect. Not retained: the group is the owner's."""
    vpc.SecurityGroupIngressRule(
        f"{context.name}-database",
        security_group_id=group,
        description=f"PostgreSQL from the cluster of {context.settings.prefix}'s model registry",
        referenced_security_group_id=context.settings.cluster.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        tags=context.tags("mlflow-database"),
        opts=context.options(),
    )
