"""Dataplex: data scans."""

from __future__ import annotations

from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field


def _keyed(values: Any) -> Any:
    """The API keeps the values of a template by their names."""
    return (
        {pair["name"]: {"value": pair.get("value")} for pair in values}
        if isinstance(values, list)
        else values
    )


def _as_list(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    return [{"name": name, "value": value.get("value")} for name, value in sorted(values.items())]


class Datascan(GcpResource):
    token = "gcp:dataplex/datascan:Datascan"
    fields = {
        "dataQualitySpec.rules.templateReference.values": Field(encode=_keyed, decode=_as_list),
    }
