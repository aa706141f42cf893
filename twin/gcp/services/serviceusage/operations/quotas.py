"""Service Usage: quotas that a project lowers for itself (consumer overrides)."""

from __future__ import annotations

import base64
import re
from typing import Any, Final
from urllib.parse import quote, unquote

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles

_LIMITS: Final = "serviceusage.services.consumerQuotaMetrics.limits"
_OVERRIDES: Final = f"{_LIMITS}.consumerOverrides"
_NAME: Final = re.compile(
    r"projects/([^/]+)/services/([^/]+)/consumerQuotaMetrics/([^/]+)/limits/([^/]+)(?:/consumerOverrides/([^/]+))?"
)
_KNOWN: Final = {"bigquery.googleapis.com/quota/query/usage": ("/d/project", "/d/project/user")}
"""Limits of services of which all metrics are known here. Source: "Create custom query quotas"."""


def _place(call: Call) -> tuple[str, str, str, str]:
    """(row of the limit, service, metric, limit). Raises 404."""
    text = call.parameters.get("name") or call.parameters["parent"]
    match = _NAME.fullmatch(text)
    if not match:
        raise not_found(f"Quota limit '{text}' not found.")
    service, metric, limit = match[2], unquote(match[3]), unquote(match[4])
    call.need_enabled(service)
    limit = limit if limit.startswith("/") else f"/{limit}"
    whole = metric.startswith(f"{service}/")
    if not whole or (service == "bigquery.googleapis.com" and limit not in _KNOWN.get(metric, ())):
        raise not_found(f"Quota limit '{limit}' of metric '{metric}' not found.")
    home = f"serviceusage/projects/{call.project}/services/{service}/consumerQuotaMetrics"
    row = f"{home}/{quote(metric, safe='')}/limits/{quote(limit, safe='')}"
    return row, service, metric, limit


def _value(call: Call) -> str:
    value = str(call.body.get("overrideValue") or "0")
    if not re.fullmatch(r"-1|\d+", value):
        raise invalid(f"override_value must be a whole number from 0, or -1 for no limit, got {value}.")
    if value != "-1" and not (call.parameters.get("force") or call.parameters.get("forceOnly")):
        raise precondition(
            "The override would decrease the effective quota by more than 10%. Set force to override "
            "the check."
        )
    return value


def _done(call: Call, body: Body, kind: str) -> Body:
    name = operations.new_name(call.project_number).replace("/acf.", "/quf.")
    return operations.long_running(call, name, body, kind=kind)


def _written(call: Call, row: str, override: Body) -> Body:
    representation = _with_project_number(call, row, call.state.put(row, override))
    return _done(call, representation, "google.api.serviceusage.v1beta1.QuotaOverride")


def _with_project_number(call: Call, row: str, body: Body) -> Body:
    place = row.partition("/projects/")[2].partition("/")[2]
    return {**body, "name": f"projects/{call.project_number}/{place}"}


@handles(f"{_OVERRIDES}.create")
def create(call: Call) -> dict[str, Any]:
    """An override of a limit."""
    limit, _, metric, unit = _place(call)
    value = _value(call)
    dimensions = call.body.get("dimensions") or {}
    for _, body in call.state.of("serviceusage.consumerOverrides", f"{limit}/consumerOverrides/"):
        if (body.get("dimensions") or {}) == dimensions:
            raise exists("An override of this limit with these dimensions already exists.")
    seed = f"override-{quote(unit, safe='')}-{len(dimensions)}"
    row = f"{limit}/consumerOverrides/{base64.urlsafe_b64encode(seed.encode()).decode().rstrip('=')[:24]}"
    override: Body = {"overrideValue": value, "metric": metric, "unit": f"1{unit}"}
    if dimensions:
        override["dimensions"] = dimensions
    return _written(call, row, override)


def _override(call: Call) -> tuple[str, Body]:
    limit, *_ = _place(call)
    row = f"{limit}/consumerOverrides/{call.parameters['name'].rpartition('/')[2]}"
    return row, call.need(row, "The quota override was not found.")


@handles(f"{_OVERRIDES}.patch")
def patch(call: Call) -> dict[str, Any]:
    """Another value."""
    row, body = _override(call)
    override = {**body, "overrideValue": _value(call)}
    return _written(call, row, override)


@handles(f"{_OVERRIDES}.delete")
def delete(call: Call) -> dict[str, Any]:
    """The default holds again."""
    row, _ = _override(call)
    call.state.delete(row)
    return _done(call, {}, "google.protobuf.Empty")


@handles(f"{_OVERRIDES}.list")
def listing(call: Call) -> dict[str, Any]:
    """The overrides of a limit."""
    limit, *_ = _place(call)
    overrides = call.state.of("serviceusage.consumerOverrides", f"{limit}/consumerOverrides/")
    return generic.page(call, [_with_project_number(call, row, body) for row, body in overrides], "overrides")
