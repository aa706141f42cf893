"""A database server of a model registry on Google Cloud that exists: an instance of Cloud SQL."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import sql

from aiplatform._shared.args import ArgumentError, Problem, is_unknown
from aiplatform._shared.gcp.names import api_is_off
from aiplatform._shared.outputs import checked, mapped
from aiplatform.model_registry.args import SERVER, SETUP
from aiplatform.model_registry.database import VERSIONS
from aiplatform.model_registry.existing_database import (
    ModelRegistryExistingDatabaseSettings,
    instance_in,
    parts_of_connection,
)
from aiplatform.model_registry.gcp.context import Context
from aiplatform.model_registry.gcp.database import (
    CloudSql,
    Instance,
    allow_sign_in,
    create_databases,
    create_user,
    name_of_user,
)
from aiplatform.workload_identity import WorkloadIdentity

_PATH: Final = "ModelRegistryArgs.database.existing.connection_name"
_FLAG: Final = "cloudsql.iam_authentication"
_ABSENT: Final = ("notFound", "not found", "404")


def read_instance(
    parent: pulumi.ComponentResource, existing: ModelRegistryExistingDatabaseSettings
) -> sql.GetDatabaseInstanceResult | None:
    """Return the instance, before anything is registered; None where only an update can read it: its name is
    an output, or the API is not enabled yet. Raises ArgumentError where the registry cannot use it."""
    connection = existing.connection_name
    if is_unknown(connection):
        return None
    project, name = parts_of_connection(str(connection))
    try:
        instance = sql.get_database_instance(
            name=name, project=project, opts=pulumi.InvokeOptions(parent=parent)
        )
    except Exception as error:
        if api_is_off(error):
            pulumi.log.warn(f"only `up` checks the instance {connection}: {error}", parent)
            return None
        if not any(word in str(error) for word in _ABSENT):
            raise
        problem = Problem(_PATH, f"got {connection!r}; expected an instance that exists")
        raise ArgumentError([problem]) from error
    return _usable(instance, str(connection))


def existing_database(
    context: Context,
    existing: ModelRegistryExistingDatabaseSettings,
    known: sql.GetDatabaseInstanceResult | None,
    identities: Mapping[str, WorkloadIdentity],
) -> CloudSql:
    """Create databases, users and permissions in the instance. known: what `read_instance` returned."""
    stated = "" if existing.connection_name is None else existing.connection_name
    connection = mapped(stated, lambda name: checked(name, _PATH, instance_in(context.region)))
    project = mapped(connection, lambda name: parts_of_connection(name)[0])
    name = mapped(connection, lambda name: parts_of_connection(name)[1])
    read = Output.from_input(known) if known is not None else _read_later(context, connection)
    instance = Instance(
        project,
        name,
        read.apply(lambda instance: instance.private_ip_address),
        # Not secret: every client gets it.
        Output.unsecret(read.apply(lambda instance: "\n".join(ca.cert for ca in instance.server_ca_certs))),
    )
    # Deleted with the registry: it owns nothing, and is a member of cloudsqlsuperuser.
    setup = create_user(context, instance, SETUP, identities[SETUP], abandoned=False)
    created: list[pulumi.Resource] = [setup]
    if existing.create_databases:
        created += create_databases(context, instance, existing.names)
    if existing.create_user:
        created.append(create_user(context, instance, SERVER, identities[SERVER], abandoned=True))
    roles = [allow_sign_in(context, instance, account, identity) for account, identity in identities.items()]
    users = {SETUP: setup.name, SERVER: name_of_user(identities[SERVER])}
    return CloudSql(instance, users, [*created, *roles])


def _read_later(context: Context, connection: pulumi.Input[str]) -> Output[sql.GetDatabaseInstanceResult]:
    options = pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["sqladmin"]])
    read = sql.get_database_instance_output(
        name=mapped(connection, lambda name: parts_of_connection(name)[1]),
        project=mapped(connection, lambda name: parts_of_connection(name)[0]),
        opts=options,
    )
    return Output.all(read, connection).apply(lambda known: _usable(known[0], known[1]))


def _usable(instance: sql.GetDatabaseInstanceResult, stated: str) -> sql.GetDatabaseInstanceResult:
    """Return the instance that was stated by this connection name, if the registry can use it."""
    problems = [Problem(_PATH, f"got {stated!r}, {reason}") for reason in _reasons(instance, stated)]
    if problems:
        raise ArgumentError(problems)
    return instance


def _reasons(instance: sql.GetDatabaseInstanceResult, stated: str) -> Iterator[str]:
    """Yield why the registry cannot use an instance."""
    if instance.connection_name != stated:
        # Project and name identify it, so it is found with a wrong region.
        yield f"whose connection name is {instance.connection_name}; expected that"
        return
    version, least = instance.database_version, VERSIONS[0]
    match = re.match(r"POSTGRES_(\d+)", version)
    if match is None or int(match[1]) < int(least):
        yield f"whose version is {version}; expected PostgreSQL {least} or later"
        return
    if instance.instance_type not in ("", "CLOUD_SQL_INSTANCE"):
        yield f"which is a {instance.instance_type}; expected a primary instance, which accepts writes"
    if not instance.private_ip_address:
        yield "which has no private address; expected one by private services access in the cluster's network"
    for settings in instance.settings:
        if ("on", _FLAG) not in {(flag.value, flag.name) for flag in settings.database_flags}:
            yield f"without the flag {_FLAG}; expected it with the value on"
        if settings.connector_enforcement == "REQUIRED":
            yield "which only connectors may use (connectorEnforcement); expected NOT_REQUIRED"
        for configuration in settings.ip_configurations:
            if configuration.ssl_mode == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED":
                yield (
                    f"which requires certificates of clients ({configuration.ssl_mode}); expected "
                    "ENCRYPTED_ONLY, as the registry signs in by tokens"
                )
            # By a shared authority the certificate of any other instance would be accepted.
            if configuration.server_ca_mode.endswith("CAS_CA"):
                yield (
                    f"whose certificate has a shared authority ({configuration.server_ca_mode}); expected "
                    "GOOGLE_MANAGED_INTERNAL_CA, an authority of this instance alone"
                )
