"""Cloud Run: services, and members of their policies."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator

from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class Service(GcpResource):
    token = "gcp:cloudrunv2/service:Service"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("tags"):
            yield Failure("tags", "of services the twin has those without tags of the Resource Manager")
