"""BigQuery Connection: by which accounts BigQuery reaches what is not its own."""

from __future__ import annotations

import secrets
from typing import Final

from twin.gcp.api_server import initial_state
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import serve

_KINDS: Final = ("cloudSql", "aws", "azure", "cloudSpanner", "cloudResource", "spark", "configuration")
_DOMAIN: Final = "gcp-sa-bigquery-condel.iam.gserviceaccount.com"


def _prepare(call: Call, connection: Body) -> None:
    kinds = [name for name in _KINDS if name in connection]
    if len(kinds) != 1:
        raise invalid(f"Exactly one of {', '.join(_KINDS)} must be set, got {kinds or 'none'}.")
    kind = kinds[0]
    if kind not in ("cloudResource", "cloudSql", "spark", "cloudSpanner"):
        raise NotImplementedError(f"BigQuery connections of kind {kind}")
    if kind != "cloudSpanner":
        email = f"bqcx-{call.project_number}-{secrets.token_hex(2)}@{_DOMAIN}"
        initial_state.agent(call.state, call.project, email, "BigQuery Connection Delegation Service Agent")
        connection[kind] = {**connection[kind], "serviceAccountId": email}
    if kind == "cloudSql":
        connection[kind].pop("credential", None)
        connection["hasCredential"] = True
    now = str(int(call.at * 1000))
    connection |= {"creationTime": now, "lastModifiedTime": now}


def _renew(call: Call, before: Body, after: Body) -> None:
    for kind in _KINDS:
        if (kind in before) != (kind in after):
            raise invalid("The type of a connection cannot be changed.")
        account_id = (before.get(kind) or {}).get("serviceAccountId")
        if account_id:
            after[kind] = {**after[kind], "serviceAccountId": account_id}
    after["lastModifiedTime"] = str(int(call.at * 1000))


serve("bigqueryconnection.projects.locations.connections", prepare=_prepare, renew=_renew)
