"""Access Context Manager: service perimeters and access levels."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props


class Named(GcpResource):
    """A resource of an access policy whose full name the program gives."""

    create_method = "create"
    params = {"name": "{name}"}
    create_params = {"parent": "{parent}"}
    id_form = "{name}"
    whole_id = "name"
    has_project = False

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {} if known.get("parent") else {"parent": "/".join(id.split("/")[:2])}
