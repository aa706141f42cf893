"""What IAM and Lake Formation would refuse of a declaration, asked before anything is created."""

from collections.abc import Iterator, Sequence

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.managed_policies import INLINE, MANAGED, size
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.principals import known
from aiplatform.lakehouse.aws import quality as aws_quality
from aiplatform.lakehouse.aws import roles as aws_roles
from aiplatform.lakehouse.aws import spark_jobs as aws_batches
from aiplatform.lakehouse.aws import streams as aws_streams
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import stream_name


def refused(context: Context) -> Iterator[Problem]:
    """All of it."""
    yield from _policies(context)
    yield from _writers_elsewhere(context)


def _policies(context: Context) -> Iterator[Problem]:
    """Policies of the platform's own roles that would be too long. They grow with what is declared."""
    settings = context.settings
    # All ids of keys are of one length.
    key = context.place.arn("kms", f"key/{'0' * 36}")
    if settings.batches:
        inline = [aws_roles.writer_rights(context, key), aws_batches.run_rights(context)]
        yield from _too_long("batches", "the writer role, whose policy names each script", inline, INLINE)
    if context.quality:
        inline = [aws_quality.tester_rights(context, key)]
        yield from _too_long("tables", "the role that reads each table with `quality`", inline, INLINE)
    if settings.streams:
        inline = [aws_streams.feeder_rights(context, key)]
        yield from _too_long("streams", "the role of streams, whose policy names each table", inline, INLINE)
        arns = [
            context.place.arn("firehose", f"deliverystream/{stream_name(settings.prefix, each)}")
            for each in settings.streams
        ]
        managed = [[aws_streams.producer_rights(arns)]]
        yield from _too_long("streams", "the policy of producers, which names each stream", managed, MANAGED)


def _too_long(key: str, what: str, policies: Sequence[Sequence[Statement]], most: int) -> Iterator[Problem]:
    characters = sum(size(document(*statements)) for statements in policies)
    if characters > most:
        yield Problem(
            f"LakehouseArgs.{key}",
            f"{characters:,} characters of {what}; expected at most {most:,}, which is IAM's limit: fewer, "
            "or shorter names",
        )


def _writers_elsewhere(context: Context) -> Iterator[Problem]:
    """Roles of another account that would write to tables in the zones' buckets. Each commit names the
    table's location, and Lake Formation grants DATA_LOCATION_ACCESS there to the account alone, whose
    administrator passes it on (its developer guide, "Granting data location permissions (external
    account)")."""
    if context.in_s3_tables:
        return
    for index, grant in enumerate(context.settings.grants):
        arn = known(grant.principal)
        if "write" in grant.actions and arn is not None and arn.split(":")[4] != context.place.account_id:
            yield Problem(
                f"LakehouseArgs.grants[{index}].actions",
                f"got write for {arn}, a role of another account; expected read, or a role of this account, "
                f"{context.place.account_id}, that the other one may assume",
            )
