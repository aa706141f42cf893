"""The lakehouse on AWS: its parts, in the order in which they need each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws import ec2, glue, iam, kinesis, kms, lakeformation, lambda_, s3

from aiplatform._shared.args import ArgumentError
from aiplatform._shared.aws.account import place
from aiplatform._shared.aws.roles import roles
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.aws import buckets as aws_buckets
from aiplatform.lakehouse.aws import catalog as aws_catalog
from aiplatform.lakehouse.aws import change_data_capture as aws_captures
from aiplatform.lakehouse.aws import glue_jobs as aws_jobs
from aiplatform.lakehouse.aws import governance as aws_governance
from aiplatform.lakehouse.aws import grants as aws_grants
from aiplatform.lakehouse.aws import limits as aws_limits
from aiplatform.lakehouse.aws import object_events as aws_arrivals
from aiplatform.lakehouse.aws import principals as aws_principals
from aiplatform.lakehouse.aws import quality as aws_quality
from aiplatform.lakehouse.aws import query as aws_query
from aiplatform.lakehouse.aws import roles as aws_roles
from aiplatform.lakehouse.aws import s3_tables as aws_s3_tables
from aiplatform.lakehouse.aws import spark_jobs as aws_batches
from aiplatform.lakehouse.aws import streams as aws_streams
from aiplatform.lakehouse.aws import table_migrator as aws_keeper
from aiplatform.lakehouse.aws.buckets import Bucket
from aiplatform.lakehouse.aws.catalog_entries import Database, Entry
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.query import Queries
from aiplatform.lakehouse.tables import ZONES, Zone


@dataclass(frozen=True)
class Built:
    """What the component shows."""

    context: Context
    key: kms.Key
    buckets: dict[Zone, s3.Bucket]
    log_bucket: s3.Bucket
    databases: dict[Zone, Database]
    tables: dict[str, Entry]
    writer: iam.Role
    queries: Queries
    keeper: lambda_.Function
    streams: dict[str, kinesis.FirehoseDeliveryStream]
    producer_policy: iam.Policy | None
    captures: ec2.SecurityGroup | None
    jobs: dict[str, glue.Job]


def build(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> Built:
    """All of it, as children of one component."""
    where = place(parent)
    session = aws.iam.get_session_context(arn=where.caller_arn, opts=pulumi.InvokeOptions(parent=parent))
    context = Context(parent, name, settings, where, session.issuer_arn)
    writers = roles(
        {f"LakehouseArgs.writers[{index}]": each for index, each in enumerate(settings.writers)},
        where.account_id,
    )
    problems = [
        *aws_captures.unprepared(context),
        *aws_limits.refused(context),
        *aws_keeper.refused(context),
    ]
    if problems:
        raise ArgumentError(problems)
    principals = aws_principals.principals(context)
    key = aws_buckets.key(context, principals)
    own = aws_roles.roles(context, writers)
    rights = aws_roles.rights(context, own, key)
    # Who makes a table writes its first metadata, too.
    tester = aws_quality.tester(context)
    capture_roles = aws_captures.roles(context)
    buckets, log_bucket = aws_buckets.buckets(
        context, key, _object_roles(context, own, tester, capture_roles)
    )
    governed = aws_governance.settings(context)
    first = [*governed, *rights]
    made = (
        _in_s3_tables(context, key, own.access, first)
        if context.in_s3_tables
        else _in_buckets(context, own.access, buckets, first)
    )
    workers = {"writer": own.writer, **({} if context.in_s3_tables else {"optimizer": own.optimizer})}
    let = aws_governance.let_platform_work(context, made.databases, made.locations, workers)
    keeper_role = aws_keeper.role(context)
    keeper, ready = aws_keeper.function(context, keeper_role, key)
    let_keep = aws_governance.let_keep(context, made.databases, made.locations, keeper_role)
    tables = made.tables
    kept = aws_keeper.kept(context, keeper, tables, [*ready, *let_keep])
    keys = None
    if not context.in_s3_tables:
        keys = aws_governance.tags(context, governed)
        aws_governance.tagged(context, keys, made.databases, tables, kept)
        aws_catalog.optimizers(context, tables, own.optimizer, [*rights, *let])
    aws_grants.grants(context, keys, made.databases, tables, kept, principals, made.locations)
    if any(each.local for each in principals):
        default = aws_keeper.default_database(context, keeper, keeper_role, [*ready, *governed])
        aws_grants.see_default(context, principals, default, governed)
    aws_roles.writers_may_assume(context, own.writer, writers)
    aws_arrivals.tell(context)
    streams = (
        aws_streams.streams(context, own.feeder, key, tables, kept, made.locations)
        if own.feeder is not None
        else {}
    )
    group = aws_captures.captures(context, key, capture_roles, buckets["raw"].ready)
    jobs = _jobs(context, own.writer, tester, key, tables, kept, [*rights, *let, *buckets["curated"].ready])
    return Built(
        context=context,
        key=key,
        buckets={zone: bucket.bucket for zone, bucket in buckets.items()},
        log_bucket=log_bucket,
        databases=made.databases,
        tables=tables,
        writer=own.writer,
        queries=aws_query.queries(context, key, principals),
        keeper=keeper,
        streams=streams,
        producer_policy=aws_streams.producer_policy(context, streams),
        captures=group,
        jobs=jobs,
    )


def _object_roles(
    context: Context, roles: aws_roles.Roles, tester: iam.Role | None, capture_roles: Mapping[str, iam.Role]
) -> aws_buckets.ObjectRoles:
    """The roles that may read and write objects, by folder. A table's first metadata is written by the
    deployer."""
    common = [role.arn for role in (roles.writer, roles.feeder, tester) if role is not None]
    return aws_buckets.ObjectRoles(
        tables=[roles.access.arn, *common, context.deployer_arn],
        files={
            zone: [
                *common,
                *(role.arn for role in capture_roles.values() if zone == "raw"),
                context.deployer_arn,
            ]
            for zone in ZONES
        },
    )


@dataclass(frozen=True)
class _Store:
    """Where tables are. locations: of the zones, where Lake Formation knows one each."""

    databases: dict[Zone, Database]
    tables: dict[str, Entry]
    locations: dict[Zone, lakeformation.Resource]


def _in_buckets(
    context: Context, access: iam.Role, buckets: Mapping[Zone, Bucket], after: Sequence[pulumi.Resource]
) -> _Store:
    locations = aws_governance.locations(context, buckets, access, after)
    databases = aws_catalog.databases(context, *after)
    reached: dict[Zone, list[pulumi.Resource]] = {zone: [each] for zone, each in locations.items()}
    return _Store(databases, aws_catalog.tables(context, databases, reached), locations)


def _in_s3_tables(
    context: Context, key: kms.Key, access: iam.Role, after: Sequence[pulumi.Resource]
) -> _Store:
    bucket = aws_s3_tables.bucket(context, key, [access.arn, context.deployer_arn])
    governed = aws_s3_tables.governed(context, access, key, after)
    databases = aws_s3_tables.databases(context, bucket, governed)
    return _Store(databases, aws_s3_tables.tables(context, bucket, databases, key), {})


def _jobs(
    context: Context,
    writer: iam.Role,
    tester: iam.Role | None,
    key: kms.Key,
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
    after: Sequence[pulumi.Resource],
) -> dict[str, glue.Job]:
    """Batches, and what looks at the rules of tables."""
    rulesets = aws_quality.rulesets(context, tables, kept)
    gate = aws_quality.gate(context, after)
    aws_quality.tell(context)
    if not context.settings.batches and tester is None:
        return {}
    encrypted = aws_jobs.encrypted(context, key)
    first = [*after, *([gate] if gate is not None else [])]
    if tester is not None:
        aws_quality.looked_at(context, tester, key, encrypted, tables, rulesets, first)
    return aws_batches.batches(context, writer, encrypted, rulesets, first)
