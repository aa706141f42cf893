"""The rights that a call of any service but S3 needs: the action of the operation's name, on what it names.

Where no resource is reported here, one that is allowed the action on any resource may go on: that is less
than AWS asks for, and never more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import jmespath

from twin.aws.api_server.request import Call
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.services.ec2 import permissions as ec2
from twin.aws.services.glue.operations import federated
from twin.aws.services.kms import permissions as kms
from twin.aws.services.secretsmanager import permissions as secretsmanager
from twin.aws.validation import stated

Params = dict[str, Any]

_STATED: Final = stated.read(__name__)


def requests(call: Call, moto: Any) -> list[AuthorizationRequest]:
    """All rights that a call needs; none for what everybody may do."""
    name = f"{call.service}:{call.operation}"
    if name in _STATED["free"] or not call.operation:
        return []
    if call.service == "kms" and call.params.get("KeyId"):
        return _on_key(call, moto)
    if call.service == "secretsmanager" and call.params.get("SecretId"):
        return secretsmanager.requests(call, moto)
    known = ec2.needed(call, moto)
    if known:
        return known
    prefix = _STATED["prefixes"].get(call.service, call.service)
    action = _STATED["actions"].get(name, f"{prefix}:{call.operation}")
    find = _RESOURCES.get(call.service)
    place = f"arn:aws:{prefix}:{call.region}:{moto.account}:"
    arns = [*find(call, place, moto)] if find else []
    authorizations = [AuthorizationRequest(action, arn, {}, _policy(call, moto, arn)) for arn in arns] or [
        AuthorizationRequest(action, None, {})
    ]
    return [*authorizations, *_passed(call, name, moto)]


def _passed(call: Call, name: str, moto: Any) -> Iterable[AuthorizationRequest]:
    """The right to pass the role that a call gives to its service (IAM user guide, "Grant a user permissions
    to pass a role to an AWS service")."""
    member = _STATED["passes"].get(name)
    role = jmespath.search(member, call.params) if member else None
    if role:
        arn = str(role) if str(role).startswith("arn:") else f"arn:aws:iam::{moto.account}:role/{role}"
        yield AuthorizationRequest(
            "iam:PassRole", arn, {"iam:PassedToService": f"{call.service}.amazonaws.com"}
        )


def _policy(call: Call, moto: Any, arn: str) -> Any:
    """The policy of a table of DynamoDB or a repository of ECR; others have none, or are asked elsewhere."""
    if call.service == "ecr":
        repository: Any = moto.backend("ecr", call.region).repositories.get(arn.partition(":repository/")[2])
        return None if repository is None else repository.policy
    if call.service != "dynamodb":
        return None
    resource_policy: Any = moto.backend("dynamodb", call.region).resource_policies.get(
        arn.partition("/index/")[0]
    )
    return None if resource_policy is None else resource_policy.policy_doc


def _on_key(call: Call, moto: Any) -> list[AuthorizationRequest]:
    pairs: dict[str, str] = call.params.get("EncryptionContext") or {}
    context = {f"kms:EncryptionContext:{key}": str(value) for key, value in pairs.items()}
    if pairs:
        context["kms:EncryptionContextKeys"] = "\n".join(pairs)
    action = f"kms:{call.operation}"
    return kms.on_key(moto, call.region, action, str(call.params["KeyId"]), context)


def glue(call: Call, place: str, _: Any) -> Iterable[str]:
    """A thing of the catalog and all that it is in (Glue developer guide, "Specifying AWS Glue resource
    ARNs")."""
    params, operation = call.params, call.operation
    of = params.get("DatabaseName")
    table_input: Params = params.get("TableInput") or {}
    table = params.get("TableName") or table_input.get("Name")
    if operation in ("GetTable", "DeleteTable", "CreateTable", "UpdateTable"):
        table = table or params.get("Name")
    if operation.endswith(("Database", "Databases")):
        of = params.get("Name") or (params.get("DatabaseInput") or {}).get("Name")
    if of is None and operation not in ("GetDatabases", "GetCatalog", "GetCatalogs", "SearchTables"):
        return
    path = federated.path_of(params.get("CatalogId"), str(of or ""))
    yield from catalogs(place, path.split("/")[1] if "/" in path else "")
    if of is not None:
        yield f"{place}database/{path}"
    if of is not None and (table or operation == "GetTables"):
        yield f"{place}table/{path}/{table or '*'}"


def catalogs(place: str, bucket: str) -> list[str]:
    """The arns of the account's catalog and, of a table bucket, of those below it down to the bucket's."""
    below = f"{place}catalog/{federated.S3_TABLES}"
    return [f"{place}catalog", *([below, f"{below}/{bucket}"] if bucket else [])]


def of_table(region: str, account: str, of: str, name: str) -> list[str]:
    """The arns of a table and of all that it is in. of: its database's name or path."""
    place = f"arn:aws:glue:{region}:{account}:"
    above = catalogs(place, of.split("/")[1] if "/" in of else "")
    return [*above, f"{place}database/{of}", f"{place}table/{of}/{name}"]


def _athena(call: Call, place: str, moto: Any) -> Iterable[str]:
    """The workgroup that is named, or that a query was asked in."""
    if call.operation in ("StartQueryExecution", "ListQueryExecutions", "GetWorkGroup"):
        yield f"{place}workgroup/{call.params.get('WorkGroup') or 'primary'}"
    params = call.params
    for id in params.get("QueryExecutionIds") or [params.get("QueryExecutionId")]:
        execution: Any = moto.backend("athena", call.region).executions.get(id)
        if execution is not None:
            yield f"{place}workgroup/{execution.workgroup.name if execution.workgroup else 'primary'}"


def _dynamodb(call: Call, place: str, _: Any) -> Iterable[str]:
    params = call.params
    names = [str(params["TableName"])] if params.get("TableName") else []
    names += list(params.get("RequestItems") or {})
    for name in names:
        table = name if name.startswith("arn:") else f"{place}table/{name}"
        yield f"{table}/index/{params['IndexName']}" if params.get("IndexName") else table


def _named(call: Call, place: str, _: Any) -> Iterable[str]:
    """What the parameters name, as service_rights.toml states for the service."""
    scope = {**call.params, "operation": call.operation}
    for name in jmespath.search(_STATED["resources"][call.service], scope) or ():
        if name:
            yield name if name.startswith(("arn:", "*")) else f"{place.replace(':eks-auth:', ':eks:')}{name}"


_RESOURCES: Final[dict[str, Callable[[Call, str, Any], Iterable[str]]]] = {
    **dict.fromkeys(_STATED["resources"], _named),
    "glue": glue,
    "athena": _athena,
    "dynamodb": _dynamodb,
}
