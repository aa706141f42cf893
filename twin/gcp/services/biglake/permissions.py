"""Access to what is in an Iceberg REST catalog, and credentials for tables' files that the catalog hands out.

A catalog that vends credentials gives a caller a token of the service account, cut down to the files of
one table, for reading or for writing too. For a table with policies of columns or rows it refuses that to
a caller that does not see all of it. Sources: "Manage Lakehouse Iceberg REST ACLs", "Credential vending
overview", "Row-level and column-level security" of Google Cloud Lakehouse; Iceberg REST catalog
specification, LoadTableResult.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, denied
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body

DOWNSCOPED: Final = "downscoped:"
"""Begins the principal of a token that is cut down: then JSON of member, bucket, folder and write."""
_ASKED: Final = "vended-credentials"
_HOUR: Final = 3600
_NEEDED: Final[Mapping[str, str]] = services.tables("biglake")["needed"]
_READS: Final = frozenset({"storage.objects.get", "storage.objects.list"})
_WRITES: Final = _READS | {"storage.objects.create", "storage.objects.delete"}


def authorize(call: Call) -> None:
    """Refuse who has not the permission on the project, the catalog, the namespace or the table."""
    group, _, word = call.method.id.rpartition(".")
    permission = _NEEDED.get(call.method.id)
    if permission is None:
        permission = f"biglake.{group.rpartition('.')[2]}.{ {'patch': 'update'}.get(word, word) }"
    if not _may(call, call.principal, permission):
        raise _denied(permission, call)
    counted = call.headers.get("x-goog-user-project")
    if counted and not call.server.identity.allowed(call.principal, "serviceusage.services.use"):
        raise denied(
            f"Caller does not have required permission to use project {call.project}. Grant the caller the "
            "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
            "serviceusage.services.use permission."
        )


def _may(call: Call, principal: str, permission: str) -> bool:
    if principal == call.server.identity.deployer:
        return True
    return any(call.server.identity.allowed(principal, permission, holder) for holder in ("", *_around(call)))


def _around(call: Call) -> list[str]:
    """The rows of what a call is about, and of what contains it."""
    catalog = call.parameters.get("catalog")
    if catalog is None:
        catalog = str(call.parameters.get("warehouse") or "").rstrip("/").rpartition("/")[2]
    rows = [f"biglake/projects/{call.project}/catalogs/{catalog}"]
    for key, collection in (("namespace", "namespaces"), ("table", "tables")):
        if call.parameters.get(key):
            rows.append(f"{rows[-1]}/{collection}/{unquote(str(call.parameters[key]))}")
    return rows


def _denied(permission: str, call: Call) -> GoogleError:
    what = _around(call)[-1].removeprefix("biglake/")
    return denied(
        f"Permission '{permission}' denied on resource '//biglake.googleapis.com/{what}' (or it may "
        "not exist)."
    )


def vended(call: Call, catalog: Body, row: str, body: Body) -> Body:
    """What a client needs for a table's files, next to its metadata; nothing where it did not ask. Raises
    403."""
    if catalog["credential-mode"] != "CREDENTIAL_MODE_VENDED_CREDENTIALS" or _ASKED not in call.headers.get(
        "x-iceberg-access-delegation", ""
    ):
        return {"config": {}}
    if not _may(call, call.principal, "biglake.tables.getData"):
        raise _denied("biglake.tables.getData", call)
    hidden = _hidden(call, row)
    if hidden:
        raise denied(
            f"Credential vending is not allowed for the table {row.partition('/')[2]}: it has fine-grained "
            f"access control, and {call.principal.partition(':')[2]} has no unrestricted access to {hidden}."
        )
    bucket, _, folder = body["metadata"]["location"].removeprefix("gs://").partition("/")
    cut = {
        "member": f"serviceAccount:{catalog['biglake-service-account']}",
        "bucket": bucket,
        "folder": f"{folder}/",
        "write": _may(call, call.principal, "biglake.tables.updateData"),
    }
    token = call.server.identity.token(DOWNSCOPED + json.dumps(cut, sort_keys=True))
    config = {
        "gcs.oauth2.token": token,
        "gcs.oauth2.token-expires-at": str(int((call.at + _HOUR) * 1000)),
    }
    prefix = f"{body['metadata']['location']}/"
    return {"config": config, "storage-credentials": [{"prefix": prefix, "config": config}]}


def _hidden(call: Call, row: str) -> str:
    """What of a table a caller does not see: a column's name, `all rows`, or nothing."""
    internal = call.state.internal(row)
    kind, _, email = call.principal.partition(":")
    grantee = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"
    for column, names in (internal.get("policies") or {}).items():
        policies = [call.state.get(f"bigquerydatapolicy/{name}") or {} for name in names]
        raw = [policy for policy in policies if policy.get("dataPolicyType") == "RAW_DATA_ACCESS_POLICY"]
        if names and not any(grantee in (policy.get("grantees") or []) for policy in raw):
            return f"column {column}"
    rows: dict[str, Body] = internal.get("rows") or {}
    whole = [
        row_policy
        for row_policy in rows.values()
        if row_policy["filterPredicate"].strip().strip("()").upper() == "TRUE"
    ]
    if rows and not any(f"{kind}:{email}" in row_policy["grantees"] for row_policy in whole):
        return "all rows"
    return ""


def authorize_files(call: Call) -> None:
    """Refuse what a token that is cut down does not reach."""
    cut: dict[str, Any] = json.loads(call.principal.removeprefix(DOWNSCOPED))
    _, group, word = f"..{call.method.id}".rsplit(".", 2)
    permission = f"{call.method.api}.{group}.{ {'insert': 'create'}.get(word, word) }"
    name = unquote(
        str(call.parameters.get("object") or call.parameters.get("name") or call.body.get("name") or "")
    )
    if word == "list":
        name = str(call.parameters.get("prefix") or "")
    reached = call.parameters.get("bucket") == cut["bucket"] and name.startswith(cut["folder"].rstrip("/"))
    there = permission in (_WRITES if cut["write"] else _READS)
    holder = f"storage/b/{cut['bucket']}"
    if reached and there and call.server.identity.allowed(cut["member"], permission, holder):
        return
    raise denied(
        f"{cut['member'].partition(':')[2]} does not have {permission} access to the Google Cloud Storage "
        f"object. Permission '{permission}' denied on resource (or it may not exist)."
    )
