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
            statements, [_statement(each) for each in arguments.get("statements") or []], "own"
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
        found = json.loads(text).get("Statement") or []
    except (ValueError, AttributeError) as error:
        raise CloudError(
            f"reading IAM Policy Document: a source or override is not a policy: {error}"
        ) from error
    return [dict(each) for each in (found if isinstance(found, list) else [found])]


def _merged(first: list[Props], more: Sequence[Props], kind: str) -> list[Props]:
    """Statements with the same Sid: an override takes the place, two sources with one are an error."""
    result = list(first)
    for statement in more:
        sid = statement.get("Sid")
        place = next((i for i, each in enumerate(result) if sid and each.get("Sid") == sid), None)
        if place is None:
            result.append(statement)
        elif kind == "source":
            raise CloudError(f"duplicate Sid ({sid}) in source_policy_documents")
        else:
            result[place] = statement
    return result


def _statement(given: Mapping[str, Any]) -> Props:
    made: Props = {}
    if given.get("sid"):
        made["Sid"] = given["sid"]
    made["Effect"] = given.get("effect") or "Allow"
    for name, key in _LISTS[:2]:
        if given.get(name):
            made[key] = _one_or_many(given[name])
    for name, key in _LISTS[2:]:
        if given.get(name):
            made[key] = _one_or_many(given[name])
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(name):
            made[key] = _principals(given[name])
    if given.get("conditions"):
        made["Condition"] = _conditions(given["conditions"])
    return made


def _one_or_many(values: Sequence[str]) -> Any:
    # The provider sorts sets downwards, and writes &{...} for IAM's ${...}.
    unique = sorted({value.replace("&{", "${") for value in values}, reverse=True)
    return unique[0] if len(unique) == 1 else unique


def _principals(given: Sequence[Mapping[str, Any]]) -> Any:
    found: dict[str, list[str]] = {}
    for each in given:
        found.setdefault(each["type"], []).extend(each["identifiers"])
    if found == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(names) for kind, names in found.items()}


def _conditions(given: Sequence[Mapping[str, Any]]) -> Props:
    made: dict[str, dict[str, Any]] = {}
    for each in given:
        values = [value.replace("&{", "${") for value in each["values"]]
        made.setdefault(each["test"], {})[each["variable"].replace("&{", "${")] = (
            values[0] if len(values) == 1 else values
        )
    return {test: dict(sorted(variables.items())) for test, variables in sorted(made.items())}


class GetSessionContext(AwsFunction):
    token = "aws:iam/getSessionContext:getSessionContext"
    service = "iam"
    title = "IAM Session Context"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        arn = arguments["arn"]
        session = _SESSION.fullmatch(arn)
        if not session:
            return {
                "id": arn,
                "arn": arn,
                "issuerArn": arn,
                "issuerId": "",
                "issuerName": "",
                "sessionName": "",
            }
        name = session[3]
        # The session's arn lacks the role's path; only IAM knows it.
        role = context.call("iam", "GetRole", {"RoleName": name})["Role"]
        return {
            "id": arn,
            "arn": arn,
            "issuerArn": role["Arn"],
            "issuerId": role["RoleId"],
            "issuerName": name,
            "sessionName": session[4],
        }


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
        found = {key: state[key] for key in wanted if key in state}
        return {
            "id": name,
            "description": "",
            "permissionsBoundary": state.get("permissionsBoundary", ""),
            **found,
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
        asked: Props = {"PathPrefix": prefix} if prefix else {}
        found: list[Props] = []
        while True:
            answer = context.call("iam", "ListRoles", asked)
            found += answer["Roles"]
            if not answer.get("IsTruncated"):
                break
            asked = {**asked, "Marker": answer["Marker"]}
        roles = [each for each in found if not wanted or re.search(wanted, each["RoleName"])]
        kept = {name: arguments[name] for name in ("nameRegex", "pathPrefix") if arguments.get(name)}
        reported = {"arns": [each["Arn"] for each in roles], "names": [each["RoleName"] for each in roles]}
        return {**kept, **reported, "id": context.region}
