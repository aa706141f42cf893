"""Flow logs of a VPC, to an encrypted log group."""

from pulumi_aws import cloudwatch, ec2, iam, kms

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import log_group, name_key
from aiplatform._shared.aws.policy_documents import allow, document, key_policy, logs_may_use_key, trust
from aiplatform.network.args import FLOW_LOGS, FLOW_LOGS_ROLE, KEY_ALIAS
from aiplatform.network.aws.context import VpcContext


def flow_logs(context: VpcContext, network: ec2.Vpc) -> None:
    """Log all traffic of a VPC, with the retention of the settings."""
    settings, name = context.settings, context.name
    log_group_name = FLOW_LOGS.of(settings.prefix)
    group = _encrypted_log_group(context, log_group_name)
    role = iam.Role(
        f"{name}-flow-logs",
        name_prefix=FLOW_LOGS_ROLE.of(settings.prefix),
        description=f"VPC flow logs of {settings.prefix}",
        assume_role_policy=_trust(context.account),
        tags=settings.tags,
        opts=context.options(),
    )
    policy = iam.RolePolicy(
        f"{name}-flow-logs",
        name="write-flow-logs",
        role=role.name,
        policy=_policy(context.account, log_group_name),
        opts=context.options(),
    )
    ec2.FlowLog(
        f"{name}-flow-logs",
        vpc_id=network.id,
        traffic_type="ALL",
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        tags=context.tags("flow-logs"),
        # EC2 refuses a second one of the same VPC to the same log group.
        opts=context.options(policy, delete_before_replace=True),
    )


def _encrypted_log_group(context: VpcContext, log_group_name: str) -> cloudwatch.LogGroup:
    settings, name = context.settings, context.name
    days, retained = settings.flow_log_retention_days, context.options(retain=settings.retain_data)
    key = _key(context, log_group_name)
    return log_group(f"{name}-flow-logs", log_group_name, days, key, settings.tags, retained)


def _key(context: VpcContext, log_group_name: str) -> Key:
    settings, name = context.settings, context.name
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, context.account, "NetworkArgs.kms_key")
    key = kms.Key(
        f"{name}-key",
        description=f"Network logs of {settings.prefix}",
        enable_key_rotation=True,
        policy=key_policy(context.account, logs_may_use_key(context.account, log_group_name)),
        tags=context.tags("network"),
        opts=context.options(retain=settings.retain_data),
    )
    name_key(f"{name}-key", key, KEY_ALIAS.of(settings.prefix), context.options())
    return Key(key.arn)


def _trust(account: Account) -> str:
    """Only flow logs of this account and region may use the role: the confused deputy's two conditions."""
    return trust(
        "vpc-flow-logs.amazonaws.com",
        {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": account.arn("ec2", "vpc-flow-log/*")},
        },
    )


def _policy(account: Account, log_group: str) -> str:
    return document(
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            account.arn("logs", f"log-group:{log_group}:*"),
        ),
        # Lists groups; it has no narrower resource.
        allow(["logs:DescribeLogGroups"], account.arn("logs", "log-group:*")),
    )
