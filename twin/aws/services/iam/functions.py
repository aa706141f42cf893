"""IAM's functions: policy documents, roles, the role behind a session."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.aws.services.iam.resources.roles import Role
from twin.provider_interface import CloudError, Props

_SESSION: Final = re.compile(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)/(.+)")
_LISTS: Final = (
    ("actions", "Action"),
    ("notActions", "NotAction"),
    ("resources", "Resource"),
    ("notResources", "NotResource"),
)


class GetPolicyDocument(AwsFunction):
    """The document as the real provider renders it: keys in its order, lists of one as that one."""

    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    service = "iam"
    title = "IAM Policy Document"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        document: Props = {"Version": arguments.get("version") or "2012-10-17"}
        if arguments.get("policyId"):
            document["Id"] = arguments["policyId"]
        statements: list[Props] = []
        for text in _texts(arguments, "sourceJson", "sourcePolicyDocuments"):
            statements = _merged(statements, _statements(text), "source")
        statements = _merged(
            statements, [_statement(statement) for statement in arguments.get("statements") or []], "own"
        )
        for text in _texts(arguments, "overrideJson", "overridePolicyDocuments"):
            statements = _merged(statements, _statements(text), "override")
        if statements:
            document["Statement"] = statements
        text = json.dumps(document, indent=2, ensure_ascii=False)
        return {
            "id": str(zlib.crc32(text.encode())),
            "json": text,
            "minifiedJson": json.dumps(document, separators=(",", ":"), ensure_ascii=False),
            "version": document["Version"],
        }


def _texts(arguments: Props, one: str, many: str) -> list[str]:
    return [text for text in [arguments.get(one), *(arguments.get(many) or [])] if text]


def _statements(text: str) -> list[Props]:
    try:
        statements = json.loads(text).get("Statement") or []
    except (ValueError, AttributeError) as error:
        raise CloudError(
            f"reading IAM Policy Document: a source or override is not a policy: {error}"
        ) from error
    return [dict(statement) for statement in (statements if isinstance(statements, list) else [statements])]


def _merged(first: list[Props], more: Sequence[Props], kind: str) -> list[Props]:
    """Statements with the same Sid: an override takes the place, two sources with one are an error."""
    result = list(first)
    for statement in more:
        sid = statement.get("Sid")
        place = next(
            (i for i, known_statement in enumerate(result) if sid and known_statement.get("Sid") == sid), None
        )
        if place is None:
            result.append(statement)
        elif kind == "source":
            raise CloudError(f"duplicate Sid ({sid}) in source_policy_documents")
        else:
            result[place] = statement
    return result


def _statement(arguments: Mapping[str, Any]) -> Props:
    statement: Props = {}
    if arguments.get("sid"):
        statement["Sid"] = arguments["sid"]
    statement["Effect"] = arguments.get("effect") or "Allow"
    for name, key in _LISTS:
        if arguments.get(name):
            statement[key] = _one_or_many(arguments[name])
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if arguments.get(name):
            statement[key] = _principals(arguments[name])
    if arguments.get("conditions"):
        statement["Condition"] = _conditions(arguments["conditions"])
    return statement


def _one_or_many(values: Sequence[str]) -> Any:
    # The provider sorts sets downwards, and writes &{...} for IAM's ${...}.
    unique = sorted({value.replace("&{", "${") for value in values}, reverse=True)
    return unique[0] if len(unique) == 1 else unique


def _principals(principals: Sequence[Mapping[str, Any]]) -> Any:
    principals_by_type: dict[str, list[str]] = {}
    for principal in principals:
        principals_by_type.setdefault(principal["type"], []).extend(principal["identifiers"])
    if principals_by_type == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(names) for kind, names in principals_by_type.items()}


def _conditions(conditions: Sequence[Mapping[str, Any]]) -> Props:
    operators: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        values = [value.replace("&{", "${") for value in condition["values"]]
        operators.setdefault(condition["test"], {})[condition["variable"].replace("&{", "${")] = (
            values[0] if len(values) == 1 else values
        )
    return {test: dict(sorted(variables.items())) for test, variables in sorted(operators.items())}


class GetSessionContext(AwsFunction):
    token = "aws:iam/getSessionContext:getSessionContext"
    service = "iam"
    title = "IAM Session Context"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        arn = arguments["arn"]
        session = _SESSION.fullmatch(arn)
        issuer = {"issuerArn": arn, "issuerId": "", "issuerName": "", "sessionName": ""}
        if session:
            # The session's arn lacks the role's path; only IAM knows it.
            role = context.call("iam", "GetRole", {"RoleName": session[3]})["Role"]
            issuer = {"issuerArn": role["Arn"], "issuerId": role["RoleId"]}
            issuer |= {"issuerName": session[3], "sessionName": session[4]}
        return {"id": arn, "arn": arn, **issuer}


class GetRole(AwsFunction):
    token = "aws:iam/getRole:getRole"
    service = "iam"
    title = "IAM Role"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["name"]
        state = Role().read(context, name, {})
        if state is None:
            raise CloudError(f"reading IAM Role ({name}): couldn't find resource: no role of that name")
        wanted = (
            "arn",
            "assumeRolePolicy",
            "createDate",
            "description",
            "maxSessionDuration",
            "path",
            "uniqueId",
        )
        outputs = {key: state[key] for key in wanted if key in state}
        return {
            "id": name,
            "description": "",
            "permissionsBoundary": state.get("permissionsBoundary", ""),
            **outputs,
            "tags": state.get("tagsAll", {}),
            "roleLastUseds": [],
        }


class GetRoles(AwsFunction):
    """The roles of the account, or those whose names match a regular expression (the provider's are RE2)."""

    token = "aws:iam/getRoles:getRoles"
    service = "iam"
    title = "IAM Roles"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        prefix, wanted = arguments.get("pathPrefix"), arguments.get("nameRegex")
        params: Props = {"PathPrefix": prefix} if prefix else {}
        all_roles = context.pages("iam", "ListRoles", params, "Roles")
        roles = [role for role in all_roles if not wanted or re.search(wanted, role["RoleName"])]
        outputs = {name: arguments[name] for name in ("nameRegex", "pathPrefix") if arguments.get(name)}
        reported = {"arns": [role["Arn"] for role in roles], "names": [role["RoleName"] for role in roles]}
        return {**outputs, **reported, "id": context.region}
