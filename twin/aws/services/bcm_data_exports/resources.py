"""Data Exports: exports of costs. Nothing is spent on the twin, so that none is written."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, reads
from twin.aws.resources.tags import Tagging
from twin.provider_interface import Props

_KEY: Final = {"ExportArn": "{id}"}
_SINGLE: Final[Mapping[str, str]] = {
    "dataQueries": "DataQuery",
    "destinationConfigurations": "DestinationConfigurations",
    "refreshCadences": "RefreshCadence",
    "s3Destinations": "S3Destination",
    "s3OutputConfigurations": "S3OutputConfigurations",
}
"""Lists of one object, which are objects of the API."""
_AS_STATED: Final = "tableConfigurations"
"""Its keys are names of tables and of their settings."""


def _to_api(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    members: Mapping[str, Any] = value
    return {_member(name): _object(name, member) for name, member in members.items() if member is not None}


def _member(name: str) -> str:
    return _SINGLE.get(name, name[0].upper() + name[1:])


def _object(name: str, value: Any) -> Any:
    if name == _AS_STATED:
        return value
    return _to_api(value[0] if name in _SINGLE and isinstance(value, list) else value)


def _from_api(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    members: Mapping[str, Any] = value
    names = {api: name for name, api in _SINGLE.items()}
    properties: Props = {}
    for api, member in members.items():
        name = names.get(api, api[0].lower() + api[1:])
        decoded = member if name == _AS_STATED else _from_api(member)
        properties[name] = [decoded] if name in _SINGLE else decoded
    return properties


class Export(AwsResource):
    token = "aws:bcmdata/export:Export"
    service = "bcm-data-exports"
    title = "BCM Data Export"
    fields = {
        "export": Field("Export", read="@", encode=_to_api, decode=_from_api),
        **kept("timeouts"),
        **reads(arn="ExportArn"),
    }
    create_call = Call("CreateExport")
    id_path = "ExportArn"
    read_call = Call("GetExport", _KEY)
    item = "Export"
    not_found = frozenset({"ResourceNotFoundException"})
    delete_call = Call("DeleteExport", _KEY)
    regional = False
    tagging = Tagging(
        create="ResourceTags",
        listing=Call("ListTagsForResource", {"ResourceArn": "{id}"}),
        listed="ResourceTags",
        add=Call("TagResource", {"ResourceArn": "{id}", "ResourceTags": "{tags}"}),
        remove=Call("UntagResource", {"ResourceArn": "{id}", "ResourceTagKeys": "{keys}"}),
    )
    paths = {"ValidationException": "export", "ServiceQuotaExceededException": "export.name"}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "export" in self.changed(old, new):
            export = _to_api({key: value for key, value in new["export"].items() if key != "exportArn"})
            context.call(self.service, "UpdateExport", {"ExportArn": id, "Export": export})
