"""Dataplex: data scans. None of them is run here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import cron
from twin.gcp.methods.standard_methods import serve

_SPECS: Final[Mapping[str, str]] = services.tables("dataplex")["specs"]
_EXPECTATIONS: Final[Mapping[str, bool]] = services.tables("dataplex")["expectations"]
_DIMENSION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,29}")
_BIGQUERY: Final = re.compile(r"//bigquery\.googleapis\.com/(projects/([^/]+)/datasets/([^/]+)/tables/[^/]+)")
_BIGLAKE: Final = re.compile(
    r"//biglake\.googleapis\.com/(projects/([^/]+)/catalogs/([^/]+)/namespaces/[^/]+/tables/[^/]+)"
)
_NO_THRESHOLD: Final = frozenset({"statisticRangeExpectation", "tableConditionExpectation", "sqlAssertion"})


def _prepare(call: Call, scan: Body) -> None:
    kinds = [spec for spec in _SPECS if spec in scan]
    if len(kinds) != 1:
        raise invalid(f"Exactly one of {', '.join(_SPECS)} must be set, got {kinds or 'none'}.")
    scan["type"], scan["state"] = _SPECS[kinds[0]], "ACTIVE"
    scan.setdefault("executionSpec", {}).setdefault("trigger", {"onDemand": {}})
    scan["executionStatus"] = {}
    _columns(call, scan)


def _columns(call: Call, scan: Body) -> set[str]:
    """The columns of what is scanned. Raises 400 and 404."""
    data = scan.get("data") or {}
    resource = str(data.get("resource") or data.get("entity") or "")
    place = scan["name"].split("/")[3]
    match = _BIGQUERY.fullmatch(resource)
    if match:
        body = call.state.get(f"bigquery/{match[1]}")
        if body is None:
            raise not_found(f"The resource {resource} was not found.")
        where = body["location"].lower()
        columns = {field["name"].lower() for field in (body.get("schema") or {}).get("fields") or []}
    else:
        match = _BIGLAKE.fullmatch(resource)
        body = call.state.get(f"biglake/{match[1]}") if match else None
        if match is None:
            raise invalid(
                f"Invalid data.resource '{resource}': "
                "//bigquery.googleapis.com/projects/P/datasets/D/tables/T "
                "is right."
            )
        if body is None:
            raise not_found(f"The resource {resource} was not found.")
        metadata = body["metadata"]
        now = metadata["current-schema-id"]
        schema = next(
            known_schema for known_schema in metadata["schemas"] if known_schema["schema-id"] == now
        )
        columns = {field["name"].lower() for field in schema["fields"]}
        holder = call.state.get(f"biglake/projects/{match[2]}/catalogs/{match[3]}") or {}
        where = (holder.get("replicas") or [{}])[0].get("region", place)
    if where not in (place, "us", "eu"):
        raise invalid(f"The data is in {where}, the scan in {place}: they must be in the same location.")
    return columns


def _check(call: Call, scan: Body) -> None:
    trigger: dict[str, Any] = scan["executionSpec"].get("trigger") or {}
    if "schedule" in trigger:
        cron.check(
            str(trigger["schedule"].get("cron") or ""), "execution_spec.trigger.schedule.cron", zone=True
        )
    quality = scan.get("dataQualitySpec")
    if quality is None:
        return
    rules = quality.get("rules") or []
    if not rules and not quality.get("catalogPublishingEnabled"):
        raise invalid("data_quality_spec.rules must not be empty.")
    columns = _columns(call, scan)
    for index, rule in enumerate(rules):
        _check_rule(rule, f"data_quality_spec.rules[{index}]", columns)


def _check_rule(rule: Body, where: str, columns: set[str]) -> None:
    kinds = [expectation for expectation in _EXPECTATIONS if expectation in rule]
    if len(kinds) != 1:
        raise invalid(f"{where} needs exactly one expectation, got {kinds or 'none'}.")
    kind = kinds[0]
    column = rule.get("column")
    if _EXPECTATIONS[kind] and not column:
        raise invalid(f"{where}.column must be set for {kind}.")
    if column and str(column).lower() not in columns:
        raise invalid(f"{where}.column: the column {column} is not in the table.")
    if not _DIMENSION.fullmatch(str(rule.get("dimension") or "")):
        raise invalid(
            f"{where}.dimension '{rule.get('dimension', '')}' must be set, with at most 30 characters."
        )
    threshold = rule.get("threshold")
    if threshold is not None and (kind in _NO_THRESHOLD or not 0 <= float(threshold) <= 1):
        raise invalid(
            f"{where}.threshold must be from 0.0 to 1.0, and none for {', '.join(sorted(_NO_THRESHOLD))}."
        )
    _check_expectation(kind, rule[kind], where)


def _check_expectation(kind: str, said: Body, where: str) -> None:
    if kind == "setExpectation" and not said.get("values"):
        raise invalid(f"{where}.set_expectation.values must not be empty.")
    if kind == "rangeExpectation" and not (said.get("minValue") or said.get("maxValue")):
        raise invalid(f"{where}.range_expectation needs min_value or max_value.")
    if kind == "regexExpectation":
        try:
            re.compile(said.get("regex") or "")
        except re.error as error:
            raise invalid(f"{where}.regex_expectation.regex is no regular expression: {error}.") from None
    if kind in ("rowConditionExpectation", "tableConditionExpectation"):
        from sqlglot import errors, parse_one

        try:
            parse_one(str(said.get("sqlExpression") or ""), dialect="bigquery")
        except errors.SqlglotError as error:
            raise invalid(f"{where}: {kind}.sql_expression: {str(error).splitlines()[0]}") from None


serve("dataplex.projects.locations.dataScans", prepare=_prepare, check=_check)
