"""The lakehouse's own roles, each with its permissions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_aws import iam

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import Statement, allow, document, trust
from aiplatform._shared.aws.roles import Role, ServiceRole, service_role
from aiplatform.lakehouse.aws import permissions
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import (
    ACCESS_ROLE,
    CAPTURE_ROLE,
    KEEPER_ROLE,
    OPTIMIZER_ROLE,
    QUALITY_ROLE,
    STREAM_ROLE,
    WRITER,
)


@dataclass(frozen=True)
class Roles:
    """The roles by what they are for."""

    lake_formation: ServiceRole
    """Lake Formation accesses the tables' files by it."""
    writer: ServiceRole
    """Pipelines and batches assume it."""
    optimizer: ServiceRole
    """Glue's table optimizers."""
    table_migrator: ServiceRole
    """The function that migrates tables."""
    streams: ServiceRole | None
    """Firehose; None without streams."""
    captures: Mapping[str, ServiceRole]
    """DMS, by the captures' names."""
    quality: ServiceRole | None
    """The job that evaluates quality rules; None where no table has a schedule."""

    @property
    def table_policies(self) -> list[pulumi.Resource]:
        """The policies of the roles that change tables."""
        return [*self.lake_formation.policies, *self.writer.policies, *self.optimizer.policies]


def create_roles(context: Context, key: Key, writers: Sequence[Role]) -> Roles:
    """Create the roles. writers: those that may assume the writer role."""

    def with_key(statements: Callable[[Context, str], list[Statement]]) -> Output[list[Statement]]:
        return key.arn.apply(lambda arn: statements(context, arn))

    prefix, tags = context.settings.prefix, context.settings.tags
    return Roles(
        lake_formation=service_role(
            f"{context.name}-access",
            parent=context.parent,
            trust=_lake_formation_trust(context),
            statements=with_key(permissions.lake_formation),
            policy_name="access",
            name_prefix=ACCESS_ROLE.of(prefix),
            description="Lake Formation reads and writes files of tables for whom it lets",
            tags=tags,
        ),
        writer=service_role(
            f"{context.name}-writer",
            parent=context.parent,
            trust=_writer_trust(context, writers),
            statements=with_key(permissions.writer),
            opts=context.options(delete_before_replace=True),
            policy_name="writer",
            role_name=WRITER.of(prefix),
            description="Pipelines write the lakehouse",
            tags=tags,
        ),
        optimizer=service_role(
            f"{context.name}-optimizer",
            parent=context.parent,
            trust=trust("glue.amazonaws.com"),
            statements=permissions.optimizer(context),
            policy_name="optimizer",
            name_prefix=OPTIMIZER_ROLE.of(prefix),
            description="Glue compacts Iceberg tables and removes what they use no more",
            tags=tags,
        ),
        table_migrator=service_role(
            f"{context.name}-keeper",
            parent=context.parent,
            trust=trust("lambda.amazonaws.com"),
            statements=permissions.table_migrator(context),
            policy_name="keeper",
            name_prefix=KEEPER_ROLE.of(prefix),
            description="Brings Iceberg tables to what is declared",
            tags=tags,
        ),
        streams=service_role(
            f"{context.name}-streams",
            parent=context.parent,
            # Firehose states the account that it works for (its developer guide, "Preventing cross-service
            # confused deputy").
            trust=trust(
                "firehose.amazonaws.com", {"StringEquals": {"aws:SourceAccount": context.account.account_id}}
            ),
            statements=with_key(permissions.streams),
            policy_name="streams",
            name_prefix=STREAM_ROLE.of(prefix),
            description="Firehose appends events to tables",
            tags=tags,
        )
        if context.settings.streams
        else None,
        captures=_capture_roles(context, key),
        quality=service_role(
            f"{context.name}-tester",
            parent=context.parent,
            trust=trust("glue.amazonaws.com"),
            statements=with_key(permissions.quality),
            policy_name="tester",
            name_prefix=QUALITY_ROLE.of(prefix),
            description="Reads tables to look at their rules",
            tags=tags,
        )
        if any(rules.schedule for rules in context.quality.values())
        else None,
    )


def allow_writers_to_assume(context: Context, writer: ServiceRole, writers: Sequence[Role]) -> None:
    """Allow the writers to assume the writer role by policies of theirs: its trust policy names the account,
    so that IAM requires both."""
    for role in writers:
        iam.RolePolicy(
            f"{context.name}-writers-{role.key}",
            # Not one name for all: at another position a role's new policy would have the old one's name.
            name=f"{context.settings.prefix}-lakehouse-writer-{role.short}",
            role=role.name,
            # Sessions of Pods have tags that are passed on from role to role.
            policy=writer.arn.apply(
                lambda arn: document(allow(["sts:AssumeRole", "sts:TagSession"], arn, sid="BecomeWriter"))
            ),
            opts=context.options(),
        )


def _capture_roles(context: Context, key: Key) -> dict[str, ServiceRole]:
    # DMS, and DMS of this region: only the latter reads secrets (DMS user guide, "Using secrets to access AWS
    # Database Migration Service endpoints").
    services = ["dms.amazonaws.com", f"dms.{context.account.region}.amazonaws.com"]
    dms_trust = document(
        {"Effect": "Allow", "Principal": {"Service": services}, "Action": ["sts:AssumeRole"]}
    )
    return {
        capture.name: service_role(
            f"{context.name}-capture-{capture.name}",
            parent=context.parent,
            trust=dms_trust,
            statements=Output.all(key.arn, capture.secret, capture.secret_key).apply(
                lambda arns, capture=capture: permissions.capture(context, capture, *arns)
            ),
            policy_name="capture",
            name_prefix=CAPTURE_ROLE.of(context.settings.prefix),
            description=f"Captures {capture.name} into raw",
            tags=context.settings.tags,
        )
        for capture in context.settings.captures
    }


def _lake_formation_trust(context: Context) -> str:
    """Only Lake Formation, for this account (its developer guide, "Cross-service confused deputy
    prevention").

    Not Glue, which "Requirements for roles used to register locations" of that guide lists too: a Glue job
    with this role would read every table regardless of grants. Crawlers, jobs and optimizers get their files
    from Lake Formation: its service-linked role, which registers locations as well as this one, trusts only
    Lake Formation (the guide, "Using service-linked roles for Lake Formation").
    """
    # S3 Tables: Lake Formation passes on the principal that it works for (Amazon S3 user guide, "Integrating
    # Amazon S3 Tables with AWS analytics services").
    passed_on = ["sts:SetContext", "sts:SetSourceIdentity"] if context.uses_s3_tables else []
    return trust(
        "lakeformation.amazonaws.com",
        {"StringEquals": {"aws:SourceAccount": context.account.account_id}},
        actions=("sts:AssumeRole", *passed_on),
    )


def _writer_trust(context: Context, writers: Sequence[Role]) -> Output[str]:
    """The writers in a condition, not as principals: IAM refuses a principal that does not exist yet. And
    Glue, where there are batches."""
    jobs = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
    root = f"arn:{context.account.partition}:iam::{context.account.account_id}:root"
    return Output.all(*(role.arn for role in writers)).apply(
        lambda arns: document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"ArnEquals": {"aws:PrincipalArn": sorted(str(arn) for arn in arns)}},
            },
            *([jobs] if context.settings.batches else []),
        )
    )
