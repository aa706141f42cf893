"""Bigtable: tables and what their column families forget."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local
from twin.gcp.resources.links import last_of
from twin.gcp.resources.validators import one_of
from twin.provider_interface import CloudError, Failure, Props

_COLLECTION: Final = "bigtableadmin.projects.instances.tables"
_UNITS: Final = {"h": 3600, "m": 60, "s": 1}


def _families(value: Any) -> Any:
    """The API keeps column families by their names; types are theirs alone."""
    if not isinstance(value, list):
        return value
    return {
        each["family"]: {"valueType": json.loads(each["type"])}
        if each.get("type", "").startswith("{")
        else {}
        for each in value
    }


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return [{"family": name} for name in sorted(value)]


class Table(GcpResource):
    token = "gcp:bigtable/table:Table"
    title = "table"
    collection = _COLLECTION
    schema = "Table"
    create_method = "create"
    params = {"name": "projects/{project}/instances/{instanceName}/tables/{name}"}
    create_params = {"parent": "projects/{project}/instances/{instanceName}"}
    id_form = "projects/{project}/instances/{instanceName}/tables/{name}"
    names = frozenset({"name", "instanceName"})
    fields = {
        "name": Field(sent=False),
        **local("instanceName", "splitKeys"),
        "columnFamilies": Field(encode=_families, decode=_listed),
        "columnFamilies.type": Field(sent=False, read=False),
        "deletionProtection": Field(
            encode=lambda value: value == "PROTECTED",
            decode=lambda value: None if value is None else "PROTECTED" if value else "UNPROTECTED",
        ),
        "changeStreamRetention": Field("changeStreamConfig.retentionPeriod"),
    }
    sets = frozenset({"automatedBackupPolicy"})
    changes = (Change(("automatedBackupPolicy", "deletionProtection", "changeStreamRetention"), mask=True),)

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        keys = [{"key": each} for each in inputs.get("splitKeys") or []]
        whole = {"tableId": inputs["name"], "table": body, "initialSplits": keys}
        return super().make(context, inputs, whole)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        before = {each["family"] for each in old.get("columnFamilies") or []}
        after = {each["family"] for each in new.get("columnFamilies") or []}
        changes = [{"id": name, "create": {}} for name in sorted(after - before)]
        changes += [{"id": name, "drop": True} for name in sorted(before - after)]
        if changes:
            context.call(f"{_COLLECTION}.modifyColumnFamilies", {"name": id}, {"modifications": changes})

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"instanceName": known.get("instanceName") or id.split("/")[3]}


class GCPolicy(GcpResource):
    token = "gcp:bigtable/gCPolicy:GCPolicy"
    title = "GC policy"
    collection = _COLLECTION
    schema = "ColumnFamily"
    create_method = "modifyColumnFamilies"
    delete_method = ""
    params = {"name": "projects/{project}/instances/{instanceName}/tables/{table}"}
    id_form = "{instanceName}/{table}/{columnFamily}"
    importable = False
    fields = {
        **local("instanceName", "table", "columnFamily", "mode", "maxAge", "maxVersions", "ignoreWarnings"),
        **local("gcRules"),
    }
    nested_computed = frozenset({"maxAge.days", "maxAge.duration"})
    validators = {"mode": one_of("INTERSECTION", "UNION")}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("maxAge") and inputs.get("maxVersions") and not inputs.get("mode"):
            yield Failure("mode", "if multiple policies are set, mode can't be empty")
        text = inputs.get("gcRules")
        if isinstance(text, str):
            try:
                _nested(json.loads(text), top=True)
            except (CloudError, ValueError, TypeError, AttributeError) as error:
                yield Failure("gcRules", f'"gc_rules" contains an invalid policy: {error}')

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        return iter(())

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        self._set(context, inputs, _rule(inputs))
        return {}

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if "gcRules" in self.changed(old, new):
            self._set(context, new, _rule(new))

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        self._set(context, state, None)

    def _set(self, context: GcpContext, props: Props, rule: Props | None) -> None:
        params = self.filled(self.params, self.values(context, "", props))
        family: Props = {"gcRule": rule} if rule else {"gcRule": None}
        told = [{"id": props["columnFamily"], "update": family}]
        context.call(f"{_COLLECTION}.modifyColumnFamilies", params, {"modifications": told})

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        table = super().find(context, id, {**values, "instanceName": last_of(values["instanceName"])})
        family = (table or {}).get("columnFamilies", {}).get(values.get("columnFamily"))
        # A family without a rule is one whose policy is gone.
        return family if family and family.get("gcRule") else None


def _rule(props: Props) -> Props | None:
    """The API's rule of a policy."""
    if props.get("gcRules"):
        return _nested(json.loads(props["gcRules"]), top=True)
    parts: list[Props] = []
    age, versions = props.get("maxAge"), props.get("maxVersions")
    if age:
        days = age.get("days")
        parts.append({"maxAge": f"{days * 86400}s" if days else _seconds(age.get("duration") or "")})
    for each in versions or []:
        parts.append({"maxNumVersions": each["number"]})
    if not parts:
        return None
    mode = props.get("mode")
    return {mode.lower(): {"rules": parts}} if mode else parts[0]


def _nested(policy: Any, *, top: bool) -> Props:
    """A rule of the provider's own JSON (`{"mode": "union", "rules": [{"max_age": "10h"}]}`)."""
    rules, mode = policy.get("rules"), policy.get("mode")
    if top and rules is None:
        raise CloudError("invalid nested policy, need `rules`")
    if mode and len(rules or []) < 2:
        raise CloudError("`rules` need at least 2 GC rule when mode is specified")
    if top and not mode and len(rules) != 1:
        raise CloudError("when `mode` is not specified, `rules` can only have 1 child rule")
    if not top and not rules:
        if "max_age" in policy:
            return {"maxAge": _seconds(policy["max_age"])}
        if "max_version" in policy:
            return {"maxNumVersions": int(policy["max_version"])}
        raise CloudError("need `max_version` or `max_age` for the rule")
    made = [_nested(each, top=False) for each in rules]
    return {mode: {"rules": made}} if mode else made[0]


def _seconds(text: str) -> str:
    """Go's duration (`24h30m`) in the API's seconds."""
    found = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise CloudError(f"invalid duration string: {text}")
    return f"{sum(float(number) * _UNITS[unit] for number, unit in found):g}s"
