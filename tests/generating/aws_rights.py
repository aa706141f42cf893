"""docs/security-roles-aws.md: what each role of a lakehouse on AWS may do with bytes, from its registration.

A role that reaches more than before, or a new role, changes this page, which shows in a review.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from tests.components.aiplatform.lakehouse.example import ANALYSTS, EVENTS, ORDERS, SUPPORT, lakehouse
from tests.components.recording import ACCOUNT, REGION, Recording
from tests.generating.tables import code, page, table

ROLE: Final = "aws:iam/role:Role"
POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
MANAGED: Final = "aws:iam/policy:Policy"
ATTACHED: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
PERMISSIONS: Final = "aws:lakeformation/permissions:Permissions"
_ALL: Final = ["public", "internal", "pii"]
_GRANTS: Final[list[dict[str, Any]]] = [
    {"name": "analysts", "principal": ANALYSTS, "actions": ["read"], "zones": ["curated", "serving"]},
    {
        "name": "support",
        "principal": SUPPORT,
        "actions": ["read"],
        "tables": ["curated.orders"],
        "classifications": _ALL,
    },
    {"name": "clicks", "principal": f"{ANALYSTS}-web", "actions": ["write"], "tables": ["raw.events"]},
]
_READ: Final = ("s3:GetObject", "s3tables:GetTableData")
_WRITE: Final = ("s3:PutObject", "s3tables:PutTableData")
_RESULTS: Final = ("athena:GetQueryResults", "athena:GetQueryResultsStream")


def sample() -> Recording:
    """Return the recording of a lakehouse with every part that has a role."""
    quality = {"rules": [{"rule": "complete", "column": "id"}], "schedule": "0 6 * * *"}
    return lakehouse(
        tables=[{**ORDERS, "quality": quality}, EVENTS],
        grants=_GRANTS,
        streams=[{"name": "clicks", "table": "raw.events"}],
        captures=[
            {
                "name": "shop",
                "engine": "postgresql",
                "database": "shop",
                "secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-AbCdEf",
                "tables": ["public.%"],
            }
        ],
        batches=[{"name": "load", "script": "s3://acme-scripts/load.py"}],
        network={"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": ["subnet-a", "subnet-b"]},
    )


def statements(recording: Recording) -> dict[str, list[Mapping[str, Any]]]:
    """Return the statements of the policies of each role, by its name."""
    by_role: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for policy in recording.all(POLICY):
        by_role[str(policy.inputs["role"])] += json.loads(policy.inputs["policy"])["Statement"]
    managed = {policy.state["arn"]: policy.inputs["policy"] for policy in recording.all(MANAGED)}
    for attached in recording.all(ATTACHED):
        by_role[str(attached.inputs["role"])] += json.loads(managed[attached.inputs["policyArn"]])[
            "Statement"
        ]
    return by_role


def _short(arn: str) -> str:
    """Return an ARN without the parts that all have in common."""
    last = arn.removeprefix("arn:aws:s3:::").split(f":{ACCOUNT}:")[-1]
    return last.replace(f"-{ACCOUNT}", "").replace("acme-dev", "{prefix}")


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _on(statements: Iterable[Mapping[str, Any]], actions: Sequence[str]) -> list[str]:
    """Return the resources on which statements allow any of these actions."""
    arns = [
        _short(arn)
        for statement in statements
        if set(_as_list(statement["Action"])) & set(actions)
        for arn in _as_list(statement["Resource"])
    ]
    return list(dict.fromkeys(arns))


def _objects(statements: Sequence[Mapping[str, Any]]) -> str:
    read, write = _on(statements, _READ), _on(statements, _WRITE)
    both = [arn for arn in read if arn in write]
    parts = {
        "reads and writes": both,
        "reads": [arn for arn in read if arn not in both],
        "writes": [arn for arn in write if arn not in both],
    }
    return "; ".join(f"{word} {', '.join(map(code, arns))}" for word, arns in parts.items() if arns)


def _key(statements: Iterable[Mapping[str, Any]]) -> str:
    words: list[str] = []
    for statement in statements:
        if "kms:Decrypt" not in _as_list(statement["Action"]):
            continue
        condition: Mapping[str, Mapping[str, Any]] = statement.get("Condition") or {}
        conditions = [
            f"{key.rpartition(':')[2]} {code(_short(str(value)))}"
            for operator in condition.values()
            for key, value in operator.items()
        ]
        words.append("with " + " and ".join(conditions) if conditions else "yes")
    return "; ".join(dict.fromkeys(words))


def _trusted(role: Any) -> str:
    """Return the principals that may assume a role."""
    words: list[str] = []
    for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]:
        principal = statement["Principal"]
        named: Mapping[str, Any] = statement.get("Condition", {}).get("ArnEquals", {})
        words += _as_list(principal.get("Service", []))
        words += [_short(arn) for arn in named.get("aws:PrincipalArn", [])]
    return ", ".join(map(code, dict.fromkeys(words)))


def _granted(recording: Recording, arn: str) -> str:
    """Return the Lake Formation grants that allow to read or change rows."""
    targets: dict[str, list[str]] = defaultdict(list)
    for permission in recording.all(PERMISSIONS):
        rights = [right for right in permission.inputs["permissions"] if right != "DESCRIBE"]
        if permission.inputs["principal"] == arn and rights:
            targets[" ".join(rights)].append(_target(recording, permission.inputs))
    return "; ".join(f"{code(rights)} on {', '.join(dict.fromkeys(on))}" for rights, on in targets.items())


def _target(recording: Recording, inputs: Mapping[str, Any]) -> str:
    if "lfTagPolicy" in inputs:
        tags = {
            expression["key"].rpartition("-")[2]: expression["values"]
            for expression in inputs["lfTagPolicy"]["expressions"]
        }
        return f"{' and '.join(tags['classification'])} of {' and '.join(tags['zone'])}"
    if "tableWithColumns" in inputs:
        columns = inputs["tableWithColumns"]
        return f"{code(columns['name'])}: {', '.join(columns['columnNames'])}"
    if "dataLocation" in inputs:
        arn = str(inputs["dataLocation"]["arn"])
        for bucket in recording.all("aws:s3/bucket:Bucket"):
            arn = arn.replace(str(bucket.state["arn"]), str(bucket.inputs["bucket"]))
        return code(_short(arn))
    if "table" in inputs:
        named = inputs["table"]
        database = named["databaseName"].rpartition("_")[2]
        return f"every table of {database}" if named.get("wildcard") else code(f"{database}.{named['name']}")
    return "the catalog"


def _rows(recording: Recording) -> Iterator[tuple[str, ...]]:
    by_role = statements(recording)
    for role in recording.all(ROLE):
        allowed = by_role.get(str(role.state["name"]), [])
        yield (
            code(role.name.removeprefix("lake-")),
            _trusted(role),
            _objects(allowed),
            _key(allowed),
            ", ".join(map(code, _on(allowed, _RESULTS))),
            _granted(recording, str(role.state["arn"])),
        )
    for grant in _GRANTS:
        arn = str(grant["principal"])
        allowed = by_role.get(arn.rpartition("/")[2], [])
        yield (
            f"grant {code(grant['name'])}",
            "its own trust policy",
            _objects(allowed),
            _key(allowed),
            ", ".join(map(code, _on(allowed, _RESULTS))),
            _granted(recording, arn),
        )


def _denied(recording: Recording) -> Iterator[tuple[str, ...]]:
    names = {str(role.state["arn"]): role.name.removeprefix("lake-") for role in recording.all(ROLE)}
    for policy in recording.all("aws:s3/bucketPolicy:BucketPolicy"):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            among = statement.get("Condition", {}).get("ArnNotEquals", {}).get("aws:PrincipalArn")
            if among:
                yield (
                    code(_short(statement["Resource"])),
                    ", ".join(_as_list(statement["Action"])),
                    ", ".join(code(names.get(arn, "the deployer")) for arn in among),
                )


def text() -> str:
    """Return the page."""
    recording = sample()
    return page(
        "# Roles of a lakehouse on AWS, and the bytes that they reach",
        "From what the component registers for a lakehouse with every part that has a role: a stream, a "
        "capture, a batch, rules on a schedule, a grant without `pii` (`analysts`), one with it (`support`) "
        "and one that writes (`clicks`). `{prefix}-...` are buckets without their account. The controls of "
        "each path are in [security](security.md#aws).",
        "## Roles",
        table(
            ["role", "assumed by", "objects", "decrypts by the key", "results of", "Lake Formation"],
            _rows(recording),
        ),
        "## Objects that are denied to all others",
        "Whatever IAM allows them.",
        table(["objects", "actions", "all but"], _denied(recording)),
    )
