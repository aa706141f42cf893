"""docs/security-roles-aws.md: what each role of a lakehouse on AWS may do with bytes, from its registration.

A role that comes to reach more, or a new one, changes this page, and so is seen in review.
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
    """A lakehouse with every part that has a role."""
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


def statements(made: Recording) -> dict[str, list[Mapping[str, Any]]]:
    """The statements of inline policies, by the name of their role."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for policy in made.all(POLICY):
        found[str(policy.inputs["role"])] += json.loads(policy.inputs["policy"])["Statement"]
    managed = {each.state["arn"]: each.inputs["policy"] for each in made.all(MANAGED)}
    for attached in made.all(ATTACHED):
        found[str(attached.inputs["role"])] += json.loads(managed[attached.inputs["policyArn"]])["Statement"]
    return found


def _short(arn: str) -> str:
    """An arn without what is the same for all."""
    last = arn.removeprefix("arn:aws:s3:::").split(f":{ACCOUNT}:")[-1]
    return last.replace(f"-{ACCOUNT}", "").replace("acme-dev", "{prefix}")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _on(found: Iterable[Mapping[str, Any]], actions: Sequence[str]) -> list[str]:
    """What statements allow any of these actions on."""
    arns = [
        _short(arn)
        for each in found
        if set(_listed(each["Action"])) & set(actions)
        for arn in _listed(each["Resource"])
    ]
    return list(dict.fromkeys(arns))


def _objects(found: Sequence[Mapping[str, Any]]) -> str:
    read, write = _on(found, _READ), _on(found, _WRITE)
    both = [each for each in read if each in write]
    parts = {
        "reads and writes": both,
        "reads": [each for each in read if each not in both],
        "writes": [each for each in write if each not in both],
    }
    return "; ".join(f"{word} {', '.join(map(code, arns))}" for word, arns in parts.items() if arns)


def _key(found: Iterable[Mapping[str, Any]]) -> str:
    words: list[str] = []
    for each in found:
        if "kms:Decrypt" not in _listed(each["Action"]):
            continue
        condition: Mapping[str, Mapping[str, Any]] = each.get("Condition") or {}
        asked = [
            f"{key.rpartition(':')[2]} {code(_short(str(value)))}"
            for operator in condition.values()
            for key, value in operator.items()
        ]
        words.append("with " + " and ".join(asked) if asked else "yes")
    return "; ".join(dict.fromkeys(words))


def _trusted(role: Any) -> str:
    """Who may assume a role."""
    words: list[str] = []
    for each in json.loads(role.inputs["assumeRolePolicy"])["Statement"]:
        principal = each["Principal"]
        named: Mapping[str, Any] = each.get("Condition", {}).get("ArnEquals", {})
        words += _listed(principal.get("Service", []))
        words += [_short(arn) for arn in named.get("aws:PrincipalArn", [])]
    return ", ".join(map(code, dict.fromkeys(words)))


def _granted(made: Recording, arn: str) -> str:
    """What of tables Lake Formation grants that reads or changes rows."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in made.all(PERMISSIONS):
        rights = [right for right in each.inputs["permissions"] if right != "DESCRIBE"]
        if each.inputs["principal"] == arn and rights:
            found[" ".join(rights)].append(_target(made, each.inputs))
    return "; ".join(f"{code(rights)} on {', '.join(dict.fromkeys(on))}" for rights, on in found.items())


def _target(made: Recording, inputs: Mapping[str, Any]) -> str:
    if "lfTagPolicy" in inputs:
        tags = {
            each["key"].rpartition("-")[2]: each["values"] for each in inputs["lfTagPolicy"]["expressions"]
        }
        return f"{' and '.join(tags['classification'])} of {' and '.join(tags['zone'])}"
    if "tableWithColumns" in inputs:
        columns = inputs["tableWithColumns"]
        return f"{code(columns['name'])}: {', '.join(columns['columnNames'])}"
    if "dataLocation" in inputs:
        arn = str(inputs["dataLocation"]["arn"])
        for bucket in made.all("aws:s3/bucket:Bucket"):
            arn = arn.replace(str(bucket.state["arn"]), str(bucket.inputs["bucket"]))
        return code(_short(arn))
    if "table" in inputs:
        named = inputs["table"]
        database = named["databaseName"].rpartition("_")[2]
        return f"every table of {database}" if named.get("wildcard") else code(f"{database}.{named['name']}")
    return "the catalog"


def _rows(made: Recording) -> Iterator[tuple[str, ...]]:
    given = statements(made)
    for role in made.all(ROLE):
        found = given.get(str(role.state["name"]), [])
        yield (
            code(role.name.removeprefix("lake-")),
            _trusted(role),
            _objects(found),
            _key(found),
            ", ".join(map(code, _on(found, _RESULTS))),
            _granted(made, str(role.state["arn"])),
        )
    for grant in _GRANTS:
        arn = str(grant["principal"])
        found = given.get(arn.rpartition("/")[2], [])
        yield (
            f"grant {code(grant['name'])}",
            "its own trust policy",
            _objects(found),
            _key(found),
            ", ".join(map(code, _on(found, _RESULTS))),
            _granted(made, arn),
        )


def _denied(made: Recording) -> Iterator[tuple[str, ...]]:
    names = {str(role.state["arn"]): role.name.removeprefix("lake-") for role in made.all(ROLE)}
    for policy in made.all("aws:s3/bucketPolicy:BucketPolicy"):
        for each in json.loads(policy.inputs["policy"])["Statement"]:
            among = each.get("Condition", {}).get("ArnNotEquals", {}).get("aws:PrincipalArn")
            if among:
                yield (
                    code(_short(each["Resource"])),
                    ", ".join(_listed(each["Action"])),
                    ", ".join(code(names.get(arn, "the deployer")) for arn in among),
                )


def text() -> str:
    """The page."""
    made = sample()
    return page(
        "# Roles of a lakehouse on AWS, and the bytes that they reach",
        "From what the component registers for a lakehouse with every part that has a role: a stream, a "
        "capture, a batch, rules on a schedule, a grant without `pii` (`analysts`), one with it (`support`) "
        "and one that writes (`clicks`). `{prefix}-...` are buckets without their account. The controls of "
        "each path are in [security](security.md#aws).",
        "## Roles",
        table(
            ["role", "assumed by", "objects", "decrypts by the key", "results of", "Lake Formation"],
            _rows(made),
        ),
        "## Objects that are denied to all others",
        "Whatever IAM allows them.",
        table(["objects", "actions", "all but"], _denied(made)),
    )
