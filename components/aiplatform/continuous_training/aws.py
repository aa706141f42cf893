"""Continuous training on AWS: two queues of SQS for each team, their key, permissions, and the rules of
EventBridge for commits to tables."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import cloudwatch, iam, kms, sqs

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.keys import existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import (
    Statement,
    allow,
    document,
    key_policy,
    queue_by_tls,
    rules_may_send,
)
from aiplatform._shared.context import Context as Base
from aiplatform._shared.outputs import mapped
from aiplatform.continuous_training.args import (
    KEY_ALIAS,
    REQUESTS_IDENTITY,
    ContinuousTrainingSettings,
)
from aiplatform.continuous_training.messages import VISIBLE_AGAIN_SECONDS
from aiplatform.continuous_training.platform import Queue, Queues, TeamQueues
from aiplatform.model_store.args import REQUESTS
from aiplatform.workload_identity import WorkloadIdentity

TRAINING: Final = "training"
PROMOTIONS: Final = "promotions"
_DAY: Final = 24 * 3600
_ATTEMPTS: Final = 5
_RECEIVE: Final = ("sqs:DeleteMessage", "sqs:ReceiveMessage")
_SEND: Final = ("sqs:SendMessage",)


@dataclass(frozen=True)
class Context(Base[ContinuousTrainingSettings]):
    """The component, its settings, and the account and region."""

    account: Account

    def queue(self, team: str, purpose: str) -> str:
        """Return the name of a queue. Its role lets KEDA count messages by these names (addons)."""
        return f"{self.settings.prefix}-{team}-{purpose}"

    def queue_arn(self, team: str, purpose: str) -> str:
        """Return its arn."""
        return self.account.arn("sqs", self.queue(team, purpose))

    @property
    def via_sqs(self) -> Mapping[str, Mapping[str, str]]:
        """The condition of the use of the key by SQS."""
        service = f"sqs.{self.account.region}.{self.account.dns_suffix}"
        return {"StringEquals": {"kms:ViaService": service}}


def create(parent: pulumi.ComponentResource, name: str, settings: ContinuousTrainingSettings) -> Queues:
    """Create the resources in the cloud as children of the component."""
    context = Context(parent, name, settings, account_of(parent))
    key = _key(context)
    teams = {
        team: TeamQueues(*(_queue(context, team, purpose, key) for purpose in (TRAINING, PROMOTIONS)))
        for team in settings.teams
    }
    for team in settings.teams:
        _grant(context, team, key)
    args: Any = {
        "prefix": settings.prefix,
        "name": REQUESTS_IDENTITY,
        "cluster": settings.cluster,
        "namespace": REQUESTS,
        "service_account": REQUESTS,
        "tags": settings.tags,
    }
    identity = WorkloadIdentity(f"{name}-{REQUESTS}", args, context.options())
    policy = iam.RolePolicy(
        f"{name}-{REQUESTS}",
        name="requests",
        role=identity.role_name.apply(lambda known: known or ""),
        policy=mapped(
            key,
            lambda arn: document(
                allow(
                    _RECEIVE,
                    [context.queue_arn(team, PROMOTIONS) for team in settings.teams],
                    sid="Requests",
                ),
                allow(["kms:Decrypt"], arn, context.via_sqs, sid="UseKey"),
            ),
        ),
        opts=context.options(),
    )
    return Queues(teams, identity, [policy, identity])


def _key(context: Context) -> Input[str]:
    settings = context.settings
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, context.account, "ContinuousTrainingArgs.kms_key").arn
    queues = [context.queue_arn(team, TRAINING) for team in settings.teams]

    def policy(promoter: str) -> str:
        use = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
        # Amazon EventBridge user guide, "Troubleshooting": events are not delivered to an encrypted queue.
        events: Statement = {
            "Sid": "EventsEncrypt",
            **use,
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": queues}},
        }
        promotions: Statement = {
            "Sid": "PromotionsEncrypt",
            **use,
            "Principal": {"AWS": promoter},
            "Condition": context.via_sqs,
        }
        return key_policy(context.account, events, promotions)

    key = kms.Key(
        f"{context.name}-key",
        description=f"Messages of continuous training of {settings.prefix}",
        enable_key_rotation=True,
        policy=mapped(settings.promoter, policy),
        tags=settings.tags,
        opts=context.options(),
    )
    name_key(f"{context.name}-key", key, KEY_ALIAS.of(settings.prefix), context.options())
    return key.arn


def _queue(context: Context, team: str, purpose: str, key: Input[str]) -> Queue:
    """Create a queue, and one for messages that were not handled in some attempts."""
    settings, logical = context.settings, f"{context.name}-{team}-{purpose}"
    common: Any = {"kms_master_key_id": key, "tags": settings.tags}
    options = context.options(delete_before_replace=True)
    dead = sqs.Queue(
        f"{logical}-dead",
        name=f"{context.queue(team, purpose)}-dead",
        message_retention_seconds=14 * _DAY,
        **common,
        opts=options,
    )
    queue = sqs.Queue(
        logical,
        name=context.queue(team, purpose),
        message_retention_seconds=4 * _DAY,
        visibility_timeout_seconds=VISIBLE_AGAIN_SECONDS,
        redrive_policy=dead.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": _ATTEMPTS})
        ),
        **common,
        opts=options,
    )
    tables = _tables(context, team) if purpose == TRAINING else ()
    rules = [_rule(context, team, key, location) for key, _, location in tables]
    policy = sqs.QueuePolicy(
        logical,
        queue_url=queue.url,
        policy=Output.all(queue.arn, settings.promoter, *(rule.arn for rule in rules)).apply(
            lambda known: document(*_queue_policy(purpose, *known))
        ),
        opts=context.options(),
    )
    for rule, (key_of_table, table, _) in zip(rules, tables, strict=True):
        cloudwatch.EventTarget(
            f"{logical}-{key_of_table}",
            rule=rule.name,
            target_id="training",
            arn=queue.arn,
            input=Output.json_dumps({"data": {"table": table}}),
            # Events that the queue refuses are lost.
            opts=context.options(policy),
        )
    sqs.QueuePolicy(
        f"{logical}-dead",
        queue_url=dead.url,
        policy=dead.arn.apply(lambda arn: document(queue_by_tls(arn))),
        opts=context.options(),
    )
    region = str(context.account.region)
    trigger = {
        "type": "aws-sqs-queue",
        "metadata": {
            "queueURL": queue.url,
            "queueLength": "1",
            "awsRegion": region,
            "identityOwner": "operator",
            # Those that a Job handles already.
            "scaleOnInFlight": "false",
        },
    }
    return Queue(queue.url, queue.url, trigger, {"AWS_REGION": region, "AWS_DEFAULT_REGION": region})


def _queue_policy(purpose: str, queue: str, promoter: str, *rules: str) -> list[Statement]:
    statements: list[Statement] = [queue_by_tls(queue)]
    if purpose == TRAINING:
        # It reports what was promoted.
        statements.append(
            {
                "Sid": "PromotionsSend",
                "Effect": "Allow",
                "Principal": {"AWS": promoter},
                "Action": "sqs:SendMessage",
                "Resource": queue,
            }
        )
    if rules:
        statements.append(rules_may_send(queue, rules))
    return statements


def _tables(context: Context, team: str) -> Sequence[tuple[str, Input[str], Input[str]]]:
    """Return key, name and location of each table whose commits start a training of the team, once each."""
    tables: dict[str, tuple[str, Input[str], Input[str]]] = {}
    for model, declared in context.settings.teams[team].models.items():
        if not declared.on_data:
            continue
        keys = [model, *(f"{model}-{view}" for view in declared.feature_views)]
        names = [declared.table, *(view.table for view in declared.feature_views.values())]
        for key, name, location in zip(keys, names, declared.locations, strict=True):
            tables.setdefault(name if isinstance(name, str) else key, (key, name, location))
    return list(tables.values())


def _rule(context: Context, team: str, key: str, location: Input[str]) -> cloudwatch.EventRule:
    """Create the rule of a table: the last file of a commit is the table's metadata."""
    return cloudwatch.EventRule(
        f"{context.name}-{team}-{key}",
        # Not named: the provider's names fit, whatever the team and the model are called.
        name_prefix="ai-platform-data-",
        description=f"Commits to a table of {key}, of the team {team}",
        event_pattern=mapped(location, _pattern),
        tags=context.settings.tags,
        opts=context.options(),
    )


def _pattern(location: str) -> str:
    """Return the pattern of the objects that end a commit ("Comparison operators": wildcard)."""
    matched = re.fullmatch(r"s3://([^/]+)/(.+)", location)
    if matched is None:
        raise ValueError(f"{location!r}: expected s3://BUCKET/FOLDER")
    bucket, folder = matched.groups()
    return json.dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [bucket]},
                "object": {"key": [{"wildcard": f"{folder}/metadata/*.metadata.json"}]},
            },
        }
    )


def _grant(context: Context, team: str, key: Input[str]) -> None:
    """Allow the identity of a team to read its messages, and to request promotions."""
    declared = context.settings.teams[team]
    iam.RolePolicy(
        f"{context.name}-{team}",
        name="continuous-training",
        role=Output.from_input(declared.identity.role_name).apply(str),
        policy=mapped(
            key,
            lambda arn: document(
                allow(_RECEIVE, context.queue_arn(team, TRAINING), sid="Messages"),
                allow(_SEND, context.queue_arn(team, PROMOTIONS), sid="RequestPromotions"),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], arn, context.via_sqs, sid="UseKey"),
            ),
        ),
        opts=context.options(),
    )
