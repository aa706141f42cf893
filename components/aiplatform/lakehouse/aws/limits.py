"""What IAM and Lake Formation would refuse of a declaration, checked before anything is created."""

from collections.abc import Iterator, Sequence

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.managed_policies import INLINE, MANAGED, size
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.principals import known
from aiplatform.lakehouse.aws import permissions
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import stream_name


def limit_problems(context: Context) -> Iterator[Problem]:
    """Return the problems."""
    yield from _long_policies(context)
    yield from _writers_of_other_accounts(context)


def _long_policies(context: Context) -> Iterator[Problem]:
    """Policies of the lakehouse's own roles that would be too long. They grow with what is declared."""
    settings = context.settings
    # All ids of keys are of one length.
    key = context.account.arn("kms", f"key/{'0' * 36}")
    if settings.batches:
        inline = [permissions.writer(context, key), permissions.batches(context)]
        yield from _too_long("batches", "the writer role, whose policy names each script", inline, INLINE)
    if context.quality:
        inline = [permissions.quality(context, key)]
        yield from _too_long("tables", "the role that reads each table with `quality`", inline, INLINE)
    if settings.streams:
        inline = [permissions.streams(context, key)]
        yield from _too_long("streams", "the role of streams, whose policy names each table", inline, INLINE)
        arns = [
            context.account.arn("firehose", f"deliverystream/{stream_name(settings.prefix, stream)}")
            for stream in settings.streams
        ]
        managed = [[permissions.producers(arns)]]
        yield from _too_long("streams", "the policy of producers, which names each stream", managed, MANAGED)


def _too_long(key: str, what: str, policies: Sequence[Sequence[Statement]], limit: int) -> Iterator[Problem]:
    characters = sum(size(document(*statements)) for statements in policies)
    if characters > limit:
        yield Problem(
            f"LakehouseArgs.{key}",
            f"{characters:,} characters of {what}; expected at most {limit:,}, which is IAM's limit: fewer, "
            "or shorter names",
        )


def _writers_of_other_accounts(context: Context) -> Iterator[Problem]:
    """Roles of another account that would write to tables in the zones' buckets. Each commit names the
    table's location, and Lake Formation grants DATA_LOCATION_ACCESS there only to the account, whose
    administrator grants it further (its developer guide, "Granting data location permissions (external
    account)")."""
    if context.uses_s3_tables:
        return
    for index, grant in enumerate(context.settings.grants):
        arn = known(grant.principal)
        if "write" in grant.actions and arn is not None and arn.split(":")[4] != context.account.account_id:
            yield Problem(
                f"LakehouseArgs.grants[{index}].actions",
                f"got write for {arn}, a role of another account; expected read, or a role of this account, "
                f"{context.account.account_id}, that the other one may assume",
            )
