"""The online store on AWS: a DynamoDB table for each feature view, or a serverless Valkey."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output
from pulumi_aws import dynamodb, ec2, elasticache, secretsmanager, vpc

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.outputs import merged
from aiplatform.feature_store.args import CACHE, CACHE_GROUP, CACHE_USER, MATERIALIZER, SERVER
from aiplatform.feature_store.aws.context import Context
from aiplatform.feature_store.config import PASSWORD, USER

_PORTS: Final = (6379, 6380)
"""Ports of ElastiCache Serverless: the second one serves reads that may be slightly outdated."""
_SECONDS_A_DAY: Final = 24 * 3600


_COMMANDS: Final[Mapping[str, str]] = {SERVER: "+@read", MATERIALIZER: "+@read +@write"}
"""A part -> the commands that its user of Valkey may run."""


@dataclass(frozen=True)
class User:
    """A user of Valkey, by which one part signs in."""

    name: str
    password: Output[str]
    resource: elasticache.User


@dataclass(frozen=True)
class OnlineStore:
    """The online store. config: Feast's block `online_store`, without its type. users: of Valkey, by part.
    ready: what its users depend on."""

    config: Input[Mapping[str, Any]]
    tables: list[Input[str]] = field(default_factory=list[Input[str]])
    users: Mapping[str, User] = field(default_factory=dict[str, User])
    ready: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])


def create_online_store(context: Context, key: Key) -> OnlineStore:
    """Create the store that the settings choose."""
    return _valkey(context, key) if context.settings.store == "valkey" else _dynamodb(context, key)


def _dynamodb(context: Context, key: Key) -> OnlineStore:
    """Create the tables as Feast would (a hash key `entity_id`, paid by request), with the platform's key,
    backups and tags. Feast finds them by their names and creates none."""
    tables = [_table(context, view, key) for view in context.settings.feature_views]
    return OnlineStore(
        config={
            "region": context.account.region,
            "table_name_template": context.settings.table_template,
            "consistent_reads": context.settings.consistent_reads,
        },
        tables=[table.name for table in tables],
        ready=list(tables),
    )


def _table(context: Context, view: str, key: Key) -> dynamodb.Table:
    settings = context.settings
    return dynamodb.Table(
        f"{context.name}-{view}",
        name=settings.table(view),
        billing_mode="PAY_PER_REQUEST",
        hash_key="entity_id",
        attributes=[dynamodb.TableAttributeArgs(name="entity_id", type="S")],
        server_side_encryption=dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=key.arn),
        point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(
            enabled=settings.backup_days is not None, recovery_period_in_days=settings.backup_days
        ),
        deletion_protection_enabled=settings.protect,
        tags=merged(settings.tags, {"Name": settings.table(view)}),
        # Names of tables are unique, and Feast finds the table by its name.
        opts=context.options(data=True, delete_before_replace=True),
    )


def _valkey(context: Context, key: Key) -> OnlineStore:
    """Create a serverless Valkey: only by TLS, in the private subnets, reachable from the cluster, with two
    users whose passwords Secrets Manager generates. IAM's tokens are valid for fifteen minutes, and Feast's
    client cannot renew them.

    The server's user only reads: the server authenticates no client, and has routes that write (`/push`).
    """
    settings = context.settings
    security_group = _security_group(context)
    users = {part: _user(context, key, part) for part in _COMMANDS}
    user_group = elasticache.UserGroup(
        f"{context.name}-users",
        user_group_id=CACHE.of(settings.prefix),
        engine="valkey",
        user_ids=[user.resource.user_id for user in users.values()],
        tags=settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    network = settings.network
    cache = elasticache.ServerlessCache(
        f"{context.name}-cache",
        name=CACHE.of(settings.prefix),
        description=f"Online features of {settings.prefix}",
        engine="valkey",
        major_engine_version="8",
        kms_key_id=key.arn,
        security_group_ids=[security_group.id],
        subnet_ids=network.private_subnet_ids if network else None,
        user_group_id=user_group.user_group_id,
        snapshot_retention_limit=settings.backup_days,
        daily_snapshot_time="04:00" if settings.backup_days is not None else None,
        tags=context.tags("features"),
        opts=context.options(data=True, delete_before_replace=True),
    )
    address = cache.endpoints.apply(lambda endpoints: f"{endpoints[0].address}:{endpoints[0].port}")
    values: Output[Any] = Output.all(address, settings.expire_days)
    config = values.apply(lambda known: _client(*known))
    return OnlineStore(config=config, users=users, ready=[cache])


def _user(context: Context, key: Key, part: str) -> User:
    name = CACHE_USER.of(context.settings.prefix).removesuffix(MATERIALIZER) + part
    password = _password(context, key, part)
    user = elasticache.User(
        f"{context.name}-{part}-user",
        user_id=name,
        user_name=name,
        engine="valkey",
        # All keys, and no command that administers or empties the cache; last, the first commands of a client
        # of a cluster.
        access_string=f"on ~* -@all {_COMMANDS[part]} +@connection -@dangerous +cluster|slots "
        "+cluster|shards +cluster|nodes +command +info",
        passwords=[password],
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    return User(name, password, user)


def _client(address: str, expire_days: int | None) -> Mapping[str, Any]:
    return {
        "redis_type": "redis_cluster",
        "connection_string": f"{address},ssl=true,username=${{{USER}}},password=${{{PASSWORD}}}",
        **({"key_ttl_seconds": expire_days * _SECONDS_A_DAY} if expire_days else {}),
    }


def _security_group(context: Context) -> ec2.SecurityGroup:
    settings = context.settings
    group = ec2.SecurityGroup(
        f"{context.name}-cache",
        name_prefix=CACHE_GROUP.of(settings.prefix),
        description="Online features, for the nodes of the cluster",
        vpc_id=settings.network.vpc_id if settings.network else None,
        tags=context.tags("features"),
        opts=context.options(),
    )
    for port in _PORTS:
        vpc.SecurityGroupIngressRule(
            f"{context.name}-cache-{port}",
            security_group_id=group.id,
            description="Valkey, from the cluster",
            referenced_security_group_id=settings.cluster.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=settings.tags,
            opts=context.options(),
        )
    return group


def _password(context: Context, key: Key, part: str) -> Output[str]:
    """Generate the password once: a new one at every deployment would lock out clients with the former one.
    The state has it as a secret, encrypted by the stack's secrets provider."""
    secret = secretsmanager.Secret(
        f"{context.name}-{part}-password",
        name_prefix=f"{context.settings.prefix}/features/valkey-{part}-",
        description=f"Password of the {part}'s user of Valkey",
        kms_key_id=key.arn,
        # It is useless without the cache: it can be restored only where the cache is protected, too.
        recovery_window_in_days=7 if context.settings.protect else 0,
        tags=context.settings.tags,
        opts=context.options(),
    )
    # Feast parses the value as JSON where possible: it must contain a letter and no comma.
    random = aws.secretsmanager.get_random_password_output(
        password_length=48,
        exclude_punctuation=True,
        require_each_included_type=True,
        opts=pulumi.InvokeOutputOptions(parent=context.parent),
    )
    version = secretsmanager.SecretVersion(
        f"{context.name}-{part}-password",
        secret_id=secret.id,
        secret_string=Output.secret(random.random_password),
        opts=context.options(ignore_changes=["secretString"]),
    )
    return Output.secret(version.secret_string.apply(lambda text: text or ""))
