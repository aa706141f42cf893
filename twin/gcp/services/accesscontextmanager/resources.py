"""Access Context Manager: service perimeters and access levels."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from collections.abc import Iterator

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class Named(GcpResource):
    """A resource of an access policy whose full name the program gives."""

    create_method = "create"
    params = {"name": "{name}"}
    create_params = {"parent": "{parent}"}
    id_form = "{name}"
    has_project = False

    def parsed(self, id: str) -> dict[str, str]:
        return {"name": id} if id else {}

    def own_id(self, context: GcpContext, id: str, outputs: Props) -> str:
        return id

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {} if known.get("parent") else {"parent": "/".join(id.split("/")[:2])}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        parent = inputs.get("parent")
        if isinstance(parent, str) and not re.fullmatch(r"accessPolicies/\d+", parent):
            yield Failure("parent", f"accessPolicies/NUMBER is right, got {parent!r}")


class ServicePerimeter(Named):
    token = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from super().rules(inputs)
        for field in ("status", "spec"):
            entries = inputs.get(field)
            names = ("resources", "accessLevels", "restrictedServices")
            if isinstance(entries, dict) and not any(entries.get(name) for name in names):
                fields_text = ",".join(f"{field}.{name}" for name in names)
                yield Failure(field, f"one of `{fields_text}` must be specified")
