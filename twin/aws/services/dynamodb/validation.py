"""DynamoDB: names, keys, time to live; and what moto forgets of a table.

Sources: the API Reference of CreateTable, UpdateTable and UpdateTimeToLive; "Naming rules" and
"Quotas in Amazon DynamoDB" in the Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from twin.aws.api_server.request import Answer, Call
from twin.aws.validation import stated
from twin.aws.validation.moto_state import absent

Params = dict[str, Any]

_MORE: Final = ("TableClass", "OnDemandThroughput")


RULES: Final = stated.rules(__name__, {"PutResourcePolicy": absent("policies of tables")})


# Operations


def install() -> None:
    """Let moto report of a table what it was given, once."""
    from moto.dynamodb.models.table import Table

    kind: Any = Table
    if hasattr(kind, "twin_describe"):
        return
    kind.twin_init, kind.__init__ = kind.__init__, _init
    kind.twin_describe, kind.describe = kind.describe, _describe
    kind.twin_key, kind._get_default_encryption_key = kind._get_default_encryption_key, _own_key


class _CreateTableCall:
    """What CreateTable is asked for at this moment; one call is made at a time."""

    params: ClassVar[Params] = {}


def _init(self: Any, table_name: str, *arguments: Any, **options: Any) -> None:
    self.twin_init(table_name, *arguments, **options)
    note(self, _CreateTableCall.params if _CreateTableCall.params.get("TableName") == table_name else {})


def _own_key(self: Any, account_id: str, region: str) -> str:
    """The key for tables of no other key is AWS's own."""
    from moto.kms.models import kms_backends

    arn: str = self.twin_key(account_id, region)
    kms_backends[account_id][region].describe_key(arn).key_manager = "AWS"
    return arn


def _describe(self: Any, base_key: str = "TableDescription") -> Params:
    reported: Params = self.twin_describe(base_key)
    more: Params = getattr(self, "twin_more", {})
    if more.get("TableClass"):
        reported[base_key]["TableClassSummary"] = {"TableClass": more["TableClass"]}
    if more.get("OnDemandThroughput"):
        reported[base_key]["OnDemandThroughput"] = more["OnDemandThroughput"]
    return reported


def make(call: Call, _: Any) -> Answer | None:
    """CreateTable: moto makes it; what it forgets is noted next to."""
    install()
    _CreateTableCall.params = call.params
    return None


def change(call: Call, backend: Any) -> Answer | None:
    """UpdateTable: encryption, class and limits, which moto leaves as they were."""
    install()
    table = backend.tables[str(call.params["TableName"]).rpartition("table/")[2]]
    wanted = call.params.get("SSESpecification")
    if wanted is not None and not wanted.get("Enabled"):
        table.sse_specification = None
    elif wanted is not None:
        named = wanted.get("KMSMasterKeyId")
        default_key = (
            None if named else table._get_default_encryption_key(table.account_id, table.region_name)
        )
        table.sse_specification = {**wanted, "SSEType": "KMS", "KMSMasterKeyId": named or default_key}
    note(table, call.params)
    return None


def note(table: Any, params: Params) -> None:
    """Keep what moto does not."""
    more = {name: params[name] for name in _MORE if params.get(name)}
    if more:
        table.twin_more = {**getattr(table, "twin_more", {}), **more}


def drop(call: Call, backend: Any) -> Answer | None:
    """DeleteTable: its policies go along."""
    table = backend.tables.get(str(call.params["TableName"]).rpartition("table/")[2])
    if table is not None and not table.deletion_protection_enabled:
        backend.resource_policies.pop(table.table_arn, None)
    return None


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateTable": make,
    "UpdateTable": change,
    "DescribeTable": _mended,
    "DeleteTable": drop,
}
