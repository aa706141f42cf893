"""Workflows: definitions with their environment variables. None of them is executed here."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator

from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class Workflow(GcpResource):
    token = "gcp:workflows/workflow:Workflow"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in ("namePrefix", "tags"):
            if inputs.get(other):
                yield Failure(other, "of workflows the twin has those with a name and without tags")
