"""Whether names that the preview would create exist already: in the account, or, of buckets, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.clients.aws import ApiError
from cli.clients.errors import UncheckedError
from cli.estimate.resources import Resource
from cli.preflight.names import CHECK, collision, summary
from cli.preflight.results import Result, not_checked, problem
from cli.preflight.scope import Scope

_BUCKET: Final = "aws:s3/bucket:Bucket"
_SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
_LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"


@dataclass(frozen=True)
class Kind:
    """How to look for resources of a type by their name.

    name: the input that has it. parameters: name -> those of the call. absent: the codes of the error for a
    name without a resource. delete: the command that deletes one, with `{name}`.
    """

    name: str
    service: str
    operation: str
    parameters: Callable[[str], Mapping[str, Any]]
    absent: Sequence[str]
    delete: str


KINDS: Final[Mapping[str, Kind]] = {
    _BUCKET: Kind(
        "bucket",
        "s3",
        "head_bucket",
        lambda name: {"Bucket": name},
        ("404",),
        "aws s3 rb s3://{name} --force",
    ),
    "aws:eks/cluster:Cluster": Kind(
        "name",
        "eks",
        "describe_cluster",
        lambda name: {"name": name},
        ("ResourceNotFoundException",),
        "aws eks delete-cluster --name {name}",
    ),
    "aws:ecr/repository:Repository": Kind(
        "name",
        "ecr",
        "describe_repositories",
        lambda name: {"repositoryNames": [name]},
        ("RepositoryNotFoundException",),
        "aws ecr delete-repository --force --repository-name {name}",
    ),
    "aws:rds/instance:Instance": Kind(
        "identifier",
        "rds",
        "describe_db_instances",
        lambda name: {"DBInstanceIdentifier": name},
        ("DBInstanceNotFound",),
        "aws rds delete-db-instance --db-instance-identifier {name} "
        "--final-db-snapshot-identifier {name}-final",
    ),
    "aws:dynamodb/table:Table": Kind(
        "name",
        "dynamodb",
        "describe_table",
        lambda name: {"TableName": name},
        ("ResourceNotFoundException",),
        "aws dynamodb delete-table --table-name {name}",
    ),
    "aws:kms/alias:Alias": Kind(
        "name",
        "kms",
        "describe_key",
        lambda name: {"KeyId": name},
        ("NotFoundException",),
        "aws kms delete-alias --alias-name {name}",
    ),
    "aws:iam/role:Role": Kind(
        "name",
        "iam",
        "get_role",
        lambda name: {"RoleName": name},
        ("NoSuchEntity",),
        "aws iam delete-role --role-name {name}",
    ),
    "aws:sqs/queue:Queue": Kind(
        "name",
        "sqs",
        "get_queue_url",
        lambda name: {"QueueName": name},
        ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
        'aws sqs delete-queue --queue-url "$(aws sqs get-queue-url --queue-name {name} --query QueueUrl '
        '--output text)"',
    ),
    "aws:lambda/function:Function": Kind(
        "name",
        "lambda",
        "get_function_configuration",
        lambda name: {"FunctionName": name},
        ("ResourceNotFoundException",),
        "aws lambda delete-function --function-name {name}",
    ),
}
_RESTORE: Final = (
    "aws secretsmanager restore-secret --secret-id {name}; then aws secretsmanager delete-secret "
    "--force-delete-without-recovery --secret-id {name}"
)


def check(scope: Scope) -> Iterator[Result]:
    """Look for each name of what would be created."""
    looked_for: dict[str, int] = {}
    for type_ in (*KINDS, _SECRET, _LOG_GROUP):
        for resource in scope.new(type_):
            name = str(resource.get(KINDS[type_].name if type_ in KINDS else "name", ""))
            # What has a prefix gets its name at `up`.
            if not name:
                continue
            try:
                existing = _existing(scope, resource, name)
            except UncheckedError as error:
                yield not_checked(CHECK, name, str(error))
                continue
            looked_for[type_] = looked_for.get(type_, 0) + 1
            if existing is not None:
                yield existing
    yield from summary(looked_for)


def _existing(scope: Scope, resource: Resource, name: str) -> Result | None:
    if resource.type == _SECRET:
        return _secret(scope, resource, name)
    if resource.type == _LOG_GROUP:
        groups: list[Any] = scope.client.pages(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name
        )
        delete = f"aws logs delete-log-group --region {scope.region} --log-group-name {name}"
        exists = any(group["logGroupName"] == name for group in groups)
        return collision(resource, name, delete) if exists else None
    kind = KINDS[resource.type]
    try:
        scope.client.call(kind.service, kind.operation, **kind.parameters(name))
    except ApiError as error:
        return _of_error(kind, resource, name, error)
    return collision(resource, name, f"{kind.delete.format(name=name)} --region {scope.region}")


def _of_error(kind: Kind, resource: Resource, name: str, error: ApiError) -> Result | None:
    if error.code in kind.absent:
        return None
    if resource.type == _BUCKET and error.code == "403":
        reason = "another account has it (names of buckets are global), or this principal has no right to it"
        return problem(CHECK, name, reason, "state another environment.org or environment.name")
    raise UncheckedError(f"{kind.service}: {error}") from error


def _secret(scope: Scope, resource: Resource, name: str) -> Result | None:
    try:
        answer = scope.client.call("secretsmanager", "describe_secret", SecretId=name)
    except ApiError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise UncheckedError(f"secretsmanager: {error}") from error
    if "DeletedDate" in answer:
        reason = "a deleted secret keeps the name until the end of its recovery window"
        return problem(CHECK, name, reason, _RESTORE.format(name=name))
    delete = f"aws secretsmanager delete-secret --region {scope.region} --secret-id {name}"
    return collision(resource, name, delete)
