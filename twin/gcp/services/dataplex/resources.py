"""Dataplex: data scans."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import Failure, Props

_SPECS: Final = ("dataDiscoverySpec", "dataDocumentationSpec", "dataProfileSpec", "dataQualitySpec")
_TRIGGERS: Final = ("onDemand", "oneTime", "schedule")


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

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _one(inputs, "", _SPECS)
        yield from _one(inputs.get("data"), "data.", ("entity", "resource"))
        trigger = (inputs.get("executionSpec") or {}).get("trigger") if inputs.get("executionSpec") else None
        yield from _one(trigger, "executionSpec.trigger.", _TRIGGERS)


def _one(trigger: object, path: str, names: tuple[str, ...]) -> Iterator[Failure]:
    """Exactly one of some objects, which may be empty."""
    if not isinstance(trigger, dict):
        return
    set_names = [name for name in names if trigger.get(name) is not None]
    names_text = ",".join(f"{path}{name}" for name in names)
    if not set_names:
        yield Failure(f"{path}{names[0]}", f"one of `{names_text}` must be specified")
    elif len(set_names) > 1:
        reason = f"only one of `{names_text}` can be specified, but `{','.join(set_names)}` were specified."
        yield Failure(f"{path}{set_names[0]}", reason)
